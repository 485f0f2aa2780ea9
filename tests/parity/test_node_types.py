"""Values of every type through the kinds of function that no module of their own asks type by type.

The fast tier asks some types, `--slow` all. Kinds that have a case for each type elsewhere are
named in `TYPED` with the module that has them.
"""

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from parity.case import Case
from parity.nodes import ROCKS
from parity.streams import Stream
from pyspark.sql import DataFrame, Window
from pyspark.sql.functions import arrow_udtf
from pyspark.sql.pandas.functions import arrow_udf, pandas_udf
from pyspark.sql.streaming import StatefulProcessor
from pyspark.sql.streaming.state import GroupStateTimeout
from test_types import CONF, TYPES

Build = Callable[[DataFrame], DataFrame]
ONE = {"spark.sql.shuffle.partitions": "1"}
QUICK = ("long", "double", "decimal_38_18", "timestamp", "time", "string", "array_of_struct")
#: Beside one another, none of them refused by any kind; pandas sees each as what it is.
TOGETHER = ("boolean", "double", "decimal_38_18", "date", "timestamp", "time", "string", "binary")


def rows_of(name: str, number: str = "id") -> str:
    """A column of the type, whose values follow one another and end with a null."""
    ddl, values = TYPES[name]
    cases = " ".join(f"WHEN {at} THEN {value}" for at, value in enumerate(values))
    return f"CAST(CASE {number} % {len(values) + 1} {cases} END AS {ddl})"


def typed(spark: Any, name: str) -> DataFrame:
    """Two groups of rows of a type, and a column of nulls."""
    count = 2 * len(TYPES[name][1]) + 2
    frame = spark.range(0, count, 1, 1)
    return frame.selectExpr(
        "id % 2 AS k", f"{rows_of(name)} AS v", f"CAST(NULL AS {TYPES[name][0]}) n"
    )


