"""Functions of shared libraries: in Ember and on Spark's worker, from Python and from SQL."""

import sys
from pathlib import Path

import pytest
from parity.case import Case
from py4j.protocol import Py4JJavaError
from pyspark.sql import functions as F

from parity import evidence

EMBER = Path(__file__).resolve().parents[2] / "python" / "ember"
sys.path[:0] = [str(EMBER / "src"), str(EMBER / "tests")]
import libraries  # noqa: E402 (of that package's tests)
from ember import native_function  # noqa: E402 (not installed here, nor on executors)

EVAL = frozenset({"ArrowEvalPython"})
MAP = frozenset({"MapInArrow"})


@pytest.fixture(scope="module")
def rust():
    """The example of the crate ``ember-udf``."""
    return libraries.rust()


@pytest.fixture(scope="module")
def wrong(tmp_path_factory):
    """Functions in C, each wrong in its own way."""
    return libraries.wrong(tmp_path_factory.mktemp("native"))


def numbers(spark):
    frame = spark.range(0, 25_000, 1, 3)
    return frame.select("id", F.expr("if(id % 7 = 0, null, id)").alias("n"))


def test_numbers_through_rust(rust, parity_legs):
    def ask(spark):
        add_one = native_function(rust, "add_one", "bigint")
        return numbers(spark).select("id", add_one(add_one("n")).alias("v"))

    parity_legs.check(Case("native numbers", ask, EVAL))


def test_texts_through_rust(rust, parity_legs):
    def ask(spark):
        disemvowel = native_function(rust, "disemvowel", "string")
        texts = numbers(spark).withColumn("s", F.concat(F.lit("aèbi"), F.col("n")))
        return texts.select("id", disemvowel("s").alias("v"))

    parity_legs.check(Case("native texts", ask, EVAL))


def test_a_temporary_function_of_sql(rust, parity_legs):
    def ask(spark):
        spark.udf.register("add_one", native_function(rust, "add_one", "bigint"))
        numbers(spark).createOrReplaceTempView("numbers")
        return spark.sql("select add_one(n) v, count(*) c from numbers group by 1 order by 1")

    parity_legs.check(Case("native in sql", ask, EVAL))


def test_batches_through_rust(rust, parity_legs):
    def ask(spark):
        halves = native_function(rust, "first_half", kind="map")
        return numbers(spark).mapInArrow(halves, "id long, n long")

    parity_legs.check(Case("native map", ask, MAP))


def test_a_file_of_the_sparkcontext(rust, spark, parity_legs):
    spark.sparkContext.addFile(rust)

    def ask(session):
        add_one = native_function(Path(rust).name, "add_one", "bigint")
        return numbers(session).select(add_one("n").alias("v"))

    parity_legs.check(Case("native file", ask, EVAL))


@pytest.mark.parametrize("symbol", ["longer", "refusing", "of_tomorrow", "absent"])
def test_a_function_that_is_wrong_fails_its_task_with_the_same_words(symbol, wrong, parity_legs):
    def ask(spark):
        return numbers(spark).select(native_function(wrong, symbol, "bigint")("n"))

    parity_legs.check(Case(f"native {symbol}", ask, EVAL, fails=True))


def test_a_crash_in_a_worker_process_is_the_tasks_and_names_the_function(
    wrong, spark, plugin, parity_legs
):
    if not plugin:
        pytest.skip("asks what the plugin does")
    with (
        parity_legs.conf({"spark.ember.lane": "process"}),
        pytest.raises(Py4JJavaError, match="function crashing in worker process"),
    ):
        numbers(spark).select(native_function(wrong, "crashing", "bigint")("n")).collect()
    assert spark.range(3).count() == 3


def test_an_isolated_function_runs_in_worker_processes_only(rust, spark, plugin, parity_legs):
    if not plugin:
        pytest.skip("asks what the plugin does")
    add_one = native_function(rust, "add_one", "bigint", isolated=True)
    frame = spark.range(0, 9, 1, 1).select(add_one("id").alias("v"))
    with parity_legs.conf({"spark.ember.lane": "auto"}):
        assert [row.v for row in frame.collect()] == list(range(1, 10))
    proof = evidence.Evidence(frame)
    assert (proof.embedded_sessions, proof.process_sessions, proof.spark_sessions) == (1, 1, 0)


@pytest.mark.parametrize("on", ["auto", "embedded", "process"])
def test_an_isolated_function_in_a_barrier_runs_outside_the_executor_at_once(
    on, rust, spark, plugin, parity_legs
):
    if not plugin:
        pytest.skip("asks what the plugin does")
    halves = native_function(rust, "first_half", kind="map", isolated=True)
    frame = spark.range(0, 10, 1, 2).mapInArrow(halves, "id long", barrier=True)
    with parity_legs.conf({"spark.ember.lane": on}):
        assert [row.id for row in frame.collect()] == [0, 1, 5, 6]
    proof = evidence.Evidence(frame)
    counts = (proof.embedded_sessions, proof.process_sessions, proof.spark_sessions)
    assert counts == ((0, 0, 2) if on == "embedded" else (2, 2, 0))
    if on == "embedded":
        assert evidence.reasons(frame) == {"Isolated": 2}
