"""Every kind of function with a node of its own, each as one way to send rows (k, v) through it.

``unit`` is a function's work: it gets the numbers v of a group, of one batch of it, of a part of a
table or of a frame of a window, and makes a number of them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa
from pyspark.sql import DataFrame, Row, Window
from pyspark.sql.functions import arrow_udtf, udtf
from pyspark.sql.pandas.functions import arrow_udf, pandas_udf
from pyspark.sql.streaming import StatefulProcessor

Unit = Callable[[list[int]], int]
KEY_AND_NUMBER = "k bigint, n bigint"
FRAME = (-3, 2)
ROCKS = {
    "spark.sql.streaming.stateStore.providerClass": (
        "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider"
    )
}


@dataclass(frozen=True)
class Node:
    """A kind: its eval type, the node that runs it, and how rows are sent through it."""

    number: int
    name: str
    node: str
    through: Callable[[DataFrame, Unit], DataFrame]
    conf: tuple[tuple[str, str], ...] = ()


def numbers(keys: list[Any], made: list[int]) -> dict[str, list[Any]]:
    """Columns of what came out."""
    return {"k": keys, "n": made}


def table(keys: list[Any], made: list[int]) -> pa.Table:
    """The same as Arrow's."""
    return pa.table(numbers(keys, made), pa.schema([("k", pa.int64()), ("n", pa.int64())]))


