"""Table functions in Arrow's format: rows, partitions, ends and errors, in both of their forms."""

from collections.abc import Iterator

import pyarrow as pa
import pytest
from parity.case import Case
from pyspark.sql import functions as F
from pyspark.sql.functions import (
    AnalyzeArgument,
    AnalyzeResult,
    OrderingColumn,
    PartitioningColumn,
    arrow_udtf,
    udtf,
)
from pyspark.sql.types import LongType, StringType, StructType

from parity import witness

TABLE = frozenset({"ArrowEvalPythonUDTF"})
PYSPARK = "spark.sql.execution.pyspark.udf"
LEGACY = "spark.sql.legacy.execution.pythonUDTF.pandas.conversion.enabled"


class Times:
    """As many rows as it is told, and at its end how many it was asked for."""

    def __init__(self):
        self.seen = 0

    def eval(self, number: int, text: str = "x"):
        self.seen += 1
        for each in range(number % 4):
            yield number * 10 + each, f"{text}{each}"

    def terminate(self):
        yield self.seen, "end"


class OfTable:
    """Rows of a table argument, counted for each of its partitions."""

    def __init__(self):
        self.total = 0
        self.key = None

    def eval(self, row):
        self.key = row["k"]
        self.total += row["id"]

    def terminate(self):
        yield self.key, self.total


class Analyzed:
    """Its schema depends on its arguments, and it says how its table is to be parted."""

    @staticmethod
    def analyze(table: AnalyzeArgument, name: AnalyzeArgument) -> AnalyzeResult:  # noqa: ARG004
        schema = StructType().add(name.value, LongType()).add("text", StringType())
        return AnalyzeResult(
            schema, partitionBy=[PartitioningColumn("k")], orderBy=[OrderingColumn("id")]
        )

    def __init__(self):
        self.seen = []

    def eval(self, table, name):
        self.seen.append(table["id"])

    def terminate(self):
        yield len(self.seen), str(self.seen[:5])


class InArrow:
    """A table function over record batches, of one part of its table at a time."""

    def __init__(self):
        self.rows = 0

    def eval(self, table: pa.RecordBatch) -> Iterator[pa.Table]:
        self.rows += table.num_rows
        yield pa.table({"n": table["id"], "t": table["id"].cast(pa.string())})

    def terminate(self) -> Iterator[pa.Table]:
        yield pa.table({"n": pa.array([self.rows], pa.int64()), "t": ["end"]})


class Nothing:
    """No rows, or a row of nothing."""

    def eval(self, number: int):
        if number % 2:
            yield None, None


class Cleans:
    """Cleaned up when all is done."""

    def eval(self, number: int):
        yield number, "row"

    def cleanup(self):
        print("cleaned")


def named(function, returns="n bigint, t string"):
    """A query's name for a table function, in Arrow's format."""
    return udtf(function, returnType=returns, useArrow=True)


def laterally(function, text):
    """A query over a table function that is registered for it."""

    def build(spark):
        spark.udtf.register("f", function)
        spark.range(0, 200, 1, 3).selectExpr("id", "id % 5 k").createOrReplaceTempView("numbers")
        return spark.sql(text)

    return build


QUERIES = {
    "lateral": laterally(named(Times), "select * from numbers, lateral f(id)"),
    "few_columns": laterally(named(Times), "select n from numbers, lateral f(id + k, text => 'y')"),
    "constant": laterally(named(Times), "select * from f(3)"),
    "by_name": laterally(named(Times), "select * from f(text => 'abc', number => 7)"),
    "table": laterally(named(OfTable, "k bigint, n bigint"), "select * from f(table(numbers))"),
    "parts": laterally(
        named(OfTable, "k bigint, n bigint"),
        "select * from f(table(numbers) partition by k order by id desc)",
    ),
    "single": laterally(
        named(OfTable, "k bigint, n bigint"),
        "select * from f(table(numbers) with single partition)",
    ),
    "analyzed": laterally(
        udtf(Analyzed, useArrow=True), "select * from f(table(numbers), 'longest')"
    ),
    "nothing": laterally(named(Nothing), "select * from numbers, lateral f(id)"),
    "cleanup": laterally(named(Cleans), "select * from numbers, lateral f(id)"),
    "empty": laterally(
        named(Nothing), "select * from (select * from numbers where id < 0), lateral f(id)"
    ),
    "joined": laterally(
        named(Times), "select t, count(*) from numbers join lateral f(id) on n % 2 = 0 group by t"
    ),
    "arrow": laterally(
        arrow_udtf(InArrow, returnType="n bigint, t string"), "select * from f(table(numbers))"
    ),
    "arrow_parts": laterally(
        arrow_udtf(InArrow, returnType="n bigint, t string"),
        "select * from f(table(numbers) partition by k order by id)",
    ),
}


