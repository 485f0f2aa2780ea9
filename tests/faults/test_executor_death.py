"""Nothing of ours outlives an executor, whatever ends it."""

import os
import signal
import subprocess
import sys
import time
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


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=lambda how: how.name)
def test_workers_and_their_parent_die_with_the_executor(how, tmp_path):
    import json

    command = [sys.executable, "-c", APPLICATION, json.dumps(settings(tmp_path))]
    environment = {**os.environ, "PYSPARK_PYTHON": sys.executable}
    application = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert application.stdout is not None
        line = next(line for line in application.stdout if line.startswith("PIDS"))
        jvm, zygote, worker = (int(word) for word in line.split()[1:])
        os.kill(jvm, how)
        begun = time.monotonic()
        while any(alive(pid) for pid in (zygote, worker)):
            assert time.monotonic() - begun < 30
            time.sleep(0.05)
    finally:
        application.kill()
        application.wait()


def alive(pid):
    """Whether a process runs; one that only waits to be buried does not."""
    try:
        status = Path("/proc", str(pid), "stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
