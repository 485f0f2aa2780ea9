"""Compare pipelined transfer with transfer in turn, Spark's and Ember's, in one table.

``python benches/pipelined.py`` runs the workloads that pipelined transfer was measured with, a
million rows, five million, and three columns, in drivers of ``local[1]`` that take turns; it takes
about ``--minutes``. ``--save NAME`` keeps the table. The exit code is 1 when answers differ or a
row proves nothing.
"""

import argparse
import shlex
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from run import RUNS, facts_of, say
from suite.legs import EMBER, EMBER_IN_TURN, JAR, LEGS, PIPELINED, SPARK
from suite.measure import Effort, measure, started, warm_all
from suite.records import write_tables
from suite.report import problems, sound
from suite.result import Result, Series
from suite.workloads import WORKLOADS

#: In turn and pipelined: Spark's, then Ember's.
WAYS = (SPARK.name, PIPELINED.name, EMBER_IN_TURN.name, EMBER.name)
CHOSEN = (
    "add_one_row_1m",
    "add_one_pandas_1m",
    "add_one_arrow_1m",
    "add_one_row_5m",
    "add_one_pandas_5m",
    "add_one_arrow_5m",
    "three_row_1m",
    "three_arrow_1m",
)


def main() -> int:
    """Measure, and print the table."""
    wanted = arguments()
    if not JAR.is_file():
        print(f"no jar at {JAR}: run ci/build", file=sys.stderr)
        return 1
    facts = facts_of(wanted)
    results = run_all(wanted, lambda so_far: keep(wanted, facts, so_far))
    print(*document(facts, results), sep="\n")
    return 0 if sound(results) else 1


def document(facts: dict[str, Any], results: list[Result]) -> list[str]:
    """Give the table, and what a reader needs beside it."""
    return [
        f"# Pipelined transfer, {facts['date']}",
        "",
        *(f"- {name}: {facts[name]}" for name in ("commit", "machine")),
        f"- command: {shlex.join(['benches/pipelined.py', *sys.argv[1:]])}",
        *(f"- {name}: {LEGS[name].words}" for name in WAYS),
        "- Seconds by the clock / of CPU of the JVM and all Python below it, medians; a gain is",
        "  the median of transfer in turn by the pipelined one's, by the clock",
        "",
        *table(results),
        *(line for line in problems(results) if not line.startswith("- NOT FASTER")),
    ]


def keep(wanted: argparse.Namespace, facts: dict[str, Any], results: list[Result]) -> None:
    """Save what there is so far, if it is to be saved: a run that is cut off loses nothing."""
    if wanted.save:
        folder = RUNS / f"{facts['date'][:10]}-{wanted.save}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "table.md").write_text("\n".join(document(facts, results)) + "\n")
        say(f"saved in {folder}")


def run_all(wanted: argparse.Namespace, done: Callable[[list[Result]], None]) -> list[Result]:
    """Measure each workload on all four ways, in equal parts of the time; tell after each."""
    workloads = [replace(WORKLOADS[name], legs=WAYS) for name in CHOSEN]
    deadline = wanted.started + 60 * wanted.minutes
    effort = Effort(wanted.warmups, 0, 0, deadline, every_leg=True)
    results = []
    with TemporaryDirectory(prefix="ember-bench-") as name:
        folder = Path(name)
        tables = write_tables(folder, wanted.scale)
        with started(list(WAYS), tables, wanted.slots, wanted.scale, folder) as bench:
            cold = warm_all(bench, workloads)
            for at, workload in enumerate(workloads):
                result = measure(bench, workload, effort, cold[workload.name], len(workloads) - at)
                results.append(result)
                say(f"{workload.name}: {rounds(result)} rounds")
                done(results)
    return results


def table(results: list[Result]) -> list[str]:
    """Write the results as Markdown."""
    heads = ["workload", "rows", "rounds", *(LEGS[name].words for name in WAYS)]
    heads += ["Spark's gain", "Ember's gain", "Spark pipelined by Ember"]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return [*lines, *("| " + " | ".join(_cells(result)) + " |" for result in results), ""]


def _cells(result: Result) -> list[str]:
    series = result.series
    walls = [median(series[name].walls) for name in WAYS]
    return [
        result.workload.name,
        f"{series[SPARK.name].rows:,}",
        str(rounds(result)),
        *(f"{series[name].wall:.3f} / {series[name].cpu:.3f}" for name in WAYS),
        f"{walls[0] / walls[1]:.2f}",
        f"{walls[2] / walls[3]:.2f}",
        " / ".join(f"{_times(result, of):.2f}" for of in (_walls, _cpus)),
    ]


def _times(result: Result, of: Callable[[Series], list[float]]) -> float:
    ratio = result.ratio(of, PIPELINED.name)
    return ratio.medians if ratio else 0.0


def _walls(series: Series) -> list[float]:
    return series.walls


def _cpus(series: Series) -> list[float]:
    return series.cpus


def rounds(result: Result) -> int:
    """How often each way ran."""
    return len(result.series[SPARK.name].walls)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=4.0, help="about so long in all")
    parser.add_argument("--slots", type=int, default=1, help="local[N]")
    parser.add_argument("--scale", type=float, default=1.0, help="part of every input")
    parser.add_argument("--save", metavar="NAME", help="keep the table in benches/runs/DATE-NAME")
    wanted = parser.parse_args()
    wanted.started = time.monotonic()
    wanted.warmups, wanted.memory_runs = 60, 0
    return wanted


if __name__ == "__main__":
    sys.exit(main())
