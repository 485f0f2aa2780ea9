"""Functions that do not come back: Spark's own limits hold on either lane."""

import ctypes
import os
import threading
import time
from pathlib import Path

import pytest
from pyspark.sql import functions as F

from counting import sessions

IDLE = "spark.sql.execution.pyspark.udf.idleTimeoutSeconds"
KILL = "spark.sql.execution.pyspark.udf.killOnIdleTimeout"
TERMINATED = "terminated due to idle timeout (timeout: 1 seconds)"
#: How long C code sleeps, and the time in which Spark's limits must have ended its task.
SLEEP_S, SOON_S = 25, 18
LANES = ("process", "auto", "embedded")


def endless_loop(value):
    while True:
        value += 1


def sleeping_in_c(_value):
    ctypes.CDLL(None).sleep(SLEEP_S)
    return 1


def holding_the_lock_in_c(_value):
    ctypes.PyDLL(None).sleep(SLEEP_S)
    return 1


def deadlocked_thread(_value):
    lock = threading.Lock()
    lock.acquire()
    waiting = threading.Thread(target=lock.acquire, daemon=True)
    waiting.start()
    waiting.join()
    return 1


HANGS = (endless_loop, sleeping_in_c, holding_the_lock_in_c, deadlocked_thread)


@pytest.fixture
def conf(spark):
    """Settings of one test."""
    changed = []

    def change(**settings):
        for key, value in settings.items():
            changed.append(key)
            spark.conf.set(key, value)

    yield change
    for key in changed:
        spark.conf.unset(key)


def hanging(spark, function, tmp_path):
    """A frame whose function signs with its process before it hangs."""
    signed = str(tmp_path)

    def hang(value):
        Path(signed, str(os.getpid())).touch()
        return function(value)

    return spark.range(10, numPartitions=1).select(F.udf(hang, "long")("id").alias("v"))


def test_an_executor_with_too_many_lost_threads_embeds_nothing(spark, conf, tmp_path):
    def counted():
        frame = spark.range(4, numPartitions=1).select(F.udf(lambda v: v, "long")("id").alias("v"))
        assert [row.v for row in frame.collect()] == [0, 1, 2, 3]
        return sessions(frame)

    conf(**{"spark.ember.lane": "auto", "spark.ember.embedded.abandoned": "1"})
    cancelled(spark, sleeping_in_c, tmp_path)
    # The task has its grace first.
    wait_until(lambda: "emberReasonLaneAbandoned" in counted(), SOON_S)
    assert counted()["emberProcessSessions"] == 1
    wait_until(lambda: "emberReasonLaneAbandoned" not in counted())


def test_a_thread_that_is_left_to_itself_is_counted_and_replaced(spark, conf):
    # Long enough to be told from a moment on any machine: nobody waits for it.
    conf(**{"spark.ember.lane": "embedded", "spark.ember.cancel.graceSeconds": "15"})
    assert still_works(spark)
    begun = time.monotonic()
    frame = first_three(spark, staying(SLEEP_S))
    assert [row.id for row in frame.collect()] == [0, 1, 2]
    assert time.monotonic() - begun < 10
    counted = sessions(frame)
    assert (counted["emberSessions"], counted["emberAbandoned"]) == (1, 1), counted
    again = spark.range(4, numPartitions=1).select(F.udf(lambda v: v, "long")("id").alias("v"))
    assert [row.v for row in again.collect()] == [0, 1, 2, 3]
    assert "emberFallbacks" not in sessions(again)
    assert time.monotonic() - begun < SLEEP_S


def test_who_stops_in_time_is_not_blamed_for_a_thread_beside_it_that_does_not(
    spark, conf, free_lanes
):
    conf(**{"spark.ember.lane": "embedded", "spark.ember.cancel.graceSeconds": "3"})
    stuck, late = first_three(spark, staying(SLEEP_S)), first_three(spark, staying(1))
    for frame in (stuck, late):
        frame.collect()
        assert sessions(frame)["emberAbandoned"] == 1
    time.sleep(4)  # what is thought of both is known by then
    late.collect()
    assert "emberFallbacks" not in sessions(late)
    stuck.collect()
    assert sessions(stuck)["emberReasonQuarantined"] == 1


