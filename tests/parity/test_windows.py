"""Aggregates over windows: those without bounds run embedded, the others stay on Spark's runner."""

from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from parity.case import Case
from pyspark.sql import Window
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import arrow_udf, pandas_udf

from parity import evidence

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


@pytest.mark.parametrize("way", WAYS)
def test_explain_says_that_a_window_with_bounds_stays(way, spark):
    make, total, _, _ = WAYS[way]
    window = Window.partitionBy("k").orderBy("v").rowsBetween(-2, 0)
    frame = numbers(spark, 40, 7).withColumn("a", make(total, "double")("v").over(window))
    text = evidence.explain(frame)
    assert "ArrowWindowPython: on Spark's own runner. KindNotEmbedded" in text
    assert frame.count() == 40
