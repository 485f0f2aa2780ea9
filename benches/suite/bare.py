"""The bare Python time of a function: one process, data ready in memory, no Spark.

What is ready is what the function gets from Spark: lists of Python values for a row function,
Series, Arrow arrays, frames or record batches, as many rows in each as Spark sends. What it gives
back is taken and dropped.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from suite.orders import Order, Verb, serve
from suite.records import scaled
from suite.workload import Workload
from suite.workloads import WORKLOADS

Loop = Callable[[], None]


class Bare:
    """The workload at hand, with its data."""

    def __init__(self, order: Order) -> None:
        """Keep where the tables are."""
        self.paths: dict[str, str] = order["tables"]
        self.scale: float = order["scale"]
        self.loop: Loop | None = None

    def verbs(self) -> dict[str, Verb]:
        """Everything that can be ordered."""
        return {"prepare": self.prepare, "run": self.run}

    def prepare(self, order: Order) -> Order:
        """Make the data ready."""
        workload = WORKLOADS[order["workload"]]
        self.loop = None  # the data before the next
        batches = self._table(workload).to_batches(max_chunksize=workload.batch)
        self.loop = LOOPS[workload.kind](workload, batches)
        return {}

    def run(self, _order: Order) -> Order:
        """Call the function on all of it."""
        if self.loop is None:
            raise RuntimeError("no workload was prepared")
        start = time.process_time()
        self.loop()
        return {"cpu": time.process_time() - start}

    def _table(self, workload: Workload) -> pa.Table:
        if workload.columns:
            columns = ["id", *workload.columns]
            return pq.read_table(self.paths[workload.source], columns=columns).combine_chunks()
        rows = scaled(workload.rows, self.scale)
        return pa.table({"id": pa.array(range(rows), pa.int64())})


def by_row(workload: Workload, batches: list[pa.RecordBatch]) -> Loop:
    """Call each function for every row."""
    (name,) = workload.arguments  # no row function here takes more
    ready = [batch.column(name).to_pylist() for batch in batches]

    def loop() -> None:
        for values in ready:
            for function in workload.functions:
                [function(value) for value in values]

    return loop


def by_series(workload: Workload, batches: list[pa.RecordBatch]) -> Loop:
    """Call each function for every batch, on Series."""
    return _by_batch(
        workload,
        [[batch.column(name).to_pandas() for name in workload.arguments] for batch in batches],
    )


def by_array(workload: Workload, batches: list[pa.RecordBatch]) -> Loop:
    """Call each function for every batch, on Arrow arrays."""
    return _by_batch(
        workload, [[batch.column(name) for name in workload.arguments] for batch in batches]
    )


def by_frames(workload: Workload, batches: list[pa.RecordBatch]) -> Loop:
    """Give the function all frames."""
    return _by_iterator(workload, [_naive(batch).to_pandas() for batch in batches])


def by_record_batches(workload: Workload, batches: list[pa.RecordBatch]) -> Loop:
    """Give the function all record batches."""
    return _by_iterator(workload, batches)


def by_group_in_pandas(workload: Workload, batches: list[pa.RecordBatch]) -> Loop:
    """Call the function for every batch, which is a group, as a frame."""
    return _by_group(workload, [_naive(batch).to_pandas() for batch in batches])


def by_group_in_arrow(workload: Workload, batches: list[pa.RecordBatch]) -> Loop:
    """Call the function for every batch, which is a group, as a table."""
    return _by_group(workload, [pa.Table.from_batches([batch]) for batch in batches])


def _by_group(workload: Workload, ready: list[Any]) -> Loop:
    (function,) = workload.functions

    def loop() -> None:
        for group in ready:
            function(group)

    return loop


def _by_batch(workload: Workload, ready: list[list[Any]]) -> Loop:
    def loop() -> None:
        for columns in ready:
            for function in workload.functions:
                function(*columns)

    return loop


def _by_iterator(workload: Workload, ready: list[Any]) -> Loop:
    (function,) = workload.functions

    def loop() -> None:
        results: Iterator[Any] = function(iter(ready))
        for _ in results:
            pass

    return loop


def _naive(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Take the zone off timestamps, as PySpark does for pandas."""
    for at, field in enumerate(batch.schema):
        if pa.types.is_timestamp(field.type) and field.type.tz:
            batch = batch.set_column(at, field.name, pc.local_timestamp(batch.column(at)))
    return batch


LOOPS: dict[str, Callable[[Workload, list[pa.RecordBatch]], Loop]] = {
    "row": by_row,
    "pickled": by_row,
    "table": by_row,
    "pandas": by_series,
    "arrow": by_array,
    "mapInPandas": by_frames,
    "mapInArrow": by_record_batches,
    "applyInPandas": by_group_in_pandas,
    "applyInArrow": by_group_in_arrow,
}

if __name__ == "__main__":
    serve(lambda order: Bare(order).verbs())
