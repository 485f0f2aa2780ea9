"""A function in every place of a query where Spark lets one stand, over every sort of child."""

import tempfile

import pytest
from parity.case import Case, Then
from parity.kinds import ARROW, PANDAS, ROW
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from parity import kinds

EVAL = frozenset({"ArrowEvalPython"})
NO_AQE = {"spark.sql.adaptive.enabled": "false"}
NO_CODEGEN = {"spark.sql.codegen.wholeStage": "false"}


def seven(kind):
    """A function modulo seven, in the types of a kind."""
    import pyarrow.compute as pc

    def of_array(array):
        return pc.subtract(array, pc.multiply(pc.divide(array, 7), 7))

    return kind.make(of_array if kind is ARROW else (lambda value: value % 7), "bigint")


def numbers(spark, rows=60, partitions=3):
    return spark.range(0, rows, 1, partitions)


def in_a_filter(spark, f):
    return numbers(spark).where(f("id") > 3)


def in_a_join_condition(spark, f):
    left, right = numbers(spark, 12), numbers(spark, 9).withColumnRenamed("id", "other")
    return left.join(right, f("id") == F.col("other"))


def on_one_side_of_a_join(spark, f):
    left = numbers(spark).withColumn("k", f("id"))
    return left.join(numbers(spark, 7).withColumnRenamed("id", "k"), "k")


def in_an_aggregate(spark, f):
    return numbers(spark).groupBy((F.col("id") % 2).alias("g")).agg(F.sum(f("id")).alias("s"))


def as_a_group_key(spark, f):
    return numbers(spark).groupBy(f("id").alias("g")).count()


def over_an_aggregate(spark, f):
    return (
        numbers(spark)
        .groupBy((F.col("id") % 9).alias("g"))
        .count()
        .select("g", f("count").alias("v"))
    )


def in_a_window_order(spark, f):
    over = Window.partitionBy(F.col("id") % 2).orderBy(f("id"), "id")
    return numbers(spark).select("id", F.row_number().over(over).alias("n"))


def in_a_sort(spark, f):
    return numbers(spark).orderBy(f("id").desc(), "id")


def under_a_sort_with_limit(spark, f):
    return numbers(spark).select("id", f("id").alias("v")).orderBy(F.desc("v"), "id").limit(4)


def under_a_union(spark, f):
    return numbers(spark).select(f("id").alias("v")).union(numbers(spark, 5).select(f("id") + 100))


def under_a_repartition(spark, f):
    return numbers(spark).select("id", f("id").alias("v")).repartition(2, "v")


def under_distinct(spark, f):
    return numbers(spark).select(f("id").alias("v")).distinct()


def under_generate(spark, f):
    return numbers(spark, 8).select(
        "id", F.explode(F.sequence(F.lit(0).cast("bigint"), f("id"))).alias("v")
    )


def in_a_scalar_subquery(spark, f):
    numbers(spark).select(f("id").alias("v")).createOrReplaceTempView("parity_sub")
    return spark.sql("SELECT id, (SELECT max(v) FROM parity_sub) AS m FROM range(4)")


def in_a_case_when(spark, f):
    return numbers(spark).select("id", F.when(F.col("id") > 30, f("id")).otherwise(-1).alias("v"))


def on_expressions(spark, f):
    return numbers(spark).select(f(F.abs(F.col("id") - 30) * 3).alias("v"))


def under_coalesce(spark, f):
    return numbers(spark).select("id", f("id").alias("v")).coalesce(1)


UNORDERED = {in_a_join_condition, on_one_side_of_a_join, in_an_aggregate, as_a_group_key}
UNORDERED |= {over_an_aggregate, under_a_repartition, under_distinct, in_a_window_order}
PLACES = [
    in_a_filter,
    in_a_join_condition,
    on_one_side_of_a_join,
    in_an_aggregate,
    as_a_group_key,
    over_an_aggregate,
    in_a_window_order,
    in_a_sort,
    under_a_sort_with_limit,
    under_a_union,
    under_a_repartition,
    under_distinct,
    under_generate,
    in_a_scalar_subquery,
    in_a_case_when,
    on_expressions,
    under_coalesce,
]


def place(where, kind, conf_name="", conf=None):
    def build(spark):
        return where(spark, seven(kind))

    name = f"{where.__name__}-{kind.name}{conf_name}"
    return Case(name, build, EVAL, conf=conf or {}, ordered=where not in UNORDERED)


