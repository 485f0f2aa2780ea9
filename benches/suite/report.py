"""The results as tables and as JSON."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from suite.legs import LEGS
from suite.measure import PLANS, WARM_BEHIND
from suite.records import scaled
from suite.result import Ratio, Result, Series
from suite.warmth import SECONDS, WARM_RUNS, WARM_SHARE

MIB = 2**20
FIGURES = ("best Spark", "CPU ratio", "wall ratio", "limit s", "over limit", "identical")


def report(results: list[Result], facts: dict[str, Any]) -> str:
    """Write everything a reader needs to trust or doubt the figures, as Markdown."""
    legs = [leg for leg in LEGS if any(leg in result.series for result in results)]
    counted = [result for result in results if result.workload.counted and result.limit]
    parts = [
        *_preface(legs, facts),
        *_table(
            ["workload", "kind", "rows", *(f"{leg} CPU s" for leg in legs), *FIGURES],
            [_speed(result, legs) for result in results],
        ),
        "## Wall time and peak memory",
        "",
        *_table(
            [
                "workload",
                "runs",
                *(f"{leg} wall s" for leg in legs),
                *(f"{leg} MiB" for leg in legs),
            ],
            [_room(result, legs) for result in results],
        ),
    ]
    parts += ["## Warm-up", "", *_table(["workload", *legs], [_warmth(r, legs) for r in results])]
    if counted:
        heads = ["workload", *(f"{leg} us" for leg in legs), "of one"]
        parts += ["## Fixed costs: CPU time without the scan and sink, of one task or batch", ""]
        parts += _table(heads, [_fixed(result, legs, facts["scale"]) for result in counted])
    return "\n".join([*parts, *verdict(results)]) + "\n"


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
    """Say where Ember is not faster, where answers differ, what proves nothing, and what failed."""
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
        lines += [f"- FAILED, and run again: {name}: {why}" for why in result.failures]
    return lines


def slower(result: Result) -> bool:
    """Whether Spark was at least as fast by one of the clocks."""
    ratios = (result.ratio(_cpu), result.ratio(_wall))
    return any(ratio is not None and ratio.medians <= 1 for ratio in ratios)


def sound(results: list[Result]) -> bool:
    """Whether all answers agree and every row proves something."""
    return all(result.identical and not result.vacuous for result in results)


def save(results: list[Result], facts: dict[str, Any], runs: Path, name: str) -> Path:
    """Write ``table.md`` and ``result.json`` into a folder of their own."""
    folder = runs / f"{datetime.now(UTC):%Y-%m-%d}-{name}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "table.md").write_text(report(results, facts))
    (folder / "result.json").write_text(json.dumps(document(results, facts), indent=1) + "\n")
    return folder


def document(results: list[Result], facts: dict[str, Any]) -> dict[str, Any]:
    """Give the figures with every sample they come from."""
    return facts | {"results": [_result(result) for result in results]}


def _result(result: Result) -> dict[str, Any]:
    ratios = {"best": result.ratio(_cpu)}
    ratios |= {leg: result.ratio(_cpu, leg) for leg in result.series if leg != "ember"}
    return {
        "workload": result.workload.name,
        "kind": result.workload.kind,
        "identical": result.identical,
        "vacuous": result.vacuous,
        "best_spark": result.best,
        "cpu_ratios": {leg: _plain(ratio) for leg, ratio in ratios.items()},
        "wall_ratio": _plain(result.ratio(_wall)),
        "limit": asdict(result.limit) if result.limit else None,
        "over_limit": result.over_limit,
        "peaks": {leg: series.peak for leg, series in result.series.items()},
        "warmth": {leg: asdict(warmth) for leg, warmth in result.warmth.items()},
        "left_out": result.left_out,
        "legs": {leg: asdict(series) for leg, series in result.series.items()},
    }


def _preface(legs: list[str], facts: dict[str, Any]) -> list[str]:
    share, seconds = f"{100 * WARM_SHARE:.0f}", f"{SECONDS:.0f}"
    lines = (
        f"# Benchmark, {facts['date']}",
        "",
        f"- Commit: {facts['commit']}",
        f"- Machine: {facts['machine']}",
        f"- Command: `{facts['command']}`",
        f"- Master: local[{facts['slots']}]; one driver process for each leg, all started first",
        f"- Order: {' '.join(legs)}, then scan and bare function, in turn, one run each",
        "- JVM: a heap of 2 GiB from the start, touched beforehand, on every leg",
        f"- Warm-up: each workload once, and {PLANS} times over a few rows; then, workload by",
        "  workload, each leg until the compilers of its JVM had at most",
        f"  {share} % of the CPU of {WARM_RUNS} runs, or {facts['warmups']} runs, or {seconds} s",
        f"- Left out: settings of Spark's that take {WARM_BEHIND} times the CPU of its best one",
        "- Input: a range of longs, or generated records in Spark's memory cache; 10,000 a batch",
        "- Sink: noop; answers are compared in runs of their own, by a checksum of every value",
        "- Figures: min / median / max in seconds; CPU is that of the JVM and all Python below it",
        "- Ratio: lowest median of Spark's legs (not pickled) by Ember's: above 1, Ember wins;",
        "  then the interval of 95 in 100 such ratios with the rounds drawn again",
        "- Limit: CPU time (medians) of the same scan and sink without the function, and of the",
        "  function alone, called in one Python process on data that is ready",
        f"- Memory: most PSS of JVM and Python, in {facts['memory_runs']} runs for it alone",
        *(f"- Leg {leg}: {LEGS[leg].words}" for leg in legs),
        "",
    )
    return list(lines)


def _table(heads: list[str], rows: list[list[str]]) -> list[str]:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows), ""]


def _speed(result: Result, legs: list[str]) -> list[str]:
    one, over = result.workload, result.over_limit
    return [
        one.name,
        one.kind,
        f"{next(iter(result.series.values())).rows:,}",
        *(_spread(result.series[leg].cpus) if leg in result.series else "" for leg in legs),
        result.best,
        _ratio(result.ratio(_cpu)),
        _ratio(result.ratio(_wall)),
        f"{result.limit.seconds:.3f}" if result.limit else "",
        f"{over:.2f}" if over else "",
        ("yes" if result.identical else "NO") + (" (VACUOUS)" if result.vacuous else ""),
    ]


def _room(result: Result, legs: list[str]) -> list[str]:
    series = result.series
    peaks = [series[leg].peak if leg in series else None for leg in legs]
    return [
        result.workload.name,
        str(max(len(one.walls) for one in series.values())),
        *(_spread(series[leg].walls) if leg in series else "" for leg in legs),
        *("" if peak is None else f"{peak / MIB:,.0f}" for peak in peaks),
    ]


def _warmth(result: Result, legs: list[str]) -> list[str]:
    """Tell how often each leg ran unmeasured, and what its compilers had of the timed runs."""
    cells = []
    for leg in legs:
        warmth, series = result.warmth.get(leg), result.series.get(leg)
        if leg in result.left_out:
            cells.append(f"left out at {result.left_out[leg]:.3f} s")
        elif warmth is None or series is None:
            cells.append("")
        else:
            runs = f"{warmth.runs}{'' if warmth.warm else ', NOT WARM'}"
            cells.append(f"{runs}; {100 * series.compiling:.1f} %")
    return [result.workload.name, *cells]


def _fixed(result: Result, legs: list[str], scale: float) -> list[str]:
    one, times = result.workload, scaled(result.workload.times, scale)
    scan = median(result.limit.scans) if result.limit else 0.0
    costs = [(result.series[leg].cpu - scan) if leg in result.series else None for leg in legs]
    return [
        one.name,
        *("" if cost is None else f"{cost / times * 1e6:,.0f}" for cost in costs),
        one.counted,
    ]


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