@pytest.mark.parametrize("name", QUERIES)
@pytest.mark.parametrize("legacy", ["false", "true"])
def test_a_table_function_gives_the_rows_of_spark(name, legacy, parity_legs):
    case = Case(name, QUERIES[name], TABLE, conf={LEGACY: legacy}, ordered=False)
    parity_legs.check_either_way(case)


TYPES = (
    "boolean", "tinyint", "int", "bigint", "float", "double", "decimal(20,4)", "string", "binary",
    "date", "timestamp", "timestamp_ntz", "array<bigint>", "map<string,int>",
    "struct<a:int,b:array<string>>", "interval day to second", "variant",
)  # fmt: skip
VALUES = {
    "binary": "cast(cast(id as string) as binary)",
    "date": "date_add(date'2020-02-28', cast(id as int))",
    "timestamp": "timestamp_seconds(id * 100000)",
    "timestamp_ntz": "cast(timestamp_seconds(id * 100000) as timestamp_ntz)",
    "array<bigint>": "array(id, null)",
    "map<string,int>": "map('a', cast(id as int))",
    "struct<a:int,b:array<string>>": "struct(cast(id as int) a, array('x') b)",
    "interval day to second": "make_dt_interval(cast(id as int))",
    "variant": "parse_json('[1]')",
}


class Twice:
    """Its argument, twice."""

    def eval(self, value):
        yield (value,)
        yield (value,)


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_comes_back_as_with_spark(kind, parity_legs):
    value = VALUES.get(kind, f"cast(id as {kind})")

    def build(spark):
        spark.udtf.register("f", udtf(Twice, returnType=f"v {kind}", useArrow=True))
        rows = f"select if(id % 7 = 3, null, {value}) v from range(20)"
        return spark.sql(f"select r.v from ({rows}) a, lateral f(a.v) r")

    parity_legs.check_either_way(Case(kind, build, TABLE, ordered=False))


def failing(at):
    """A table function that raises in one of its methods."""
    sign = witness.signer()

    def check(name):
        sign()
        if name == at:
            words = f"bad {name}"
            raise ValueError(words)

    class Failing:
        def __init__(self):
            check("init")

        def eval(self, number: int):
            yield number, "row"
            if number == 55:
                check("eval")

        def terminate(self):
            check("terminate")
            yield 0, "end"

        def cleanup(self):
            check("cleanup")

    return Failing


def wrong(rows):
    """A table function that gives these rows."""
    sign = witness.signer()

    class Wrong:
        def eval(self, number: int):
            sign()
            yield from rows

    return Wrong


TRACEBACKS = {"simplified": "true", "whole": "false"}


@pytest.mark.parametrize("at", ["init", "eval", "terminate", "cleanup"])
@pytest.mark.parametrize("traceback", TRACEBACKS)
def test_an_error_of_a_table_function_is_the_one_of_spark(at, traceback, parity_legs):
    def build(spark):
        return laterally(named(failing(at)), "select * from numbers, lateral f(id)")(spark)

    conf = {f"{PYSPARK}.simplifiedTraceback.enabled": TRACEBACKS[traceback]}
    parity_legs.check(Case(at, build, TABLE, conf=conf, fails=True))


@pytest.mark.parametrize("rows", [[1], [(1,)], [(1, "a", 2)], [("x", "y")], [{"n": 1}]], ids=str)
def test_rows_that_do_not_fit_fail_as_with_spark(rows, parity_legs):
    def build(spark):
        return laterally(named(wrong(rows)), "select * from numbers, lateral f(id)")(spark)

    parity_legs.check_either_way(Case(str(rows), build, TABLE))


def test_batches_of_input_do_not_show(parity_legs):
    conf = {"spark.sql.execution.arrow.maxRecordsPerBatch": "3"}
    parity_legs.check(Case("cut", QUERIES["lateral"], TABLE, conf=conf, ordered=False))


def test_columns_beside_a_table_function_stay(parity_legs):
    def build(spark):
        spark.udtf.register("f", named(Times))
        frame = spark.range(0, 50, 1, 2).select(
            "id", F.array("id").alias("a"), F.col("id").cast("string").alias("s")
        )
        frame.createOrReplaceTempView("wide")
        return spark.sql("select w.*, r.t from wide w, lateral f(w.id, w.s) r")

    parity_legs.check(Case("beside", build, TABLE, ordered=False))
