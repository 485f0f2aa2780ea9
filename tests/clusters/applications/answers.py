"""An application that answers questions about the cluster it runs in; tells as JSON.

A question is a function below: it gets the session, and gives what it found.
"""

import json
import os
import socket
import sys
import time
from pathlib import Path

import pandas as pd
from pyspark import BarrierTaskContext, TaskContext, cloudpickle
from pyspark.resource import ExecutorResourceRequests, ResourceProfileBuilder, TaskResourceRequests
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

import parity
from parity import evidence, kinds, nodes

cloudpickle.register_pickle_by_value(parity)

ASKED = json.loads(os.environ["CLUSTERS_ASKED"])
FOLDER = ASKED["folder"]
EXECUTORS = 2
WAIT_S = 60
GROUPED = [node for node in nodes.EVERY if node.number in (201, 209, 202)]
ROWS = 200


def main():
    builder = SparkSession.builder.appName("clusters")
    for key, value in ASKED["settings"].items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    if "spark.dynamicAllocation.enabled" not in ASKED["settings"]:
        wait_until(lambda: executors(spark) == EXECUTORS)
    told = {name: globals()[name](spark) for name in ASKED["questions"]}
    told["application"] = spark.sparkContext.applicationId
    told["lost"], told["failed"] = losses(spark)
    spark.stop()
    Path(FOLDER, "answer.json").write_text(json.dumps(told))


def executors(spark):
    return spark.sparkContext._jsc.sc().getExecutorMemoryStatus().size() - 1


def losses(spark):
    """The executors that were lost and did not end in order, and the tasks that failed."""
    status = spark.sparkContext._jsc.sc().statusStore().executorList(False)
    each = [status.apply(at) for at in range(status.size())]
    gone = [one for one in each if not one.isActive() and one.id() != "driver"]
    return len(gone), sum(one.failedTasks() for one in each)


def wait_until(condition):
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < WAIT_S
        time.sleep(0.1)


def proof(frame):
    """Where the sessions of a frame that was collected ran."""
    found = evidence.Evidence(frame)
    return {
        "embedded": found.embedded_sessions - found.process_sessions,
        "in_workers": found.process_sessions,
        "on_spark": found.spark_sessions + len(found.vanilla),
        "reasons": evidence.reasons(frame),
    }


def on_both(spark, made):
    """The rows of a frame with Ember and without, and where they were made."""
    told = {}
    for leg in ("ember", "spark"):
        spark.conf.set("spark.ember.enabled", str(leg == "ember").lower())
        frame = made()
        rows = sorted(map(list, frame.collect()))
        told[leg] = {"rows": rows, **proof(frame)}
    spark.conf.set("spark.ember.enabled", "true")
    return told


def numbers(spark, partitions=4):
    frame = spark.range(0, ROWS, 1, partitions)
    return frame.select((F.col("id") % 7).alias("k"), (F.col("id") * 3).alias("v"))


def every_kind(spark):
    """Row, pandas, Arrow, map and group functions."""
    scalar = (kinds.ROW, kinds.PANDAS, kinds.ARROW, kinds.MAP_IN_PANDAS, kinds.MAP_IN_ARROW)
    told = {
        kind.name: on_both(spark, lambda k=kind: k.through(numbers(spark), kinds.same, "bigint"))
        for kind in scalar
    }
    for node in GROUPED:
        told[node.name] = on_both(spark, lambda n=node: n.through(numbers(spark), sum))
    return told


