"""Scalar functions over one another, over maps and below them: columns stay columns between them.

Each case also asks the plan of its first leg whether the function above read columns: its rows come
from a range, so no other columns are there.
"""

import itertools

import pandas as pd
import pyarrow as pa
import pytest
from parity.case import Case
from parity.kinds import (
    ARROW,
    ARROW_ITERATOR,
    MAP_IN_ARROW,
    MAP_IN_PANDAS,
    PANDAS,
    PANDAS_ITERATOR,
    ROW,
    SCALAR,
    same,
)
from pyspark.sql import functions as F
from pyspark.sql.functions import arrow_udf, pandas_udf
from pyspark.sql.types import IntegerType
from test_chains import TENS, in_parts, named, nodes
from test_columnar import BYTES, of_columns, of_rows, typed

ITERATORS = (PANDAS_ITERATOR, ARROW_ITERATOR)
MAPS = (MAP_IN_PANDAS, MAP_IN_ARROW)
PAIRS = [
    (ROW, ARROW),
    (PANDAS, ARROW),
    (ARROW, PANDAS),
    (PANDAS_ITERATOR, ROW),
    (ARROW_ITERATOR, PANDAS),
    *itertools.product(MAPS, (ROW, PANDAS)),
    (PANDAS, MAP_IN_ARROW),
    (ARROW, MAP_IN_PANDAS),
]
# Of one kind, Spark makes a single function of both; maps over maps are in `test_chains`.
OTHER_PAIRS = [
    pytest.param(pair, marks=pytest.mark.slow)
    for pair in itertools.product((*SCALAR, *MAPS), (ROW, PANDAS, ARROW, *MAPS))
    if pair not in PAIRS and pair[0] is not pair[1] and not {*pair} <= {*MAPS}
]


def each_column(frame, kind):
    """Every column through a function of its own, and one that is left as it is."""
    through = [kind.make(same, of.dataType)(of.name).alias(of.name) for of in frame.schema]
    return frame.select(F.col("id").alias("beside"), *through)


@pytest.mark.parametrize("nulls", [True, False], ids=["nulls", "no_nulls"])
@pytest.mark.parametrize("pair", [*PAIRS, *OTHER_PAIRS], ids=named)
def test_every_type_goes_from_function_to_function(pair, nulls, parity_legs):
    # Over iterators, Spark starts a worker for every column of a partition.
    partitions = 1 if {*pair} & {*ITERATORS} else 2

    def build(spark):
        frame = typed(spark, 60, partitions, nulls=nulls)
        for kind in pair:
            frame = each_column(frame, kind) if kind.make else kind.map(frame, same, frame.schema)
        return frame

    parity_legs.check(Case(named(pair), build, nodes(*pair), conf=TENS, act=of_columns))


@pandas_udf(IntegerType())
def series_of(values: pd.Series) -> pd.Series:
    """How many values came at once."""
    return pd.Series([len(values)] * len(values))


@arrow_udf(IntegerType())
def array_of(values: pa.Array) -> pa.Array:
    """How many values came at once."""
    return pa.array([len(values)] * len(values), pa.int32())


@pytest.mark.parametrize("sizes", [(7,), (1, 0, 23, 4), (400,)], ids=str)
def test_a_function_over_a_map_sees_batches_cut_as_spark_cuts_rows(sizes, parity_legs):
    def build(spark):
        frame = spark.range(0, 123, 1, 3)
        return frame.mapInArrow(in_parts(sizes), frame.schema).select("id", series_of("id"))

    cases = nodes(MAP_IN_ARROW, PANDAS)
    parity_legs.check(Case(str(sizes), build, cases, conf=TENS, act=of_columns))


@pytest.mark.parametrize("limit", [1, 200, 1000])
def test_bytes_are_counted_of_arguments_alone(limit, parity_legs):
    def build(spark):
        text = F.expr("if(id % 5 = 0, null, repeat('ü☃', cast(id * 7 % 30 as int)))")
        frame = spark.range(0, 123, 1, 2).select("id", text.alias("t"), F.lit("x" * 90).alias("u"))
        below = frame.mapInArrow(in_parts((7, 30)), frame.schema)
        return below.select("id", series_of("t"), series_of("u"))

    cases = nodes(MAP_IN_ARROW, PANDAS)
    conf = {BYTES: str(limit)}
    parity_legs.check(Case(f"{limit}_bytes", build, cases, conf=conf, act=of_columns))