def groups_in_pandas(frame: DataFrame, unit: Unit) -> DataFrame:
    """A frame for each group."""

    def each(key: tuple[Any, ...], group: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame(numbers([key[0]], [unit(group["v"].tolist())]))

    return frame.groupBy("k").applyInPandas(each, KEY_AND_NUMBER)


def groups_in_several_frames(frame: DataFrame, unit: Unit) -> DataFrame:
    """Frames for each group."""

    def each(key: tuple[Any, ...], frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for one in frames:
            yield pd.DataFrame(numbers([key[0]], [unit(one["v"].tolist())]))

    return frame.groupBy("k").applyInPandas(each, KEY_AND_NUMBER)


def groups_in_arrow(frame: DataFrame, unit: Unit) -> DataFrame:
    """A table for each group."""

    def each(key: tuple[pa.Scalar, ...], group: pa.Table) -> pa.Table:
        return table([key[0].as_py()], [unit(group["v"].to_pylist())])

    return frame.groupBy("k").applyInArrow(each, KEY_AND_NUMBER)


def groups_in_several_batches(frame: DataFrame, unit: Unit) -> DataFrame:
    """Record batches for each group."""

    def each(
        key: tuple[pa.Scalar, ...], batches: Iterator[pa.RecordBatch]
    ) -> Iterator[pa.RecordBatch]:
        for one in batches:
            yield table([key[0].as_py()], [unit(one["v"].to_pylist())]).to_batches()[0]

    return frame.groupBy("k").applyInArrow(each, KEY_AND_NUMBER)


def sides(frame: DataFrame) -> Any:
    """A frame's groups beside those of a part of it; some groups have one side only."""
    left, right = frame.where("v % 5 != 1"), frame.where("v % 3 = 0").withColumnRenamed("v", "w")
    return left.groupBy("k").cogroup(right.groupBy("k"))


def cogroups_in_pandas(frame: DataFrame, unit: Unit) -> DataFrame:
    """Two frames for each key."""

    def each(key: tuple[Any, ...], left: pd.DataFrame, right: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame(numbers([key[0]], [unit(left["v"].tolist() + right["w"].tolist())]))

    return sides(frame).applyInPandas(each, KEY_AND_NUMBER)


def cogroups_in_arrow(frame: DataFrame, unit: Unit) -> DataFrame:
    """Two tables for each key."""

    def each(key: tuple[pa.Scalar, ...], left: pa.Table, right: pa.Table) -> pa.Table:
        values = left["v"].to_pylist() + right["w"].to_pylist()
        return table([key[0].as_py()], [unit(values)])

    return sides(frame).applyInArrow(each, KEY_AND_NUMBER)


def of_series(unit: Unit) -> Any:
    """An aggregate of a Series."""

    def aggregate(v: pd.Series) -> int:
        return unit(v.tolist())

    return pandas_udf(aggregate, "bigint")


def of_several_series(unit: Unit) -> Any:
    """An aggregate of the Series of a group's batches."""

    def aggregate(several: Iterator[pd.Series]) -> int:
        return sum(unit(v.tolist()) for v in several)

    return pandas_udf(aggregate, "bigint")


def of_array(unit: Unit) -> Any:
    """An aggregate of an Array."""

    def aggregate(v: pa.Array) -> int:
        return unit(v.to_pylist())

    return arrow_udf(aggregate, "bigint")


def of_several_arrays(unit: Unit) -> Any:
    """An aggregate of the Arrays of a group's batches."""

    def aggregate(several: Iterator[pa.Array]) -> int:
        return sum(unit(v.to_pylist()) for v in several)

    return arrow_udf(aggregate, "bigint")


def aggregated(make: Callable[[Unit], Any]) -> Callable[[DataFrame, Unit], DataFrame]:
    """Groups, each to one value."""
    return lambda frame, unit: frame.groupBy("k").agg(make(unit)("v").alias("n"))


def over_groups(make: Callable[[Unit], Any]) -> Callable[[DataFrame, Unit], DataFrame]:
    """Windows of whole groups."""
    window = lambda: Window.partitionBy("k")
    return lambda frame, unit: frame.withColumn("n", make(unit)("v").over(window()))


def over_frames(make: Callable[[Unit], Any]) -> Callable[[DataFrame, Unit], DataFrame]:
    """Windows of some rows of a group."""
    window = lambda: Window.partitionBy("k").orderBy("v").rowsBetween(*FRAME)
    return lambda frame, unit: frame.withColumn("n", make(unit)("v").over(window()))


def parts(function: Any, frame: DataFrame) -> DataFrame:
    """A table function over the parts of a table."""
    frame.sparkSession.udtf.register("of_parts", function)
    frame.createOrReplaceTempView("parted")
    return frame.sparkSession.sql("select * from of_parts(table(parted) partition by k order by v)")


def rows_of_parts(unit: Unit) -> type:
    """A table function that takes a row at a time."""

    class Parts:
        def __init__(self):
            self.seen = []
            self.key = None

        def eval(self, row):
            self.key = row["k"]
            self.seen.append(row["v"])

        def terminate(self):
            if self.seen:  # Spark has no row to join another one with
                yield self.key, unit(self.seen)

    return Parts


def batches_of_parts(unit: Unit) -> type:
    """A table function that takes record batches."""

    class Parts:
        def __init__(self):
            self.seen = []
            self.key = None

        def eval(self, rows: pa.RecordBatch) -> Iterator[pa.Table]:
            self.key = rows["k"][0].as_py()
            self.seen += rows["v"].to_pylist()
            return iter(())

        def terminate(self) -> Iterator[pa.Table]:
            if self.seen:
                yield table([self.key], [unit(self.seen)])

    return Parts


def pickled_parts(frame: DataFrame, unit: Unit) -> DataFrame:
    """In Spark's pickles."""
    return parts(udtf(rows_of_parts(unit), returnType=KEY_AND_NUMBER, useArrow=False), frame)


def parts_in_rows(frame: DataFrame, unit: Unit) -> DataFrame:
    """In Arrow's format, by row."""
    return parts(udtf(rows_of_parts(unit), returnType=KEY_AND_NUMBER, useArrow=True), frame)


def parts_in_batches(frame: DataFrame, unit: Unit) -> DataFrame:
    """In Arrow's format, by batch."""
    return parts(arrow_udtf(batches_of_parts(unit), returnType=KEY_AND_NUMBER), frame)


def processor(unit: Unit, *, pandas: bool) -> type:
    """Counts for each key, from the state it began with if there is one."""

    class Counts(StatefulProcessor):
        def init(self, handle):
            self.total = handle.getValueState("total", "n bigint")

        def add(self, values):
            before = self.total.get()[0] if self.total.exists() else 0
            self.total.update((before + unit(values),))

        def handleInputRows(self, key, rows, timerValues):
            for one in rows:
                self.add(one["v"].tolist() if pandas else [one.v])
            made = {"k": None if pd.isna(key[0]) else key[0], "n": self.total.get()[0]}
            yield pd.DataFrame([made]) if pandas else Row(**made)

        def handleInitialState(self, key, initialState, timerValues):
            self.add(initialState["v"].tolist() if pandas else [initialState.v])

        def close(self):
            pass

    return Counts


def transformed(*, pandas: bool, begun: bool) -> Callable[[DataFrame, Unit], DataFrame]:
    """Groups with a state, which may begin with one."""

    def through(frame, unit):
        groups = frame.groupBy("k")
        states = frame.where("v % 7 = 2").dropDuplicates(["k"]).groupBy("k") if begun else None
        transform = groups.transformWithStateInPandas if pandas else groups.transformWithState
        made = processor(unit, pandas=pandas)()
        return transform(made, KEY_AND_NUMBER, "Append", "None", states)

    return through


def at_a_barrier(kind: str) -> Callable[[DataFrame, Unit], DataFrame]:
    """Whole partitions, whose tasks wait for one another."""

    def frames(several: Iterator[pd.DataFrame], unit: Unit) -> Iterator[pd.DataFrame]:
        for one in several:
            yield pd.DataFrame(numbers([len(one)], [unit(one["v"].tolist())]))

    def batches(several: Iterator[pa.RecordBatch], unit: Unit) -> Iterator[pa.RecordBatch]:
        for one in several:
            yield table([one.num_rows], [unit(one["v"].to_pylist())]).to_batches()[0]

    def through(frame, unit):
        if kind == "pandas":
            return frame.mapInPandas(
                lambda several: frames(several, unit), KEY_AND_NUMBER, barrier=True
            )
        return frame.mapInArrow(
            lambda several: batches(several, unit), KEY_AND_NUMBER, barrier=True
        )

    return through


STATES = tuple(ROCKS.items())
EVERY = (
    Node(201, "`applyInPandas`", "FlatMapGroupsInPandas", groups_in_pandas),
    Node(216, "`applyInPandas` over frames", "FlatMapGroupsInPandas", groups_in_several_frames),
    Node(209, "`applyInArrow`", "FlatMapGroupsInArrow", groups_in_arrow),
    Node(215, "`applyInArrow` over batches", "FlatMapGroupsInArrow", groups_in_several_batches),
    Node(206, "cogrouped `applyInPandas`", "FlatMapCoGroupsInPandas", cogroups_in_pandas),
    Node(210, "cogrouped `applyInArrow`", "FlatMapCoGroupsInArrow", cogroups_in_arrow),
    Node(202, "pandas aggregate", "ArrowAggregatePython", aggregated(of_series)),
    Node(
        217, "pandas aggregate over Series", "ArrowAggregatePython", aggregated(of_several_series)
    ),
    Node(252, "Arrow aggregate", "ArrowAggregatePython", aggregated(of_array)),
    Node(254, "Arrow aggregate over Arrays", "ArrowAggregatePython", aggregated(of_several_arrays)),
    Node(203, "pandas window, whole groups", "ArrowWindowPython", over_groups(of_series)),
    Node(203, "pandas window, frames", "ArrowWindowPython", over_frames(of_series)),
    Node(253, "Arrow window, whole groups", "ArrowWindowPython", over_groups(of_array)),
    Node(253, "Arrow window, frames", "ArrowWindowPython", over_frames(of_array)),
    Node(300, "table function, pickled", "BatchEvalPythonUDTF", pickled_parts),
    Node(301, "table function, Arrow", "ArrowEvalPythonUDTF", parts_in_rows),
    Node(302, "`arrow_udtf`", "ArrowEvalPythonUDTF", parts_in_batches),
    Node(
        211,
        "`transformWithStateInPandas`",
        "TransformWithStateInPySpark",
        transformed(pandas=True, begun=False),
        STATES,
    ),
    Node(
        212,
        "`transformWithStateInPandas`, begun",
        "TransformWithStateInPySpark",
        transformed(pandas=True, begun=True),
        STATES,
    ),
    Node(
        213,
        "`transformWithState`",
        "TransformWithStateInPySpark",
        transformed(pandas=False, begun=False),
        STATES,
    ),
    Node(
        214,
        "`transformWithState`, begun",
        "TransformWithStateInPySpark",
        transformed(pandas=False, begun=True),
        STATES,
    ),
    Node(205, "`mapInPandas` at a barrier", "MapInPandas", at_a_barrier("pandas")),
    Node(207, "`mapInArrow` at a barrier", "MapInArrow", at_a_barrier("arrow")),
)
