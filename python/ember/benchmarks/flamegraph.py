"""What ``ember.flamegraph`` costs while it draws: one query with it and without, in turns.

``python python/ember/benchmarks/flamegraph.py --jar JAR`` prints, for each query and interval, wall
time and CPU time of the JVM, which has the interpreter in it.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - as everybody calls it
from pyspark.sql.pandas.functions import pandas_udf

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))
import ember

INTERVALS = (None, 10, 1)


def digits(number: int) -> int:
    """Work in Python, with its lock."""
    total = 0
    for digit in str(number) * 20:
        total += int(digit)
    return total


def squares(values: pd.Series) -> pd.Series:
    """Work in C."""
    return values * values


QUERIES: dict[str, Callable[[SparkSession], DataFrame]] = {
    "nothing": lambda spark: spark.range(1),
    "rows": lambda spark: spark.range(200_000).select(F.sum(F.udf(digits, "bigint")("id"))),
    "pandas": lambda spark: spark.range(20_000_000).select(
        F.max(pandas_udf(squares, "bigint")("id"))
    ),
}


def main() -> None:
    """Print a line for each query and interval."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jar", required=True)
    parser.add_argument("--rounds", type=int, default=7)
    wanted = parser.parse_args()
    spark = started(wanted.jar)
    for name, query in QUERIES.items():
        taken: dict[Any, list[tuple[float, float]]] = {each: [] for each in INTERVALS}
        for round_ in range(wanted.rounds + 1):
            for interval in INTERVALS[:: 1 if round_ % 2 else -1]:
                spent = run(spark, query(spark), interval)
                if round_:  # the first warms up
                    taken[interval].append(spent)
        for interval, times in taken.items():
            walls, cpus = zip(*times, strict=True)
            way = "without" if interval is None else f"every {interval} ms"
            words = f"wall {spread(walls)} s, cpu {spread(cpus)} s, n={len(times)}"
            print(f"{name}, {way}: {words}", flush=True)
    spark.stop()


def started(jar: str) -> SparkSession:
    """Start a session whose functions run in the executor."""
    settings = {
        "spark.jars": jar,
        "spark.plugins": "dev.ember.EmberPlugin",
        "spark.ember.lane": "embedded",
        "spark.ui.enabled": "false",
    }
    builder = SparkSession.builder.master("local[2]")
    for key, value in settings.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def run(spark: SparkSession, frame: DataFrame, interval: int | None) -> tuple[float, float]:
    """Run a query, and return its wall time and CPU time."""
    jvm: Any = spark.sparkContext._jvm  # noqa: SLF001 - PySpark's own way to the JVM
    process = jvm.java.lang.ProcessHandle.current().info()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "graph.folded")
        drawing = ember.flamegraph(spark, path, milliseconds=interval) if interval else None
        cpu, wall = process.totalCpuDuration().get().toMillis(), time.perf_counter()
        with drawing or nullcontext():
            frame.collect()
        wall = time.perf_counter() - wall
    process = jvm.java.lang.ProcessHandle.current().info()
    return wall, (process.totalCpuDuration().get().toMillis() - cpu) / 1e3


def spread(values: tuple[float, ...]) -> str:
    """Write the median, and how far the values lie apart."""
    return f"{median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    main()