def own_address(other):
    """The address from which ``other`` is reached; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        asked.connect((other, 9))
        return asked.getsockname()[0]


def witness(address_of_driver):
    """A function that says where it runs: address, executable of the process, its number."""

    def where(_):
        time.sleep(0.3)  # so that one executor does not take all tasks
        address = own_address(address_of_driver)
        process = Path("/proc/self/exe").readlink().name
        return json.dumps([address, process, os.getpid(), sys.executable])

    return where


def told_by_witnesses(spark):
    where = F.udf(witness(ASKED["settings"]["spark.driver.host"]), "string")
    frame = spark.range(0, 6, 1, 6).select(where("id").alias("w"))
    said = sorted({row.w for row in frame.collect()})
    return {"said": [json.loads(one) for one in said], **proof(frame)}


def witnesses(spark):
    """Where functions run: a new one is tried by one executor first, so it is asked twice."""
    told_by_witnesses(spark)
    return told_by_witnesses(spark)


def status(spark):
    """What ``ember_status()`` says of each executor."""
    asked = "SELECT * FROM ember_status()"
    end = time.monotonic() + WAIT_S
    while len(rows := spark.sql(asked).collect()) < EXECUTORS and time.monotonic() < end:
        time.sleep(0.1)
    return [row.asDict() for row in rows]


def locks(spark):
    """Which of Spark's locks are on: what lies in files, and how a worker of Spark's is reached."""
    held = spark.sparkContext.broadcast(["in plain words"] * 9)
    spark.conf.set("spark.ember.enabled", "false")
    has_unix = F.udf(lambda _: os.environ.get("PYTHON_UNIX_DOMAIN_ENABLED"), "string")
    (row,) = spark.range(1).select(has_unix("id").alias("unix")).collect()
    spark.conf.set("spark.ember.enabled", "true")
    in_words = b"in plain words" in Path(held._path).read_bytes()
    return {"files": not in_words, "unix sockets": row.unix == "True"}


def broadcast(spark):
    """A variable of some megabytes, and one so small that it is sent with the others."""
    words = spark.sparkContext.broadcast({number: "x" * (number % 997) for number in range(8000)})
    small = spark.sparkContext.broadcast(7)

    def row(value):
        return len(words.value[value]) + small.value

    def frames(several):
        for frame in several:
            yield frame.assign(v=[row(value) for value in frame["v"]])

    def made(kind):
        if kind == "row":
            return numbers(spark).select("k", F.udf(row, "long")("v").alias("v"))
        return numbers(spark).mapInPandas(frames, "k long, v long")

    return {kind: on_both(spark, lambda k=kind: made(k)) for kind in ("row", "map")}


def barrier(spark):
    """Tasks of a stage that wait for one another, and tell each other their process."""

    driver = ASKED["settings"]["spark.driver.host"]

    def gathered(frames):
        # Nodes number their processes alike.
        told = BarrierTaskContext.get().allGather(f"{own_address(driver)} {os.getpid()}")
        rows = sum(len(frame) for frame in frames)
        yield pd.DataFrame({"processes": [len(set(told))], "rows": [rows]})

    schema = "processes long, rows long"
    return on_both(
        spark, lambda: numbers(spark, EXECUTORS).mapInPandas(gathered, schema, barrier=True)
    )


def task_profile(spark):
    """A stage whose tasks ask for what the tasks before them do not."""
    told_by_witnesses(spark)
    profile = ResourceProfileBuilder().require(TaskResourceRequests().cpus(2)).build
    return with_profile(spark, profile)


def executor_profile(spark):
    """A stage with executors of its own, whose Python may use so much memory and no more."""
    wanted = ExecutorResourceRequests().cores(1).memory("640m").pysparkMemory("2g")
    builder = ResourceProfileBuilder().require(wanted).require(TaskResourceRequests().cpus(1))
    return with_profile(spark, builder.build)


def with_profile(spark, profile):
    def limited(frames):
        import resource

        for frame in frames:
            soft, _ = resource.getrlimit(resource.RLIMIT_AS)
            limit = -1 if soft == resource.RLIM_INFINITY else soft >> 20
            yield frame.assign(limit=limit, cpus=TaskContext.get().cpus())

    schema = "k long, v long, limit long, cpus long"
    return on_both(spark, lambda: numbers(spark).mapInPandas(limited, schema, profile=profile))


def idle_and_back(spark):
    """Work, then none until every executor is gone, then work again."""
    first = told_by_witnesses(spark)
    wait_until(lambda: executors(spark) == 0)
    second = told_by_witnesses(spark)
    return {"first": first, "second": second, "kinds": every_kind(spark)}


def interrupted(spark):
    """A function that waits in each task until it is let go; meanwhile something may happen."""
    started, go = Path(FOLDER, "started"), Path(FOLDER, "go")
    started.mkdir()

    def waits(value):
        if value % 100 == 0:
            task = TaskContext.get()
            (started / f"{task.partitionId()}-{task.attemptNumber()}-{os.getpid()}").touch()
            while not go.exists():
                time.sleep(0.05)
        return value + 1

    told = {}
    for name in ("during", "after"):
        frame = spark.range(0, 400, 1, 4).select(F.udf(waits, "long")("id").alias("v"))
        rows = sorted(row.v for row in frame.collect())
        told[name] = {"right": rows == list(range(1, 401)), **proof(frame)}
    plus = F.udf(lambda value: value + 2, "long")
    frame = spark.range(0, 400, 1, 4).select(plus("id").alias("v"))
    rows = sorted(row.v for row in frame.collect())
    told["another"] = {"right": rows == list(range(2, 402)), **proof(frame)}
    return told


if __name__ == "__main__":
    main()