def test_a_function_over_another_sees_the_batches_of_rows(parity_legs):
    def build(spark):
        return spark.range(0, 123, 1, 3).select("id", array_of(series_of("id")).alias("seen"))

    parity_legs.check(Case("batches", build, nodes(PANDAS, ARROW), conf=TENS, act=of_columns))


def left_out(frame):
    return frame.select("t")


def reordered(frame):
    return frame.select("t", F.col("id").alias("again"), "id")


BETWEEN = {"left_out": left_out, "reordered": reordered}


@pytest.mark.parametrize("name", BETWEEN)
@pytest.mark.parametrize("codegen", ["true", "false"])
def test_columns_that_nobody_wants_are_not_made(name, codegen, parity_legs):
    def build(spark):
        words = F.expr("array(id)").alias("words")
        frame = spark.range(0, 50, 1, 2).select("id", words, F.lit("x").alias("more"))
        below = BETWEEN[name](frame.select("*", PANDAS.make(same, "bigint")("id").alias("t")))
        return MAP_IN_ARROW.map(below, same, below.schema)

    conf = {**TENS, "spark.sql.codegen.wholeStage": codegen}
    cases = nodes(PANDAS, MAP_IN_ARROW)
    parity_legs.check(Case(name, build, cases, conf=conf, act=of_columns))


@pytest.mark.parametrize("upper", ITERATORS, ids=lambda kind: kind.name)
def test_functions_over_iterators_take_rows(upper, parity_legs):
    def build(spark):
        frame = spark.range(0, 50, 1, 2).mapInArrow(in_parts((7,)), "id bigint")
        return frame.select("id", upper.make(same, "bigint")("id").alias("v"))

    parity_legs.check(Case(upper.name, build, nodes(MAP_IN_ARROW, upper), conf=TENS, act=of_rows))


def test_arguments_that_are_computed_take_rows(parity_legs):
    def build(spark):
        frame = spark.range(0, 50, 1, 2).mapInArrow(in_parts((7,)), "id bigint")
        return frame.select("id", PANDAS.make(same, "bigint")(F.col("id") * 2).alias("v"))

    cases = nodes(MAP_IN_ARROW, PANDAS)
    parity_legs.check(Case("computed", build, cases, conf=TENS, act=of_rows))


def test_arguments_of_the_lower_function_may_be_computed(parity_legs):
    def build(spark):
        lower = PANDAS.make(same, "bigint")(F.col("id") * 2)
        return spark.range(0, 50, 1, 2).select("id", ARROW.make(same, "bigint")(lower).alias("v"))

    parity_legs.check(Case("computed", build, nodes(PANDAS, ARROW), conf=TENS, act=of_columns))


def failing(at):
    """A unit that fails where it meets a number."""

    def fails(values):
        if at in values.to_pylist():
            raise ValueError("met", at)
        return values

    return fails


def shorter(values):
    return values.slice(1)


@pytest.mark.parametrize("where", ["lower", "upper"])
@pytest.mark.parametrize("wrong", [failing(34), shorter], ids=["fails", "shorter"])
def test_an_error_in_either_function_is_the_one_of_spark(where, wrong, parity_legs):
    def build(spark):
        units = (wrong, same) if where == "lower" else (same, wrong)
        lower = ARROW.make(units[0], "bigint")("id")
        frame = spark.range(0, 50, 1, 1).select("id", ROW.make(same, "bigint")(lower).alias("v"))
        return frame.select("id", ARROW.make(units[1], "bigint")("v").alias("v"))

    parity_legs.check(Case(where, build, nodes(ROW, ARROW), conf=TENS, fails=True))


def test_a_long_chain_of_all_sorts(parity_legs):
    def build(spark):
        frame = spark.range(0, 90, 1, 4).where("id not between 20 and 50")
        frame = frame.mapInArrow(in_parts((7,)), "id bigint")
        frame = frame.select("id", ARROW.make(same, "bigint")("id").alias("a"))
        frame = frame.select("a", PANDAS.make(same, "bigint")("a").alias("b"), "id")
        frame = frame.mapInPandas(lambda frames: frames, frame.schema)
        frame = frame.select("b", ROW.make(lambda v: v + 1, "bigint")("id").alias("c"))
        return MAP_IN_ARROW.map(frame, same, frame.schema).select("c", series_of("b"))

    cases = nodes(MAP_IN_ARROW, ARROW, MAP_IN_PANDAS)
    parity_legs.check(Case("long", build, cases, conf=TENS, act=of_columns))
