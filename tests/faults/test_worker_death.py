"""Functions that end their process: the task says which function, and nothing else notices."""

import ctypes
import os
import re
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from pyspark.sql import functions as F

CRASHED = "Python worker exited unexpectedly (crashed): function {} in worker process "


def null_pointer(_value):
    return ctypes.string_at(0)


def abort(_value):
    os.abort()


def leave(_value):
    os._exit(3)


def kill_itself(_value):
    os.kill(os.getpid(), signal.SIGKILL)


def terminate_itself(_value):
    os.kill(os.getpid(), signal.SIGTERM)


def overflow_the_stack(value):
    sys.setrecursionlimit(10**8)
    return sorted([value, value], key=overflow_the_stack)


def close_descriptors(value):
    os.closerange(3, 64)
    return value


ENDS = {
    null_pointer: "was ended by signal 11 (SIGSEGV",
    abort: "was ended by signal 6 (SIGABRT",
    leave: "left with exit status 3",
    kill_itself: "was ended by signal 9 (SIGKILL",
    terminate_itself: "was ended by signal 15 (SIGTERM",
    overflow_the_stack: "was ended by signal 11 (SIGSEGV",
    close_descriptors: "",
}


def plus_one(value):
    return value + 1


def through(spark, function, rows=20, partitions=2):
    """A frame that passes rows through ``function``."""
    numbers = spark.range(rows, numPartitions=partitions)
    return numbers.select(F.udf(function, "long")("id").alias("v"))


def error_of(frame):
    """What a query fails with."""
    with pytest.raises(Exception) as raised:  # noqa: PT011 (Py4J's, by the one, Spark's by the other)
        frame.collect()
    return str(raised.value)


def still_works(spark):
    """Whether the next query is right."""
    return [row.v for row in through(spark, plus_one).collect()] == list(range(1, 21))


@pytest.mark.parametrize("function", ENDS, ids=lambda function: function.__name__)
def test_a_function_that_ends_its_process_fails_its_task_by_name(function, spark):
    error = error_of(through(spark, function))
    assert CRASHED.format(function.__name__) in error
    assert ENDS[function] in error
    assert re.search("Consider setting .* for the better Python traceback", error)
    assert still_works(spark)


def test_the_other_tasks_of_the_executor_do_not_notice(spark):
    def slow(batches):
        for batch in batches:
            time.sleep(0.05)
            yield batch

    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "100")
    answers = []
    frame = spark.range(6000, numPartitions=1).mapInArrow(slow, "id long")
    other = threading.Thread(target=lambda: answers.append(frame.count()))
    other.start()
    try:
        while other.is_alive():
            assert "crashed" in error_of(through(spark, kill_itself, partitions=1))
    finally:
        other.join()
        spark.conf.unset("spark.sql.execution.arrow.maxRecordsPerBatch")
    assert answers == [6000]


def test_the_kernel_takes_a_worker_before_its_executor_when_memory_runs_out(spark):
    def offered(_value):
        return int(Path("/proc/self/oom_score_adj").read_text())

    jvm = spark._jvm.java.lang.ProcessHandle.current().pid()
    executor = int(Path("/proc", str(jvm), "oom_score_adj").read_text())
    (row,) = through(spark, offered, rows=1, partitions=1).collect()
    assert executor < row.v <= 1000


def test_a_function_over_the_memory_limit_gets_an_error_and_not_a_signal(spark):
    def hoard(value):
        return len(bytearray(4 << 30)) + value

    # What spark.executor.pyspark.memory becomes for the tasks of an executor.
    spark.sparkContext.setLocalProperty("resource.pyspark.memory", "3072")
    try:
        assert "MemoryError" in error_of(through(spark, hoard))
        assert still_works(spark)
    finally:
        spark.sparkContext.setLocalProperty("resource.pyspark.memory", None)


def test_sys_exit_is_an_error_of_the_function(spark):
    def ask_to_leave(_value):
        sys.exit(5)

    assert "SystemExit: 5" in error_of(through(spark, ask_to_leave))
    assert still_works(spark)


def test_a_child_that_outlives_its_worker_hides_nothing(spark):
    def fork_and_die(_value):
        if os.fork() == 0:
            time.sleep(20)
            os._exit(0)
        os.abort()

    begun = time.monotonic()
    error = error_of(through(spark, fork_and_die, partitions=1))
    assert "was ended by signal 6" in error
    assert time.monotonic() - begun < 15


def test_an_endless_loop_ends_with_its_job_and_its_process_with_it(spark, tmp_path):
    signed = str(tmp_path)

    def loop(value):
        Path(signed, str(os.getpid())).touch()
        while True:
            value += 1

    ended = []

    def run():
        spark.sparkContext.setJobGroup("endless", "endless", interruptOnCancel=True)
        ended.append(error_of(through(spark, loop, partitions=1)))

    job = threading.Thread(target=run)
    job.start()
    wait_until(lambda: list(tmp_path.iterdir()))
    spark.sparkContext.cancelJobGroup("endless")
    job.join(30)
    assert "cancelled" in ended[0]
    (pid,) = (int(path.name) for path in tmp_path.iterdir())
    wait_until(lambda: not Path("/proc", str(pid)).exists())
    assert still_works(spark)


def test_processes_and_signals_are_the_functions_own(spark):
    def uses_them(value):
        import multiprocessing
        import subprocess

        signal.signal(signal.SIGSEGV, signal.SIG_DFL)
        with multiprocessing.get_context("fork").Pool(2) as pool:
            total = sum(pool.map(abs, [-1, -2]))
        return total + int(subprocess.check_output(["echo", str(value)]))

    assert [row.v for row in through(spark, uses_them, rows=4).collect()] == [3, 4, 5, 6]


def test_a_limit_does_not_wait_for_the_rest(spark):
    def slow(value):
        time.sleep(0.01)
        return value

    begun = time.monotonic()
    assert len(through(spark, slow, rows=100_000).limit(3).collect()) == 3
    assert time.monotonic() - begun < 60


def wait_until(condition, seconds=30):
    """Wait for what must come true."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds
        time.sleep(0.05)
