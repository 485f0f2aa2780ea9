"""Columns that a query wants in another order above a function, or not at all."""

import pytest
from parity.case import Case
from parity.kinds import ARROW, PANDAS, ROW, SCALAR, Kind, same
from pyspark.sql import functions as F

EVAL = frozenset({"ArrowEvalPython"})
THREE_RECORDS = {"spark.sql.execution.arrow.maxRecordsPerBatch": "3"}
COLUMNS = "spark.sql.execution.arrow.pythonUDF.columnarInput.enabled"


def table(spark):
    """Numbers, text, decimals and nested values, with nulls in all but the first.

    The optimizer puts no projection through what makes fewer partitions.
    """
    null = F.col("id") % 4 == 3
    made = spark.range(0, 30, 1, 4).select(
        "id",
        F.when(~null, F.concat(F.lit("text "), F.col("id").cast("string"))).alias("s"),
        F.expr("if(id % 5 = 1, null, cast(id as decimal(30, 5)))").alias("d"),
        F.expr("if(id % 6 = 1, null, transform(sequence(0, id % 3), k -> struct(k, 'x')))").alias(
            "a"
        ),
        F.expr("if(id % 7 = 1, null, id % 2 = 0)").alias("b"),
    )
    return made.coalesce(2)


def choosing(name, kind: Kind, choose, conf=None):
    def build(spark):
        return choose(table(spark), kind)

    conf = THREE_RECORDS if conf is None else conf
    return Case(f"{name}-{kind.name}", build, EVAL, conf=conf)


def result_alone(frame, kind):
    return frame.select(kind.make(same, "string")("s").alias("r"))


def beside_others(frame, kind):
    return frame.select("id", "a", kind.make(same, "string")("s").alias("r"))


def in_another_order(frame, kind):
    """The optimizer reads the columns in the table's order; the query wants them in another."""
    return frame.select("b", "d", "id", kind.make(same, "string")("s"))


def more_than_once(frame, kind):
    result = kind.make(same, "bigint")("id")
    return frame.select("d", F.col("d").alias("again"), "a", result.alias("r"))


def two_results(frame, kind):
    text, truth = kind.make(same, "string")("s"), kind.make(same, "boolean")("b")
    return frame.select("d", text.alias("t"), truth.alias("b"))


def result_first(frame, kind):
    return frame.select(kind.make(same, "string")("s").alias("r"), "id", "d")


def in_place_of_a_column(frame, kind):
    return frame.withColumn("s", kind.make(same, "string")("s"))


def in_place_of_numbers(frame, kind):
    """No value lies behind the slots."""
    return frame.select("b", "id").withColumn("b", kind.make(same, "boolean")("b"))


def between_others(frame, kind):
    """Everything that lies behind the slots, on both sides of the results."""
    text, number = kind.make(same, "string")("s"), kind.make(same, "decimal(30, 5)")("d")
    moved = frame.select("a", "s", F.encode("s", "utf-8").alias("i"), "d", "b", "id")
    moved = moved.coalesce(1)
    return moved.select("a", number.alias("n"), "i", text.alias("t"), "s", "d", "b")


def twice(frame, kind):
    result = kind.make(same, "string")("s")
    return frame.select(result.alias("first"), "b", result.alias("second"))


def in_turned_order(frame, kind):
    """Results alone, the second before the first."""
    text, truth = kind.make(same, "string")("s"), kind.make(same, "boolean")("b")
    both = frame.select(text.alias("t"), truth.alias("b"))
    return both.select("b", "t")


def of_expressions(frame, kind):
    """Arguments that are no columns have rows of their own."""
    return frame.select("b", kind.make(same, "string")(F.upper("s")).alias("r"))


def above_a_function(frame, kind):
    inner = frame.select("d", kind.make(same, "string")("s").alias("r"))
    return inner.select(kind.make(same, "string")("r").alias("q"), "d").sort("d", "q").limit(9)


def wide(frame, kind):
    """More columns than one word of null bits has, of which few are kept."""
    columns = [F.expr(f"if(id % {i + 2} = 1, null, id + {i})").alias(f"c{i}") for i in range(130)]
    wider = frame.select("s", *columns).coalesce(1)
    result = kind.make(same, "bigint")("c100")
    return wider.select("c7", result.alias("r"), "c99", "c129", "s")


QUERIES = {
    "result_alone": result_alone,
    "beside_others": beside_others,
    "in_another_order": in_another_order,
    "more_than_once": more_than_once,
    "two_results": two_results,
    "result_first": result_first,
    "in_place_of_a_column": in_place_of_a_column,
    "in_place_of_numbers": in_place_of_numbers,
    "between_others": between_others,
    "twice": twice,
    "in_turned_order": in_turned_order,
    "of_expressions": of_expressions,
    "above_a_function": above_a_function,
    "wide": wide,
}


def over_files(name, kind, choose, tmp_path_factory, **conf):
    """The same over a child of columns."""
    folder = str(tmp_path_factory.mktemp("files") / "table")

    def build(spark):
        table(spark).coalesce(1).write.mode("overwrite").parquet(folder)
        return choose(spark.read.parquet(folder).drop("a"), kind)

    return Case(f"{name}-{kind.name}", build, EVAL, conf={**THREE_RECORDS, **conf})


@pytest.mark.parametrize("kind", SCALAR, ids=lambda kind: kind.name)
@pytest.mark.parametrize("name", QUERIES)
def test_rows_without_columns_are_those_of_spark(name, kind, parity_legs):
    parity_legs.check(choosing(name, kind, QUERIES[name]))


@pytest.mark.parametrize("columnar", ["true", "false"])
@pytest.mark.parametrize("kind", [ROW, PANDAS, ARROW], ids=lambda kind: kind.name)
@pytest.mark.parametrize(
    "name",
    [
        "result_alone",
        "in_another_order",
        "two_results",
        "result_first",
        "in_place_of_a_column",
        "twice",
        "in_turned_order",
        "wide",
    ],
)
def test_rows_of_columns_are_those_of_spark(name, kind, columnar, parity_legs, tmp_path_factory):
    conf = {COLUMNS: columnar}
    parity_legs.check(over_files(name, kind, QUERIES[name], tmp_path_factory, **conf))


@pytest.mark.parametrize(
    "name", ["result_alone", "result_first", "in_place_of_a_column", "twice", "of_expressions"]
)
def test_no_projection_is_left_above_the_function(name, spark):
    with_ember = QUERIES[name](table(spark), ROW)
    plan = with_ember._jdf.queryExecution().executedPlan()
    while not plan.getClass().getSimpleName().startswith("ArrowEval"):
        if plan.getClass().getSimpleName() == "ProjectExec":
            assert plan.getClass().getName() == "dev.ember.exec.ProjectExec", str(plan)
        assert not plan.children().isEmpty(), str(plan)
        plan = plan.children().head()
