"""The command: each function on Spark's runner and in Ember, in turn, in one session."""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from pyspark import cloudpickle

import ember
from ember.bench import functions
from ember.compare.page import spread, table
from ember.compare.plans import last_query
from ember.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ember.bench.functions import Measured
    from ember.compare.plans import Node

SPARK: Final = "false"
EMBER: Final = "true"
_INTERRUPTED: Final = 130


@dataclass
class Times:
    """What one function took on each way, and where it ran in Ember."""

    measured: Measured
    seconds: dict[str, list[float]] = field(default_factory=lambda: {SPARK: [], EMBER: []})
    nodes: list[Node] = field(default_factory=list)

    def where(self) -> str:
        """Say in words where the last run in Ember was."""
        inside, apart, stayed = (
            sum(getattr(node, place) for node in self.nodes)
            for place in ("in_executor", "in_workers", "on_spark")
        )
        if not inside and not apart:
            reasons = sorted({reason for node in self.nodes for reason in node.reasons})
            return f"not embedded: {', '.join(reasons) or 'see EXPLAIN'}"
        places = {"executor": inside, "workers": apart, "Spark's runner": stayed}
        return ", ".join(f"{number} in {place}" for place, number in places.items() if number)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; what was measured before an interruption is printed, too."""
    options = _parser().parse_args(arguments)
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    cloudpickle.register_pickle_by_value(functions)  # type: ignore[no-untyped-call]
    chosen = [one for one in functions.ALL if one.name in (options.only or [one.name])]
    done: list[Times] = []
    status = 0
    try:
        spark = _session(options.slots)
        _measure(spark, chosen, options, done)
        spark.stop()
    except KeyboardInterrupt:
        sys.stderr.write("\ninterrupted\n")
        status = _INTERRUPTED
    sys.stdout.write("\n".join(_lines(done, options)) + "\n")
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ember.bench",
        description="Measure a handful of functions on this machine, with Ember and without, "
        "in turn, in one local session with Spark's default settings.",
    )
    parser.add_argument("--rows", type=int, default=1_000_000, help="(default: 1,000,000)")
    parser.add_argument("--runs", type=int, default=3, help="of each way (default: 3)")
    parser.add_argument("--slots", default="*", help="of local[SLOTS] (default: *, all cores)")
    names = [one.name for one in functions.ALL]
    parser.add_argument(
        "--only", action="append", choices=names, help="this function; may be repeated"
    )
    return parser


def _session(slots: str) -> Any:
    builder = ember.session().master(f"local[{slots}]").appName("ember.bench")
    for name in ("spark.ui.enabled", "spark.ui.showConsoleProgress"):
        builder = builder.config(name, "false")
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def _measure(
    spark: Any, chosen: Sequence[Measured], options: argparse.Namespace, done: list[Times]
) -> None:
    """Warm each way up once, then take turns."""
    progress = Progress(sys.stderr)
    rows = functions.rows(spark, options.rows)
    for number, measured in enumerate(chosen, start=1):
        progress.begin(f"{number} of {len(chosen)}, {measured.words}")
        times = Times(measured)
        query = measured.query(rows)
        for way in (SPARK, EMBER):
            _seconds(spark, query, way)
        done.append(times)
        for _ in range(options.runs):
            for way in (SPARK, EMBER):
                times.seconds[way].append(_seconds(spark, query, way))
            times.nodes = last_query(spark).nodes
        progress.end(f"ran {times.where()}")


def _seconds(spark: Any, query: Any, way: str) -> float:
    """Run a query whole, and throw its rows away."""
    spark.conf.set("spark.ember.enabled", way)
    begun = time.perf_counter()
    query.write.format("noop").mode("overwrite").save()
    return time.perf_counter() - begun


def _lines(done: Sequence[Times], options: argparse.Namespace) -> Iterator[str]:
    yield (
        f"\n{options.rows:,} rows, local[{options.slots}], {options.runs} runs each way in turn "
        "after one to warm up; seconds: median (least to most)"
    )
    heads = ("function", "Spark's runner", "Ember", "times as fast", "where it ran in Ember")
    whole = [times for times in done if times.seconds[EMBER]]
    yield from table([heads, *map(_row, whole)])


def _row(times: Times) -> tuple[str, ...]:
    alone, beside = times.seconds[SPARK], times.seconds[EMBER]
    ratio = f"{median(alone) / median(beside):.2f}"
    return (times.measured.words, spread(alone), spread(beside), ratio, times.where())
