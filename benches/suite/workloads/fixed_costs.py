"""``x + 1`` where there is next to nothing to do: what a task and a batch cost by themselves."""

from collections.abc import Callable
from typing import Any

from pyspark.sql import DataFrame

from suite.workload import Workload
from suite.workloads.add_one import (
    add_arrow,
    add_pandas,
    add_row,
    by_arrow,
    by_pandas,
    by_row,
)

LEGS = ("ember", "spark", "unix")
TASKS = 200
BATCHES = 10_000
ROWS_OF_A_BATCH = 10

Apply = Callable[[DataFrame], DataFrame]
Function = Callable[..., Any]


def by_arrow_of_none(frame: DataFrame) -> DataFrame:
    """Run the Arrow function on partitions without a row."""
    return by_arrow(frame.where("id < 0"))


def many_tasks(name: str, kind: str, apply: Apply, function: Function) -> Workload:
    """Make a workload of one row for each of two hundred tasks."""
    return Workload(
        name,
        kind,
        apply,
        (function,),
        rows=TASKS,
        legs=LEGS,
        partitions=TASKS,
        counted="task",
        times=TASKS,
    )


def many_batches(name: str, kind: str, apply: Apply, function: Function) -> Workload:
    """Make a workload of ten rows for each of ten thousand batches of one task."""
    return Workload(
        name,
        kind,
        apply,
        (function,),
        rows=BATCHES * ROWS_OF_A_BATCH,
        legs=LEGS,
        batch=ROWS_OF_A_BATCH,
        counted="batch",
        times=BATCHES,
    )


FIXED_COSTS = (
    many_tasks("tasks_of_no_row_arrow", "arrow", by_arrow_of_none, add_arrow),
    many_tasks("tasks_of_one_row_arrow", "arrow", by_arrow, add_arrow),
    many_tasks("tasks_of_one_row_row", "row", by_row, add_row),
    many_batches("batches_of_ten_arrow", "arrow", by_arrow, add_arrow),
    many_batches("batches_of_ten_pandas", "pandas", by_pandas, add_pandas),
    many_batches("batches_of_ten_row", "row", by_row, add_row),
)
