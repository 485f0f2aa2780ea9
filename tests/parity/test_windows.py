"""Aggregates over windows: of whole groups, and of frames with bounds."""

from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from parity.case import Case
from pyspark.sql import Window
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import arrow_udf, pandas_udf
from test_types import CONF, TYPES

NODE = frozenset({"ArrowWindowPython"})
ADAPTIVE = "spark.sql.adaptive.enabled"
RECORDS = "spark.sql.execution.arrow.maxRecordsPerBatch"
ONE = "spark.sql.shuffle.partitions"


def total_of_series(v: pd.Series) -> float:
    return float(v.sum())


def total_of_array(v: pa.Array) -> float:
    return float(pc.sum(v).as_py() or 0)


def text_of_series(v: pd.Series) -> str:
    return f"{len(v)} {v.iloc[0]}"


def text_of_array(v: pa.Array) -> str:
    return f"{len(v)} {v[0]}"


def raises_for_series(v: pd.Series) -> float:
    raise ValueError("no luck with this group")


def raises_for_array(v: pa.Array) -> float:
    raise ValueError("no luck with this group")


WAYS = {
    "pandas": (pandas_udf, total_of_series, text_of_series, raises_for_series),
    "arrow": (arrow_udf, total_of_array, text_of_array, raises_for_array),
}


def numbers(spark, rows, groups):
    """Rows of a key, of which some are null, a number, and a text."""
    key = F.expr(f"if(id % 11 = 3, null, id % {groups})").alias("k")
    text = F.expr("if(id % 5 = 2, null, repeat('x', cast(id % 9 as int)))").alias("t")
    return spark.range(0, rows, 1, 2).select(key, F.col("id").alias("v"), text)


def over(name, way, rows, groups, conf=None):
    make, total, text, _ = WAYS[way]

    def build(spark):
        window = Window.partitionBy("k")
        frame = numbers(spark, rows, groups)
        return frame.select(
            "*",
            make(total, "double")("v").over(window).alias("a"),
            (make(total, "double")(F.col("v") * 2).over(window) + F.col("v")).alias("b"),
            make(text, "string")("v").over(window).alias("c"),
        )

    return Case(f"{name}-{way}", build, NODE, conf=conf or {}, ordered=False)


def ordered(way):
    """All rows of a group in order, seen from each of them."""
    make, _, text, _ = WAYS[way]

    def build(spark):
        window = Window.partitionBy("k").orderBy(F.desc("v"))
        whole = window.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
        return numbers(spark, 99, 7).withColumn("c", make(text, "string")("v").over(whole))

    return Case(f"ordered-{way}", build, NODE)


def forms(way: str) -> Any:
    yield over("few_rows", way, 100, 7)
    yield over("many_groups", way, 20_000, 4_000)
    yield over("one_group", way, 25_000, 1)
    yield over("no_rows", way, 0, 1, {ADAPTIVE: "false"})
    yield over("empty_partitions", way, 3, 1, {ONE: "5"})
    yield over("3_records", way, 200, 7, {RECORDS: "3"})
    yield over("without_adaption", way, 300, 9, {ADAPTIVE: "false"})
    yield ordered(way)


@pytest.mark.parametrize(
    "case", [case for way in WAYS for case in forms(way)], ids=lambda c: c.name
)
def test_windows_without_bounds_are_alike(case, parity_legs):
    parity_legs.check(case)


@pytest.mark.parametrize("way", WAYS)
def test_an_error_of_a_window_is_sparks(way, parity_legs):
    make, _, _, raises = WAYS[way]

    def build(spark):
        window = Window.partitionBy("k")
        return numbers(spark, 40, 7).withColumn("a", make(raises, "double")("v").over(window))

    parity_legs.check(Case(f"raises-{way}", build, NODE, conf={ONE: "1"}, fails=True))


def begins(way):
    """A value that tells how long a frame is, and what it begins with."""
    make, *_ = WAYS[way]
    if way == "pandas":

        def frame(v: pd.Series) -> str:
            return f"{len(v)} {v.tolist()[:3]}"

    else:

        def frame(v: pa.Array) -> str:
            return f"{len(v)} {v.to_pylist()[:3]}"

    return make(frame, "string")


def in_order():
    return Window.partitionBy("k").orderBy("v")


FRAMES = {
    "growing": lambda: in_order().rowsBetween(Window.unboundedPreceding, 0),
    "shrinking": lambda: in_order().rowsBetween(0, Window.unboundedFollowing),
    "sliding": lambda: in_order().rowsBetween(-3, 2),
    "ahead": lambda: in_order().rowsBetween(1, 4),
    "behind": lambda: in_order().rowsBetween(-4, -2),
    "default": in_order,
    "range": lambda: in_order().rangeBetween(-15, 7),
    "range_of_peers": lambda: Window.partitionBy("k").orderBy("t"),
    "descending": lambda: Window.partitionBy("k").orderBy(F.desc("v")).rangeBetween(-9, 0),
    "ungrouped": lambda: Window.orderBy("v").rowsBetween(-1, 1),
}


