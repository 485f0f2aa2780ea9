"""Operations that a client interrupts end, their functions with them, and nobody else's do."""

import os
import threading
import time
from contextlib import contextmanager

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import functions as F

END_S = 60
CANCELED = "OPERATION_CANCELED"


@pytest.fixture(scope="module")
def embedded(trusting):
    """A session whose functions run in the executor."""
    started = trusting.session()
    started.conf.set("spark.ember.lane", "embedded")
    assert answers(started)
    assert places(started) == {trusting.process.pid}
    yield started
    started.stop()


@pytest.fixture(scope="module")
def in_workers(trusting):
    """Another session, whose functions run in worker processes."""
    started = trusting.session()
    started.conf.set("spark.ember.lane", "process")
    assert answers(started)
    assert places(started) <= trusting.workers()
    yield started
    started.stop()


@pytest.fixture(params=["embedded", "in_workers"])
def spark(request, embedded, in_workers):
    """Either, one at a time."""
    return {"embedded": embedded, "in_workers": in_workers}[request.param]


def answers(spark):
    plus = F.udf(lambda value: value + 1, "long")
    return [row[0] for row in spark.range(3).select(plus("id")).collect()] == [1, 2, 3]


def places(spark):
    """The processes that a function runs in."""
    pid = F.udf(lambda _: os.getpid(), "long")
    return {row[0] for row in spark.range(0, 8, 1, 2).select(pid("id")).collect()}


@contextmanager
def running(spark, folder, name, tag=None):
    """A query whose function does not end before ``NAME.go`` is there; gives what comes of it."""
    started, go = folder / f"{name}.started", folder / f"{name}.go"

    def waits(value):
        started.touch()
        while not go.exists():
            time.sleep(0.01)
        return value

    told = {}

    def collect():
        if tag:
            spark.addTag(tag)
        try:
            frame = spark.range(0, 1, 1, 1).select(F.udf(waits, "long")("id"))
            told["rows"] = [row[0] for row in frame.collect()]
        except PySparkException as error:
            told["error"] = error.getCondition()

    thread = threading.Thread(target=collect)
    thread.start()
    soon(started.exists)
    try:
        yield told
    finally:
        go.touch()
        thread.join(END_S)
        assert not thread.is_alive()


def soon(condition):
    end = time.monotonic() + END_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_interrupting_all_ends_a_session_s_functions_and_no_other_session_s(
    spark, embedded, in_workers, tmp_path
):
    other = in_workers if spark is embedded else embedded
    with (
        running(spark, tmp_path, "mine") as mine,
        running(other, tmp_path, "theirs") as theirs,
    ):
        assert len(spark.interruptAll()) == 1
        soon(lambda: mine)
        assert mine == {"error": CANCELED}
        assert theirs == {}
    assert theirs == {"rows": [0]}
    assert answers(spark)
    assert answers(other)


def test_interrupting_a_tag_ends_what_bears_it_alone(in_workers, tmp_path):
    with (
        running(in_workers, tmp_path, "one", tag="one") as one,
        running(in_workers, tmp_path, "two", tag="two") as two,
    ):
        assert in_workers.interruptTag("nobody") == []
        assert len(in_workers.interruptTag("one")) == 1
        soon(lambda: one)
        assert one == {"error": CANCELED}
        assert two == {}
    assert two == {"rows": [0]}


def test_interrupting_an_operation_ends_it(spark, tmp_path):
    with running(spark, tmp_path, "known", tag="known") as told:
        (known,) = spark.interruptTag("known")
        soon(lambda: told)
        assert told == {"error": CANCELED}
        assert spark.interruptOperation(known) in ([], [known])
    assert answers(spark)


def test_an_interrupt_is_told_as_without_ember(plain, tmp_path):
    alone = plain.session()
    try:
        with running(alone, tmp_path, "alone") as told:
            assert len(alone.interruptAll()) == 1
            soon(lambda: told)
            assert told == {"error": CANCELED}
    finally:
        alone.stop()