def saved(spark, rows=9000, files=1):
    folder = tempfile.mkdtemp(prefix="parity-") + "/t"
    wide = spark.range(0, rows, 1, files).select(
        "id", F.col("id").cast("string").alias("s"), (F.col("id") / 3).alias("d")
    )
    wide.write.parquet(folder)
    return spark.read.parquet(folder)


def cached(spark, rows=9000):
    frame = (
        spark.range(0, rows, 1, 1)
        .select("id", F.col("id").cast("string").alias("s"), (F.col("id") / 3).alias("d"))
        .cache()
    )
    frame.count()
    return frame


def batch_lengths(kind):
    import pandas as pd
    import pyarrow as pa

    if kind is ROW:
        return kind.make(lambda value: value, "bigint")
    if kind is PANDAS:
        return kind.make(lambda series: pd.Series([len(series)] * len(series)), "bigint")
    return kind.make(lambda array: pa.array([len(array)] * len(array), pa.int64()), "bigint")


def over_columns(child, kind, argument, conf_name="", conf=None):
    """A columnar child: the function sees batches of 4096, and Spark's limits do not count."""

    def build(spark):
        frame = child(spark)
        value = F.col("id") if argument == "column" else F.col("id") * 2 + 1
        return frame.select("id", "s", "d", batch_lengths(kind)(value).alias("n"))

    name = f"{child.__name__}_{argument}-{kind.name}{conf_name}"
    return Case(name, build, EVAL, conf=conf or {})


def mapped_over(child, kind):
    def build(spark):
        return kind.through(child(spark), kinds.same, None)

    return Case(f"{child.__name__}-{kind.name}", build, frozenset({kind.node}))


def in_what_is_cached(spark):
    frame = numbers(spark).select("id", seven(PANDAS)("id").alias("v")).cache()
    return Then(frame.select("v"), lambda: None)


def two_functions_over_columns(spark):
    inner = saved(spark).select("id", "s", seven(PANDAS)("id").alias("v"))
    return inner.select("s", seven(ARROW)("v").alias("w"))


def file_names(kind, several):
    """Partitions of one file, or of several: then Spark's worker has read on; how far varies."""

    def build(spark):
        frame = saved(spark, rows=60, files=4)
        name = F.element_at(
            F.split(
                F.regexp_replace(
                    F.input_file_name(), "-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", ""
                ),
                "/",
            ),
            -1,
        )
        if kind.map is not None:
            return kind.through(frame, kinds.same, None).select("id", name.alias("file"))
        return frame.select("id", seven(kind)("id").alias("v"), name.alias("file"))

    conf = {
        "spark.sql.files.openCostInBytes": "1" if several else "100000",
        "spark.sql.files.maxPartitionBytes": "100000",
    }
    name = "input_file_names" if several else "input_file_name"
    return Case(f"{name}-{kind.name}", build, frozenset({kind.node}), conf=conf)


CASES = [
    *(place(where, kind) for where in PLACES for kind in (ROW, ARROW)),
    *(place(where, PANDAS, "-no_aqe", NO_AQE) for where in PLACES),
    *(place(where, ROW, "-no_codegen", NO_CODEGEN) for where in PLACES[:6]),
    *(
        over_columns(child, kind, argument)
        for child in (saved, cached)
        for kind in (ROW, PANDAS, ARROW)
        for argument in ("column", "expression")
    ),
    over_columns(
        saved,
        PANDAS,
        "column",
        "-small_batches",
        {"spark.sql.execution.arrow.maxRecordsPerBatch": "1000"},
    ),
    over_columns(
        saved,
        PANDAS,
        "column",
        "-rows",
        {"spark.sql.execution.arrow.pythonUDF.columnarInput.enabled": "false"},
    ),
    over_columns(
        saved,
        PANDAS,
        "column",
        "-no_vectors",
        {"spark.sql.parquet.enableVectorizedReader": "false"},
    ),
    over_columns(saved, PANDAS, "column", "-no_codegen", NO_CODEGEN),
    *(
        mapped_over(child, kind)
        for child in (saved, cached)
        for kind in (kinds.MAP_IN_PANDAS, kinds.MAP_IN_ARROW)
    ),
    Case("in_what_is_cached", in_what_is_cached, EVAL),
    Case("two_functions_over_columns", two_functions_over_columns, EVAL),
    *(
        file_names(kind, several)
        for kind in (ROW, PANDAS, ARROW, kinds.MAP_IN_PANDAS, kinds.MAP_IN_ARROW)
        for several in (False, True)
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_function_may_stand_in_this_place(case, parity_legs):
    parity_legs.check(case)