def test_who_waits_for_the_lock_is_not_blamed_for_who_keeps_it(spark, conf, free_lanes, tmp_path):
    conf(**{"spark.ember.lane": "embedded", "spark.ember.embedded.tasks": "2"})
    conf(**{"spark.ember.cancel.graceSeconds": "3"})
    begun, enough = tmp_path / "begun", tmp_path / "enough"
    keeper = first_three(spark, staying(SLEEP_S, ctypes.PyDLL))
    waiting = spark.range(10, numPartitions=1).mapInArrow(turning(begun, enough), "id long")

    def run():
        spark.sparkContext.setJobGroup("waits", "waits", interruptOnCancel=True)
        with pytest.raises(Exception, match="cancelled"):
            waiting.collect()

    job = threading.Thread(target=run)
    job.start()
    wait_until(begun.exists)
    keeper.collect()
    assert sessions(keeper)["emberAbandoned"] == 1
    spark.sparkContext.cancelJobGroup("waits")
    job.join(SOON_S)
    time.sleep(4)  # what is thought of both is known by then
    enough.touch()
    wait_until(lambda: (waiting.collect(), "emberReasonLaneAbandoned" not in sessions(waiting))[1])
    assert "emberFallbacks" not in sessions(waiting)
    keeper.collect()
    assert sessions(keeper)["emberReasonQuarantined"] == 1


def turning(begun, enough):
    """A function that computes in Python until a file is there."""

    def turn(batches):
        for batch in batches:
            Path(begun).touch()
            while not Path(enough).exists():
                pass
            yield batch

    return turn


def staying(seconds, library=ctypes.CDLL):
    """A function that waits in C code after its first batch; `PyDLL` keeps the lock."""

    def stay(batches):
        for batch in batches:
            yield batch
            library(None).sleep(seconds)

    return stay


def first_three(spark, function):
    """A frame that wants no more than the first batch."""
    return spark.range(300_000, numPartitions=1).mapInArrow(function, "id long").limit(3)


def still_works(spark):
    """Whether the next query is right."""
    frame = spark.range(20, numPartitions=2).select(F.udf(lambda v: v + 1, "long")("id").alias("v"))
    return [row.v for row in frame.collect()] == list(range(1, 21))


def signers(tmp_path):
    """The processes in which the function ran."""
    return [int(path.name) for path in tmp_path.iterdir()]


def wait_until(condition, seconds=90):
    """Wait for what must come true."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds
        time.sleep(0.05)


@pytest.mark.parametrize("function", HANGS, ids=lambda function: function.__name__)
def test_a_hang_ends_at_the_idle_timeout_with_sparks_error(function, spark, conf, tmp_path):
    conf(**{"spark.ember.lane": "auto"})
    assert still_works(spark)  # a worker that has to start first is not what is timed
    conf(**{IDLE: "1", KILL: "true"})
    while not signers(tmp_path):  # on a busy machine the time is over before the function begins
        begun = time.monotonic()
        with pytest.raises(Exception, match="idle timeout") as raised:
            hanging(spark, function, tmp_path).collect()
        assert TERMINATED in str(raised.value)
        assert time.monotonic() - begun < SOON_S
    conf(**{KILL: "false"})
    (pid,) = signers(tmp_path)
    wait_until(lambda: not Path("/proc", str(pid)).exists())
    assert still_works(spark)


def test_an_idle_timeout_that_does_not_kill_only_warns(spark, conf):
    def slow(value):
        time.sleep(1.5)
        return value

    for lane in LANES:
        conf(**{IDLE: "1", "spark.ember.lane": lane})
        frame = spark.range(1, numPartitions=1).select(F.udf(slow, "long")("id").alias("v"))
        assert [row.v for row in frame.collect()] == [0]


@pytest.mark.parametrize("lane", ["process", "embedded"])
@pytest.mark.parametrize("function", HANGS, ids=lambda function: function.__name__)
def test_a_killed_task_ends_though_its_function_does_not(function, lane, spark, conf, tmp_path):
    conf(**{"spark.ember.lane": lane})
    assert "cancelled" in cancelled(spark, function, tmp_path)
    conf(**{"spark.ember.lane": "auto"})
    assert still_works(spark)


def cancelled(spark, function, tmp_path):
    """What a job fails with that is cancelled while its function hangs; it has to be soon."""
    ended = []

    def run():
        spark.sparkContext.setJobGroup("hang", "hang", interruptOnCancel=True)
        try:
            hanging(spark, function, tmp_path).collect()
        except Exception as error:  # noqa: BLE001 (Py4J's, by the one, Spark's by the other)
            ended.append(str(error))

    job = threading.Thread(target=run)
    job.start()
    wait_until(lambda: signers(tmp_path))
    begun = time.monotonic()
    spark.sparkContext.cancelJobGroup("hang")
    job.join(30)
    assert time.monotonic() - begun < SOON_S
    return ended[0]
