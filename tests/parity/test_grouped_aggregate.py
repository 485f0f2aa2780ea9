"""Functions that make one value of a group: pandas and Arrow, over columns and over iterators."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from parity.case import Case
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import arrow_udf, pandas_udf
from test_types import CONF, TYPES

from parity import witness

NODE = frozenset({"ArrowAggregatePython"})
ADAPTIVE = "spark.sql.adaptive.enabled"
BYTES = "spark.sql.execution.arrow.maxBytesPerBatch"
RECORDS = "spark.sql.execution.arrow.maxRecordsPerBatch"


@dataclass(frozen=True)
class Way:
    """A way to make an aggregate of a function of one column."""

    name: str
    make: Callable[[Any, str], Any]


def of_series(function, ddl):
    def aggregate(column: pd.Series) -> Any:
        return function(column)

    return pandas_udf(aggregate, ddl)


def of_array(function, ddl):
    def aggregate(column: pa.Array) -> Any:
        return function(column)

    return arrow_udf(aggregate, ddl)


def of_several_series(function, ddl):
    def aggregate(columns: Iterator[pd.Series]) -> Any:
        return function(pd.concat(list(columns)))

    return pandas_udf(aggregate, ddl)


def of_several_arrays(function, ddl):
    def aggregate(columns: Iterator[pa.Array]) -> Any:
        return function(pa.concat_arrays(list(columns)))

    return arrow_udf(aggregate, ddl)


PANDAS = Way("pandas", of_series)
ARROW = Way("arrow", of_array)
WAYS = (
    PANDAS,
    ARROW,
    Way("pandas_iterator", of_several_series),
    Way("arrow_iterator", of_several_arrays),
)


def first(column):
    """The first value, as it comes."""
    return column.iloc[0] if isinstance(column, pd.Series) else column[0].as_py()


def total(column):
    return int(column.sum()) if isinstance(column, pd.Series) else pc.sum(column).as_py()


def numbers(spark, rows, groups, partitions=2):
    """Rows of a key, of which some are null, and two numbers."""
    key = F.expr(f"if(id % 11 = 3, null, id % {groups})").alias("k")
    return spark.range(0, rows, 1, partitions).select(
        key, F.col("id").alias("v"), (F.col("id") * 7 % 5).alias("w")
    )


def of_type(way: Way, name: str) -> Case:
    """The first value of each group; the first group's is no null."""
    ddl, values = TYPES[name]
    rows = ", ".join(f"({index}, {value})" for index, value in enumerate([*values, "NULL"]))
    query = f"SELECT id, CAST(v AS {ddl}) v FROM VALUES {rows} AS t(id, v)"

    def build(spark):
        frame = spark.sql(query)
        return frame.groupBy("id").agg(way.make(first, frame.schema["v"].dataType)("v"))

    return Case(f"{name}-{way.name}", build, NODE, conf={**CONF, ONE: "1"})


ONE = "spark.sql.shuffle.partitions"
# Spark makes no struct of a group in pandas.
KINDS = [
    (way, name)
    for way in (PANDAS, ARROW)
    for name in TYPES
    if not (way is PANDAS and name.startswith("struct"))
]


@pytest.mark.parametrize("case", [of_type(*kind) for kind in KINDS], ids=lambda c: c.name)
def test_a_value_of_this_type_comes_back_alike(case, parity_legs):
    parity_legs.check_either_way(case)


def aggregated(name, way, build_frame, keys=("k",), conf=None):
    def build(spark):
        expressions = [F.expr(key) for key in keys]
        return build_frame(spark).groupBy(*expressions).agg(way.make(total, "bigint")("v"))

    return Case(f"{name}-{way.name}", build, NODE, conf=conf or {})


def skewed(spark):
    key = F.expr("if(id % 1000 = 0, id, 7)").alias("k")
    return spark.range(0, 30_000, 1, 2).select(key, F.col("id").alias("v"))


def forms(way):
    yield aggregated("few_rows", way, lambda spark: numbers(spark, 100, 7))
    yield aggregated("many_groups", way, lambda spark: numbers(spark, 11_000, 2_000))
    yield aggregated("skewed", way, skewed)
    yield aggregated("empty_partitions", way, lambda spark: numbers(spark, 3, 1), conf={ONE: "5"})
    yield aggregated("several_keys", way, lambda s: numbers(s, 99, 7), ("k", "w", "v % 2 = 0"))
    yield aggregated("text_key", way, lambda s: numbers(s, 99, 7), ("repeat('k', cast(k as int))",))
    yield aggregated("computed_key", way, lambda spark: numbers(spark, 99, 7), ("v % 3",))
    yield aggregated("ungrouped", way, lambda spark: numbers(spark, 100, 7), ())
    yield aggregated("3_records", way, lambda spark: numbers(spark, 200, 7), conf={RECORDS: "3"})
    yield aggregated("60_bytes", way, lambda spark: numbers(spark, 200, 7), conf={BYTES: "60"})
    yield aggregated("without_adaption", way, skewed, conf={ADAPTIVE: "false"})


