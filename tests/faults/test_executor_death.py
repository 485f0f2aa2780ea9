"""Nothing of ours outlives an executor, whatever ends it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from conftest import settings

APPLICATION = """
import json, os, sys, time
from pyspark.sql import SparkSession, functions as F

builder = SparkSession.builder
for key, value in json.loads(sys.argv[1]).items():
    builder = builder.config(key, value)
spark = builder.getOrCreate()

@F.udf("string")
def numbers(_value):
    import os
    return f"{os.getppid()} {os.getpid()}"

first = spark.range(10, numPartitions=1).select(numbers("id")).first()[0]
jvm = spark._jvm.java.lang.ProcessHandle.current().pid()
print("PIDS", jvm, first, flush=True)

@F.udf("long")
def forever(value):
    while True:
        pass

spark.range(10, numPartitions=1).select(forever("id")).collect()
"""


#: On a busy machine the JVM takes a while to end in order.
SOON_S = 60


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=lambda how: how.name)
def test_workers_and_their_parent_die_with_the_executor(how, tmp_path):
    with application(settings(tmp_path)) as (jvm, zygote, worker):
        os.kill(jvm, how)
        wait_until(lambda: not any(alive(pid) for pid in (zygote, worker)))


@pytest.mark.slow
def test_an_executor_that_is_told_to_end_cleans_up_though_a_function_runs_in_it(tmp_path):
    local = tmp_path / "local"
    embedded = {"spark.ember.lane": "embedded", "spark.local.dir": str(local)}
    with application(settings(tmp_path) | embedded) as (jvm, _, process):
        assert process == jvm
        assert list(local.iterdir())
        os.kill(jvm, signal.SIGTERM)
        wait_until(lambda: not alive(jvm))
        assert list(local.iterdir()) == []


@contextmanager
def application(its_settings) -> Iterator[list[int]]:
    """An application with an endless function: its JVM, a function's process and its parent."""
    command = [sys.executable, "-c", APPLICATION, json.dumps(its_settings)]
    environment = {**os.environ, "PYSPARK_PYTHON": sys.executable}
    started = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert started.stdout is not None
        line = next(line for line in started.stdout if line.startswith("PIDS"))
        yield [int(word) for word in line.split()[1:]]
    finally:
        started.kill()
        started.wait()


def wait_until(condition):
    """Wait for what must come true."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < SOON_S
        time.sleep(0.05)


def alive(pid):
    """Whether a process runs; one that only waits to be buried does not."""
    try:
        status = Path("/proc", str(pid), "stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
