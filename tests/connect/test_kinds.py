"""Every kind of function that a stock client sends runs in Ember, and answers as without it."""

import pytest
from kinds import KINDS, plan_of
from pyspark.errors import PythonException
from pyspark.sql import functions as F
from told import running_in


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_kind_runs_in_ember_and_answers_as_without(client, alone, in_executor, kind):
    frames = [kind(spark) for spark in (client, alone, in_executor)]
    told = [(": embedded" in plan_of(frame), "Ember" in plan_of(frame)) for frame in frames]
    assert told == [(True, True), (False, False), (True, True)]
    with running_in("workers", client), running_in("executor", in_executor):
        found = [(frame.schema, sorted(frame.collect())) for frame in frames]
    schemas, rows = zip(*found, strict=True)
    assert schemas[0] == schemas[1] == schemas[2]
    assert rows[0] == rows[1] == rows[2] != []


@pytest.fixture
def in_executor(trusting):
    """A session of clients who trust one another, on the lane that leads into the executor."""
    started = trusting.session()
    started.conf.set("spark.ember.lane", "embedded")
    yield started
    started.stop()


@pytest.mark.parametrize("arrow", [True, False])
def test_an_error_is_that_of_spark_word_for_word(both, arrow):
    def bad(x):
        raise ValueError(f"no {x}")

    words = []
    with running_in("workers", both[0]):
        for spark in both:
            frame = spark.range(1).select(F.udf(bad, "long", useArrow=arrow)("id"))
            with pytest.raises(PythonException) as error:
                frame.collect()
            words.append((type(error.value), error.value.getCondition(), str(error.value)))
    assert words[0] == words[1]
    assert "ValueError: no 0" in words[0][2]
    assert f'{__file__}", line ' in words[0][2]


def test_a_stream_of_a_client_runs_embedded(both, tmp_path, capsys):
    found = []
    with running_in("workers", both[0]):
        for name, spark in zip(("ember", "plain"), both, strict=True):
            found.append(doubled_by_a_stream(spark, name, tmp_path / name))
            assert (": embedded" in capsys.readouterr().out) == (name == "ember")
    assert found[0] == found[1] == list(range(0, 40, 2))


def doubled_by_a_stream(spark, name, folder):
    """What a stream of a few batches wrote first; its plan is printed."""
    source = spark.readStream.format("rate-micro-batch").options(rowsPerBatch=10).load()
    doubled = source.select(F.udf(lambda x: x * 2, "long")("value").alias("a"))
    sink = doubled.writeStream.format("memory").queryName(f"doubled_{name}")
    query = sink.option("checkpointLocation", str(folder)).start()
    try:
        while query.lastProgress is None or query.lastProgress["batchId"] < 2:
            assert query.exception() is None
        query.explain()
    finally:
        query.stop()
    rows = spark.table(f"doubled_{name}").where("a < 40").orderBy("a")
    return [row.a for row in rows.collect()]
