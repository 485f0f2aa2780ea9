"""The results as a table and as JSON."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from suite.legs import LEGS
from suite.measure import Ratio, Result, Series


def table(results: list[Result], facts: dict[str, Any]) -> str:
    """Write everything a reader needs to trust or doubt the figures, as Markdown."""
    legs = list(results[0].series)
    heads = ["workload", "kind", "rows", *(f"{leg} CPU s" for leg in legs)]
    heads += [f"{leg} wall s" for leg in legs]
    heads += ["best Spark", "CPU ratio", "wall ratio", "identical"]
    lines = [
        *_preface(legs, facts),
        "| " + " | ".join(heads) + " |",
        "|" + "---|" * len(heads),
        *("| " + " | ".join(_cells(result, legs)) + " |" for result in results),
        "",
        *verdict(results),
    ]
    return "\n".join(lines) + "\n"


def verdict(results: list[Result]) -> list[str]:
    """Say what is wrong, or that Ember is faster everywhere, and by how much."""
    compared = [ratio.medians for result in results if (ratio := result.ratio(_cpu))]
    wrong = problems(results)
    if wrong or not compared:
        return wrong
    where = f"on all {len(compared)} workloads"
    ratios = f"CPU ratio {min(compared):.2f} to {max(compared):.2f}"
    return [f"- Ember used less CPU and less wall time than every Spark leg {where}; {ratios}."]


def problems(results: list[Result]) -> list[str]:
    """Say where Ember is not faster, where answers differ, and what proves nothing."""
    lines = []
    for result in results:
        name = result.workload.name
        if not result.identical:
            lines.append(f"- DIFFERENT ANSWERS: {name}: {_answers(result)}")
        if result.vacuous:
            lines.append(f"- VACUOUS: {name}: {result.vacuous}")
        for what, ratio in (("CPU", result.ratio(_cpu)), ("wall", result.ratio(_wall))):
            if ratio is not None and ratio.medians <= 1:
                lines.append(f"- NOT FASTER: {name}: {what} ratio {_ratio(ratio)}")
    return lines


def sound(results: list[Result]) -> bool:
    """Whether all answers agree and every row proves something."""
    return all(result.identical and not result.vacuous for result in results)


def save(results: list[Result], facts: dict[str, Any], runs: Path, name: str) -> Path:
    """Write ``table.md`` and ``result.json`` into a folder of their own."""
    folder = runs / f"{datetime.now(UTC):%Y-%m-%d}-{name}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "table.md").write_text(table(results, facts))
    (folder / "result.json").write_text(json.dumps(_document(results, facts), indent=1) + "\n")
    return folder


def _preface(legs: list[str], facts: dict[str, Any]) -> list[str]:
    lines = (
        f"# Benchmark, {facts['date']}",
        "",
        f"- Commit: {facts['commit']}",
        f"- Machine: {facts['machine']}",
        f"- Master: local[{facts['slots']}]; one driver process for each leg, all started first",
        f"- Order: {' '.join(legs)} in turn, one run each, {facts['runs']} times",
        "- JVM: a heap of 2 GiB from the start, on every leg",
        f"- Warm-up: each workload once, then {facts['warmups']} times before it is measured",
        "- Input: generated records in memory as rows, or a range of longs; 10,000 rows a batch",
        "- Sink: noop; answers are compared in runs of their own, by a checksum of every value",
        "- Figures: min / median / max in seconds; CPU is that of the JVM and all Python below it",
        "- Ratio: lowest median of Spark's legs by Ember's; above 1, Ember is better (run by run)",
        *(f"- Leg {leg}: {LEGS[leg].words}" for leg in legs),
        "",
    )
    return list(lines)


def _cells(result: Result, legs: list[str]) -> list[str]:
    one = result.workload
    cpu, wall = result.ratio(_cpu), result.ratio(_wall)
    return [
        one.name,
        one.kind,
        f"{one.rows:,}",
        *(_spread(result.series[leg].cpus) for leg in legs),
        *(_spread(result.series[leg].walls) for leg in legs),
        result.best,
        _ratio(cpu),
        _ratio(wall),
        ("yes" if result.identical else "NO") + (" (VACUOUS)" if result.vacuous else ""),
    ]


def _document(results: list[Result], facts: dict[str, Any]) -> dict[str, Any]:
    return facts | {
        "results": [
            {
                "workload": result.workload.name,
                "kind": result.workload.kind,
                "rows": result.workload.rows,
                "identical": result.identical,
                "vacuous": result.vacuous,
                "best_spark": result.best,
                "cpu_ratio": _plain(result.ratio(_cpu)),
                "wall_ratio": _plain(result.ratio(_wall)),
                "legs": {leg: asdict(series) for leg, series in result.series.items()},
            }
            for result in results
        ]
    }


def _answers(result: Result) -> str:
    return ", ".join(f"{leg} {one.rows} rows {one.checksum}" for leg, one in result.series.items())


def _spread(values: list[float]) -> str:
    ordered = sorted(values)
    return f"{ordered[0]:.3f} / {median(ordered):.3f} / {ordered[-1]:.3f}"


def _ratio(ratio: Ratio | None) -> str:
    return "-" if ratio is None else f"{ratio.medians:.2f} ({ratio.low:.2f} to {ratio.high:.2f})"


def _plain(ratio: Ratio | None) -> dict[str, float] | None:
    return None if ratio is None else asdict(ratio)


def _cpu(series: Series) -> list[float]:
    return series.cpus


def _wall(series: Series) -> list[float]:
    return series.walls