def framed(name, way, rows=100, groups=7, conf=None):
    def build(spark):
        return numbers(spark, rows, groups).withColumn("a", begins(way)("v").over(FRAMES[name]()))

    form = f"{rows}{'_' + '_'.join(conf) if conf else ''}"
    return Case(f"{name}-{form}-{way}", build, NODE, conf=conf or {}, ordered=False)


def sizes(way):
    yield framed("sliding", way, 20_000, 4_000)
    yield framed("sliding", way, 12_000, 1)
    yield framed("growing", way, 3, 1, {ONE: "5"})
    yield framed("range", way, 200, 7, {RECORDS: "3"})
    yield framed("ahead", way, 200, 7, {"spark.sql.execution.arrow.maxBytesPerBatch": "90"})
    yield framed("shrinking", way, 300, 9, {ADAPTIVE: "false"})
    yield framed("sliding", way, 3_000, 2, {SPILL: "10"})


SPILL = "spark.sql.windowExec.buffer.spill.threshold"


@pytest.mark.parametrize(
    "case",
    [framed(name, way) for way in WAYS for name in FRAMES] + [c for w in WAYS for c in sizes(w)],
    ids=lambda case: case.name,
)
def test_frames_with_bounds_are_alike(case, parity_legs):
    parity_legs.check(case)


def several(way):
    """Frames with bounds and without in one node, and several functions over one of them."""
    make, total, text, _ = WAYS[way]

    def build(spark):
        first, add, take = begins(way), make(total, "double"), make(text, "string")
        return numbers(spark, 99, 7).select(
            "v",
            first("v").over(FRAMES["sliding"]()).alias("a"),
            take("v").over(Window.partitionBy("k")).alias("b"),
            (add(F.col("v") * 2).over(FRAMES["growing"]()) + F.col("v")).alias("c"),
            first(F.col("v") + 1).over(FRAMES["sliding"]()).alias("d"),
            add("v").over(FRAMES["range"]()).alias("e"),
        )

    return Case(f"several-{way}", build, NODE, ordered=False)


def by_name(way):
    make, *_ = WAYS[way]
    if way == "pandas":

        def weigh(v: pd.Series, w: pd.Series) -> float:
            return float((v * w).sum())

    else:

        def weigh(v: pa.Array, w: pa.Array) -> float:
            return float(pc.sum(pc.multiply(v, w)).as_py())

    def build(spark):
        weighed = make(weigh, "double")("v", w=F.col("v") + 1)
        return numbers(spark, 60, 5).withColumn("a", weighed.over(FRAMES["sliding"]()))

    return Case(f"by_name-{way}", build, NODE, ordered=False)


@pytest.mark.parametrize(
    "case", [make(way) for way in WAYS for make in (several, by_name)], ids=lambda case: case.name
)
def test_a_node_of_several_frames_is_alike(case, parity_legs):
    parity_legs.check(case)


def of_type(way, name):
    """The last value of a frame, of a type."""
    make, *_ = WAYS[way]
    ddl, values = TYPES[name]
    rows = ", ".join(f"({index}, {value})" for index, value in enumerate([*values, "NULL"]))
    query = f"SELECT id, CAST(v AS {ddl}) v FROM VALUES {rows} AS t(id, v)"
    if way == "pandas":

        def last(v: pd.Series) -> Any:
            return v.iloc[-1]

    else:

        def last(v: pa.Array) -> Any:
            return v[-1].as_py()

    def build(spark):
        frame = spark.sql(query)
        window = Window.orderBy("id").rowsBetween(-1, 0)
        return frame.withColumn("a", make(last, frame.schema["v"].dataType)("v").over(window))

    return Case(f"{name}-{way}", build, NODE, conf=CONF)


# Spark makes no struct of a group in pandas.
OF_TYPE = [
    of_type(way, name)
    for way in WAYS
    for name in TYPES
    if not (way == "pandas" and name.startswith("struct"))
]


@pytest.mark.parametrize("case", OF_TYPE, ids=lambda case: case.name)
def test_a_value_of_this_type_of_a_frame_comes_back_alike(case, parity_legs):
    parity_legs.check_either_way(case)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("simplified", ["true", "false"])
def test_an_error_of_a_frame_is_sparks(way, simplified, parity_legs):
    make, _, _, raises = WAYS[way]

    def build(spark):
        value = make(raises, "double")("v").over(FRAMES["sliding"]())
        return numbers(spark, 40, 7).withColumn("a", value)

    conf = {ONE: "1", "spark.sql.execution.pyspark.udf.simplifiedTraceback.enabled": simplified}
    parity_legs.check(Case(f"raises-{way}", build, NODE, conf=conf, fails=True))