@pytest.mark.parametrize("case", [c for way in WAYS for c in forms(way)], ids=lambda c: c.name)
def test_aggregates_over_groups_of_this_form_are_alike(case, parity_legs):
    parity_legs.check(case)


@pytest.mark.parametrize("way", [PANDAS, ARROW], ids=lambda way: way.name)
def test_no_rows_are_no_groups(way, parity_legs):
    conf = {ADAPTIVE: "false"}  # which would leave the aggregation out
    case = aggregated("no_rows", way, lambda spark: numbers(spark, 0, 1), conf=conf)
    parity_legs.check(Case(case.name, case.build, NODE, conf=conf, sessions=False))


def several(way):
    """Some functions in one aggregation, with expressions about them and beside them."""

    def build(spark):
        add, take = way.make(total, "bigint"), way.make(first, "string")
        return (
            numbers(spark, 100, 7)
            .groupBy("k", F.col("w").alias("x"))
            .agg(
                add("v").alias("a"),
                (add(F.col("v") + 1) * 2 + F.col("x")).alias("b"),
                take(F.concat(F.lit("t"), F.col("v").cast("string"))).alias("c"),
                F.col("k").alias("d"),
            )
            .where("a > 3 or a is null")
        )

    return Case(f"several-{way.name}", build, NODE)


def by_name(way):
    def build(spark):
        if way is PANDAS:

            def weigh(v: pd.Series, w: pd.Series) -> int:
                return int((v * w).sum())

            weighed = pandas_udf(weigh, "bigint")
        else:

            def weigh(v: pa.Array, w: pa.Array) -> int:
                return pc.sum(pc.multiply(v, w)).as_py()

            weighed = arrow_udf(weigh, "bigint")
        grouped = numbers(spark, 100, 7).groupBy("k")
        return grouped.agg(weighed("v", w=F.col("w")), weighed(w=F.col("v"), v=F.col("w")))

    return Case(f"by_name-{way.name}", build, NODE)


def in_sessions(way):
    """Sessions of a stream's rows, merged before the function sees them."""

    def build(spark):
        frame = numbers(spark, 60, 3).withColumn("t", F.expr("timestamp_seconds(v * v % 97)"))
        grouped = frame.groupBy("k", F.session_window("t", "5 seconds").alias("s"))
        return grouped.agg(way.make(total, "bigint")("v"))

    return Case(f"in_sessions-{way.name}", build, NODE)


def shared(name, change):
    """Two functions of one column, of which the first changes it in place."""

    def build(spark):
        def changed(v: pd.Series) -> str:
            change(v)
            return str(v.tolist())

        def seen(v: pd.Series) -> str:
            return f"{v.name} {v.index.tolist()} {v.tolist()}"

        one, other = pandas_udf(changed, "string"), pandas_udf(seen, "string")
        return numbers(spark, 60, 7).groupBy("k").agg(one("v").alias("a"), other("v").alias("b"))

    return Case(f"shared-{name}", build, NODE, conf={ONE: "1"})


SHARED = {
    "sorted": lambda v: v.sort_values(ascending=False, inplace=True),  # noqa: PD002
    "dropped": lambda v: v.drop(v.index[0], inplace=True),  # noqa: PD002
    "renamed": lambda v: v.rename("other", inplace=True),  # noqa: PD002
}


@pytest.mark.parametrize("name", SHARED)
def test_what_a_function_does_to_a_column_the_next_one_sees(name, parity_legs):
    parity_legs.check(shared(name, SHARED[name]))


SHAPES = [make(way) for way in (PANDAS, ARROW) for make in (several, by_name, in_sessions)]


@pytest.mark.parametrize("case", SHAPES, ids=lambda case: case.name)
def test_an_aggregation_of_this_shape_is_alike(case, parity_legs):
    parity_legs.check(case)


def raises(column):
    raise ValueError("no luck with this group")


def many(column):
    return [1, 2]


def text(column):
    return "text"


def failing(way, function, conf=None):
    def build(spark):
        sign = witness.signer()

        def signed(column):
            sign()
            return function(column)

        return numbers(spark, 40, 7).groupBy("k").agg(way.make(signed, "bigint")("v"))

    name = f"{function.__name__}{'_whole' if conf else ''}-{way.name}"
    return Case(name, build, NODE, conf={ONE: "1", **(conf or {})}, fails=True)


WHOLE = {"spark.sql.execution.pyspark.udf.simplifiedTraceback.enabled": "false"}
FAILING = [
    *(failing(way, function) for way in WAYS for function in (raises, many, text)),
    *(failing(way, raises, WHOLE) for way in WAYS),
]


@pytest.mark.parametrize("case", FAILING, ids=lambda case: case.name)
def test_an_error_of_an_aggregate_is_sparks(case, parity_legs):
    parity_legs.check_either_way(case)
