"""Memory: what leaks is seen, and what does not leak stays flat."""

import gc
import os
import sys
import time
from pathlib import Path

import pytest
from pyspark.sql import functions as F

from counting import sessions

RECORDS = "spark.sql.execution.arrow.maxRecordsPerBatch"


@pytest.fixture
def conf(spark, free_lanes):
    """Settings of one test."""
    changed = {}

    def change(key, value):
        changed[key] = value
        spark.conf.set(key, value)

    yield change
    for key in changed:
        spark.conf.unset(key)


def anonymous(pid):
    """MiB of memory that a process holds and that is no file's."""
    for line in Path("/proc", str(pid), "status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    raise AssertionError(pid)


def jvm_of(spark):
    """The number of the JVM's process."""
    return spark._jvm.java.lang.ProcessHandle.current().pid()


def pid_of(spark):
    """The process that functions run in at the moment."""
    frame = spark.range(1, numPartitions=1).select(F.udf(lambda _: os.getpid(), "int")("id"))
    return frame.first()[0]


def test_a_worker_that_has_grown_serves_no_other_session(spark):
    def grow(_):
        sys.kept_for_ever = bytearray(os.urandom(1) * (900 << 20))
        return os.getpid()

    numbers = spark.range(1, numPartitions=1)
    first = numbers.select(F.udf(grow, "int")("id")).first()[0]
    assert pid_of(spark) != first
    assert pid_of(spark) == pid_of(spark)


@pytest.mark.slow
def test_a_leaking_function_leaves_the_executor(spark, conf):
    conf("spark.ember.lane", "auto")
    conf(RECORDS, "10")

    def leak(batches):
        kept = sys.__dict__.setdefault("kept_by_leak", [])
        for batch in batches:
            kept.append(bytearray(b"x" * (20 << 20)))
            time.sleep(0.05)
            yield batch

    spark._jvm.java.lang.System.gc()
    for _ in range(6):
        frame = spark.range(200, numPartitions=1).mapInArrow(leak, "id long")
        assert len(frame.collect()) == 200
        counted = sessions(frame)
        if counted.get("emberReasonQuarantined"):
            break
        time.sleep(3)
    assert counted.get("emberReasonQuarantined"), counted
    assert counted["emberProcessSessions"] == 1
    free_what_leaked(spark)


def free_what_leaked(spark):
    def free(_):
        sys.__dict__.pop("kept_by_leak", None)
        return gc.collect()

    spark.range(1, numPartitions=1).select(F.udf(free, "int")("id")).collect()


@pytest.mark.slow
def test_a_leaking_function_of_batches_leaves_the_executor_within_its_task(spark, conf):
    conf("spark.ember.lane", "auto")
    conf(RECORDS, "10000")  # small ones would all wait for the function when it begins

    def leak(values):
        sys.__dict__.setdefault("kept_by_leak", []).append(bytearray(b"x" * (20 << 20)))
        time.sleep(0.05)
        return values

    rows = 1_000_000
    leaking = F.pandas_udf(leak, "long", F.PandasUDFType.SCALAR)
    frame = spark.range(rows, numPartitions=1).select(leaking("id").alias("v"))
    total = frame.agg(F.sum("v").alias("v"))
    assert [row.v for row in total.collect()] == [rows * (rows - 1) // 2]
    counted = sessions(total)
    on_the_way = counted.get("emberMovesWithin"), counted.get("emberProcessSessions")
    assert on_the_way == (1, 1), counted
    free_what_leaked(spark)


@pytest.mark.slow
@pytest.mark.parametrize("lane", ["embedded", "process"])
def test_resident_memory_is_flat_over_many_batches_and_tasks(lane, spark, conf):
    conf("spark.ember.lane", lane)
    conf(RECORDS, "1")

    def same(batches):
        yield from batches

    def batches(number):
        frame = spark.range(number, numPartitions=1).mapInArrow(same, "id long")
        assert frame.count() == number

    def tasks(number):
        frame = spark.range(number, numPartitions=number).select(
            F.udf(lambda v: v + 1, "long")("id").alias("v")
        )
        assert frame.agg(F.sum("v")).first()[0] == number * (number + 1) // 2

    def held():
        spark._jvm.java.lang.System.gc()
        pids = {jvm_of(spark), pid_of(spark)}
        return sum(anonymous(pid) for pid in pids)

    batches(4000)
    tasks(200)
    before = held()
    batches(20_000)
    tasks(1000)
    # The heap is touched at the start; what remains is code, metadata and allocators' slack.
    assert held() - before < 96
