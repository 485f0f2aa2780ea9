"""Table functions in Spark's pickled mode: asked what those in Arrow's format are, and more."""

import datetime as dt

import pytest
import test_table_functions as in_arrow
from parity.case import Case, Then
from parity.evidence import metric, walk
from pyspark import cloudpickle
from pyspark.sql import functions as F
from pyspark.sql.functions import SkipRestOfInputTableException, udtf
from test_table_functions import (
    PYSPARK,
    TRACEBACKS,
    TYPES,
    VALUES,
    Analyzed,
    Cleans,
    Nothing,
    OfTable,
    Times,
    Twice,
    failing,
    laterally,
    wrong,
)

cloudpickle.register_pickle_by_value(in_arrow)
TABLE = frozenset({"BatchEvalPythonUDTF"})


def pickled(function, returns="n bigint, t string"):
    """A query's name for a table function whose rows are pickled."""
    return udtf(function, returnType=returns, useArrow=False)


class Skips:
    """Reads each part of its table as far as it likes."""

    def __init__(self):
        self.total = 0

    def eval(self, row):
        self.total += row["id"]
        if row["id"] > 100:
            raise SkipRestOfInputTableException

    def terminate(self):
        yield self.total, "end"


class Late:
    """Gives rows for some of its input only, and says at its end what it was given."""

    def __init__(self):
        self.seen = []

    def eval(self, number: int, moment: dt.datetime, parts: list):
        self.seen.append(number)
        if number % 3 == 0:
            yield number, f"{moment} {parts}"

    def terminate(self):
        yield len(self.seen), str(self.seen[-3:])


KEYED = "k bigint, n bigint"
QUERIES = {
    "lateral": laterally(pickled(Times), "select * from numbers, lateral f(id)"),
    "few_columns": laterally(
        pickled(Times), "select n from numbers, lateral f(id + k, text => 'y')"
    ),
    "constant": laterally(pickled(Times), "select * from f(3)"),
    "by_name": laterally(pickled(Times), "select * from f(text => 'abc', number => 7)"),
    "table": laterally(pickled(OfTable, KEYED), "select * from f(table(numbers))"),
    "parts": laterally(
        pickled(OfTable, KEYED), "select * from f(table(numbers) partition by k order by id desc)"
    ),
    "single": laterally(
        pickled(OfTable, KEYED), "select * from f(table(numbers) with single partition)"
    ),
    "analyzed": laterally(
        udtf(Analyzed, useArrow=False), "select * from f(table(numbers), 'longest')"
    ),
    "nothing": laterally(pickled(Nothing), "select * from numbers, lateral f(id)"),
    "cleanup": laterally(pickled(Cleans), "select * from numbers, lateral f(id)"),
    "empty": laterally(
        pickled(Nothing), "select * from (select * from numbers where id < 0), lateral f(id)"
    ),
    "joined": laterally(
        pickled(Times), "select t, count(*) from numbers join lateral f(id) on n % 2 = 0 group by t"
    ),
    "skipped": laterally(
        pickled(Skips), "select * from f(table(numbers) partition by k order by id)"
    ),
    "late": laterally(
        pickled(Late),
        "select * from numbers, lateral f(id, timestamp_seconds(id), array(id, null, k))",
    ),
}


@pytest.mark.parametrize("name", QUERIES)
@pytest.mark.parametrize("adaptive", ["true", "false"])
def test_a_pickled_table_function_gives_the_rows_of_spark(name, adaptive, parity_legs):
    conf = {"spark.sql.adaptive.enabled": adaptive}
    parity_legs.check(Case(name, QUERIES[name], TABLE, conf=conf, ordered=False))


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_is_pickled_as_with_spark(kind, parity_legs):
    value = VALUES.get(kind, f"cast(id as {kind})")

    def build(spark):
        spark.udtf.register("f", pickled(Twice, f"v {kind}"))
        rows = f"select if(id % 7 = 3, null, {value}) v from range(20)"
        return spark.sql(f"select r.v from ({rows}) a, lateral f(a.v) r")

    parity_legs.check_either_way(Case(kind, build, TABLE, ordered=False))


@pytest.mark.parametrize("at", ["init", "eval", "terminate", "cleanup"])
@pytest.mark.parametrize("traceback", TRACEBACKS)
def test_an_error_of_a_pickled_table_function_is_the_one_of_spark(at, traceback, parity_legs):
    def build(spark):
        return laterally(pickled(failing(at)), "select * from numbers, lateral f(id)")(spark)

    conf = {f"{PYSPARK}.simplifiedTraceback.enabled": TRACEBACKS[traceback]}
    parity_legs.check(Case(at, build, TABLE, conf=conf, fails=True))


ROWS = [
    [1], [(1,)], [(1, "a", 2)], [("x", "y")], [{"n": 1}], [None], [[2, "list"]],
    [(1.5, 2)], [(2**63, "x")], [({1}, "z")],
]  # fmt: skip


@pytest.mark.parametrize("rows", ROWS, ids=str)
def test_rows_that_do_not_fit_are_taken_or_refused_as_with_spark(rows, parity_legs):
    def build(spark):
        return laterally(pickled(wrong(rows)), "select * from numbers, lateral f(id)")(spark)

    parity_legs.check_either_way(Case(str(rows), build, TABLE))


@pytest.mark.parametrize("nullable", ["n bigint not null, t string", "n bigint, t string not null"])
def test_a_null_where_none_may_be_fails_as_with_spark(nullable, parity_legs):
    def build(spark):
        function = pickled(wrong([(1, "a"), (None, None)]), nullable)
        return laterally(function, "select * from numbers, lateral f(id)")(spark)

    parity_legs.check(Case("null", build, TABLE, fails=True))


def test_a_query_that_stops_early_sees_rows_before_an_error(parity_legs):
    def build(spark):
        query = "select * from numbers, lateral f(id) limit 5"
        return laterally(pickled(Times), query)(spark)

    parity_legs.check(Case("limit", build, TABLE, act=lambda frame: len(frame.collect())))


def test_what_a_pickled_table_function_counts_arrives(parity_legs):
    def build(spark):
        count = spark.sparkContext.accumulator(0)

        class Counts:
            def eval(self, number: int):
                count.add(number)
                yield number, "row"

        frame = laterally(pickled(Counts), "select * from numbers, lateral f(id)")(spark)
        return Then(frame, lambda: count.value)

    parity_legs.check(Case("counted", build, TABLE, ordered=False))


def test_columns_beside_a_pickled_table_function_stay(parity_legs):
    def build(spark):
        spark.udtf.register("f", pickled(Times))
        frame = spark.range(0, 250, 1, 2).select(
            "id", F.array("id").alias("a"), F.col("id").cast("string").alias("s")
        )
        frame.createOrReplaceTempView("wide")
        return spark.sql("select w.*, r.t from wide w, lateral f(w.id, w.s) r")

    parity_legs.check(Case("beside", build, TABLE, ordered=False))


def test_rows_received_are_counted_as_by_spark(spark, parity_legs):
    def received(enabled):
        with parity_legs.conf({"spark.ember.enabled": enabled}):
            frame = QUERIES["lateral"](spark)
            rows = len(frame.collect())
        return rows, counted(frame)

    rows, ours = received("true")
    assert ours == received("false")[1] == rows


def counted(frame):
    """The rows that the node of the table function received."""
    for node in walk(frame._jdf.queryExecution().executedPlan()):
        if "BatchEvalPythonUDTF" in node.nodeName():
            return metric(node, "pythonNumRowsReceived")
    raise LookupError("no table function ran")
