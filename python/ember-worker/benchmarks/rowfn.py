"""Row functions: PySpark's loop and the bridge's, in turns, CPU nanoseconds per row.

Usage: python/ember-worker/benchmarks/rowfn.py [ROUNDS]. Needs the bridge's library (ci/build), or
its path in EMBER_BRIDGE. Each round runs every workload both ways, over 20 batches of 10,000 rows;
what is timed is the whole of PySpark's generator, from input batch to output batch. `bare` is a
list comprehension over ready Python values: the floor.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "tests"), str(HERE.parent / "src")]

from ember_worker import boot  # noqa: E402 - found by the line above

if TYPE_CHECKING:
    from collections.abc import Callable

BATCHES, ROWS = 20, 10_000


def workloads() -> dict[str, tuple[Callable[..., Any], Any, list[Any], Any]]:
    """Return each function with its result type, its input types and one batch."""
    import pyarrow as pa
    from pyspark.sql import types as sql

    numbers = pa.array(range(10**6, 10**6 + ROWS))
    texts = pa.array([f"twenty characters {i:04}"[:20] for i in range(ROWS)])
    reals = pa.array([i / 7 for i in range(ROWS)])
    instants = numbers.cast(pa.timestamp("us", "UTC"))
    prices = numbers.cast(pa.decimal128(21, 2))
    return {
        "x + 1": (lambda x: x + 1, sql.LongType(), [sql.LongType()], [numbers]),
        "x * 2.0": (lambda x: x * 2.0, sql.DoubleType(), [sql.DoubleType()], [reals]),
        "len(s)": (len, sql.LongType(), [sql.StringType()], [texts]),
        "s.upper()": (lambda s: s.upper(), sql.StringType(), [sql.StringType()], [texts]),
        "f(long, string, double)": (
            lambda a, s, d: a + len(s) + d,
            sql.DoubleType(),
            [sql.LongType(), sql.StringType(), sql.DoubleType()],
            [numbers, texts, reals],
        ),
        "timestamp.hour": (
            lambda t: t.hour,
            sql.IntegerType(),
            [sql.TimestampType()],
            [instants],
        ),
        "decimal is None": (
            lambda d: d is None,
            sql.BooleanType(),
            [sql.DecimalType(21, 2)],
            [prices],
        ),
        "str(x) by a wrong return": (lambda x: x, sql.StringType(), [sql.LongType()], [numbers]),
        "list in, list out": (
            lambda values: values,
            sql.ArrayType(sql.LongType()),
            [sql.ArrayType(sql.LongType())],
            [pa.array([[i, i] for i in range(ROWS)])],
        ),
    }


def main(rounds: int) -> None:
    """Print the table."""
    import pyarrow as pa

    from rowfn_bridge import Given, ours, process, stock

    print(f"CPU ns per row, min / median of {rounds} rounds")
    print(f"{'function':26} {'Spark':>15} {'Ember':>15} {'bare':>8} {'ratio':>6}")
    for name, (function, result, inputs, columns) in workloads().items():
        batch = pa.RecordBatch.from_arrays(columns, [f"_{i}" for i in range(len(columns))])
        item = Given(function, result, tuple(range(len(columns))))
        spent: dict[Any, list[float]] = {stock(): [], (mine := ours()): []}
        for _ in range(rounds):
            for read, times in spent.items():
                started = time.thread_time_ns()
                for _made in process(read, [item], inputs, [batch] * BATCHES):
                    pass
                times.append((time.thread_time_ns() - started) / BATCHES / ROWS)
        spark, ember = spent[stock()], spent[mine]
        floor = bare(function, columns)
        ratio = min(spark) / min(ember)
        print(f"{name:26} {shown(spark):>15} {shown(ember):>15} {floor:8.0f} {ratio:6.2f}")


def bare(function: Callable[..., Any], columns: list[Any]) -> float:
    """Time the function alone."""
    rows = list(zip(*[column.to_pylist() for column in columns], strict=True))
    times = []
    for _ in range(20):
        started = time.thread_time_ns()
        _results = [function(*row) for row in rows]
        times.append((time.thread_time_ns() - started) / ROWS)
    return min(times)


def shown(times: list[float]) -> str:
    """Format the smallest and the middle one."""
    return f"{min(times):.0f} / {statistics.median(times):.0f}"


if __name__ == "__main__":
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    worker = {"SPARK_PYTHON_RUNTIME": "PYTHON_WORKER"}
    boot.start({"environment": worker, "pythonPath": ""})  # this takes the arguments away
    main(wanted)