def frames_of_groups(frame):
    def each(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        yield from frames

    return frame.groupBy("k").applyInPandas(each, frame.schema)


def batches_of_groups(frame):
    def each(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield from batches

    return frame.groupBy("k").applyInArrow(each, frame.schema)


def series_to_values(frame):
    def last(several: Iterator[pd.Series]) -> Any:
        return [value for v in several for value in v][-1]

    return frame.groupBy("k").agg(pandas_udf(last, frame.schema["v"].dataType)("v"))


def arrays_to_values(frame):
    def last(several: Iterator[pa.Array]) -> Any:
        return list(several)[-1][-1].as_py()

    return frame.groupBy("k").agg(arrow_udf(last, frame.schema["v"].dataType)("v"))


def windows_in_pandas(frame):
    def first(v: pd.Series) -> Any:
        return v.iloc[0]

    value = pandas_udf(first, frame.schema["v"].dataType)("v")
    return frame.withColumn("first", value.over(Window.partitionBy("k")))


def windows_in_arrow(frame):
    def first(v: pa.Array) -> Any:
        return v[0].as_py()

    value = arrow_udf(first, frame.schema["v"].dataType)("v")
    return frame.withColumn("first", value.over(Window.partitionBy("k")))


class Same:
    """The rows of its table."""

    def eval(self, rows: pa.RecordBatch) -> Iterator[pa.Table]:
        yield pa.Table.from_batches([rows])


def batches_of_tables(frame):
    spark = frame.sparkSession
    spark.udtf.register("same_rows", arrow_udtf(Same, returnType=frame.schema))
    frame.createOrReplaceTempView("typed")
    return spark.sql("select * from same_rows(table(typed) partition by k)")


class Passes(StatefulProcessor):
    """The rows of each group, as they come."""

    def init(self, handle):
        pass

    def handleInputRows(self, key, rows, timerValues):
        yield from rows

    def handleInitialState(self, key, initialState, timerValues):
        pass

    def close(self):
        pass


def with_state(*, pandas: bool, begun: bool) -> Build:
    def build(frame):
        groups = frame.groupBy("k")
        states = frame.limit(1).groupBy("k") if begun else None
        transform = groups.transformWithStateInPandas if pandas else groups.transformWithState
        return transform(Passes(), frame.schema, "Append", "None", states)

    return build


def at_a_barrier(*, pandas: bool) -> Build:
    def build(frame):
        through = frame.mapInPandas if pandas else frame.mapInArrow
        return through(lambda several: several, frame.schema, barrier=True)

    return build


STATE = "TransformWithStateInPySpark"
BY_TYPE = {
    (216, "`applyInPandas` over frames"): ("FlatMapGroupsInPandas", frames_of_groups),
    (215, "`applyInArrow` over batches"): ("FlatMapGroupsInArrow", batches_of_groups),
    (217, "pandas aggregate over Series"): ("ArrowAggregatePython", series_to_values),
    (254, "Arrow aggregate over Arrays"): ("ArrowAggregatePython", arrays_to_values),
    (203, "pandas window, whole groups"): ("ArrowWindowPython", windows_in_pandas),
    (253, "Arrow window, whole groups"): ("ArrowWindowPython", windows_in_arrow),
    (302, "`arrow_udtf`"): ("ArrowEvalPythonUDTF", batches_of_tables),
    (211, "`transformWithStateInPandas`"): (STATE, with_state(pandas=True, begun=False)),
    (212, "`transformWithStateInPandas`, begun"): (STATE, with_state(pandas=True, begun=True)),
    (213, "`transformWithState`"): (STATE, with_state(pandas=False, begun=False)),
    (214, "`transformWithState`, begun"): (STATE, with_state(pandas=False, begun=True)),
    (205, "`mapInPandas` at a barrier"): ("MapInPandas", at_a_barrier(pandas=True)),
    (207, "`mapInArrow` at a barrier"): ("MapInArrow", at_a_barrier(pandas=False)),
}


# Spark makes no struct of a group in pandas.
CASES = [
    pytest.param(kind, name, marks=[] if name in QUICK else [pytest.mark.slow])
    for kind in BY_TYPE
    for name in TYPES
    if not (kind[0] in {203, 217} and name.startswith("struct"))
]


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_values_of_this_type_are_alike(kind, name, parity_legs):
    node, through = BY_TYPE[kind]
    conf = {**CONF, **ONE, **ROCKS}

    def build(spark):
        return through(typed(spark, name))

    case = Case(f"{name}-{kind[0]}", build, frozenset({node}), conf=conf, ordered=False)
    parity_legs.check_either_way(case)


def keeping(frame: DataFrame) -> DataFrame:
    """`applyInPandasWithState`, which gives the rows of each group as they come."""
    shown = frame.selectExpr("k", *(f"{rows_of(name, 'v')} AS c_{name}" for name in TOGETHER))

    def keep(key, frames: Iterator[pd.DataFrame], state):
        yield from frames
        state.update((1,))

    return shown.groupBy("k").applyInPandasWithState(
        keep, shown.schema, "n long", "append", GroupStateTimeout.NoTimeout
    )


def test_values_of_many_types_through_groups_with_state_are_alike(both):
    at = "2024-01-01 00:00:00"
    files = both.files("typed", [("ab"[n % 2], n, at) for n in range(12)])
    node = frozenset({"FlatMapGroupsInPandasWithState"})
    both.check(Stream("typed", keeping, node, conf={**CONF, **ONE}), files)


#: Where a kind has a case for each type.
ELSEWHERE = {
    (201, "`applyInPandas`"): "test_grouped_map",
    (209, "`applyInArrow`"): "test_grouped_map",
    (206, "cogrouped `applyInPandas`"): "test_cogroups",
    (210, "cogrouped `applyInArrow`"): "test_cogroups",
    (202, "pandas aggregate"): "test_grouped_aggregate",
    (252, "Arrow aggregate"): "test_grouped_aggregate",
    (203, "pandas window, frames"): "test_windows",
    (253, "Arrow window, frames"): "test_windows",
    (300, "table function, pickled"): "test_pickled_table_functions",
    (301, "table function, Arrow"): "test_table_functions",
}
CASES_OF = {
    "test_grouped_map": "test_values_of_this_type_go_through_groups_alike",
    "test_cogroups": "test_values_of_this_type_go_through_cogroups_alike",
    "test_grouped_aggregate": "test_a_value_of_this_type_comes_back_alike",
    "test_windows": "test_a_value_of_this_type_of_a_frame_comes_back_alike",
    "test_pickled_table_functions": "test_every_type_is_pickled_as_with_spark",
    "test_table_functions": "test_every_type_comes_back_as_with_spark",
}
TYPED = {
    **dict.fromkeys(BY_TYPE, "each, `test_node_types`"),
    (208, "`applyInPandasWithState`"): f"{len(TOGETHER)} together, `test_node_types`",
    **{kind: f"each, `{module}`" for kind, module in ELSEWHERE.items()},
}


@pytest.mark.parametrize("module", CASES_OF)
def test_a_module_that_is_named_has_cases_for_each_type(module):
    asked = getattr(importlib.import_module(module), CASES_OF[module])
    assert any(mark.name == "parametrize" for mark in asked.pytestmark)
