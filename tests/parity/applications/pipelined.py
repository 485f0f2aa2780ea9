"""The behaviours of pipelined transfer, on every lane of an application that has Spark's own on."""

import ctypes
import json
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
from pyspark import TaskContext, cloudpickle
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

import parity
from parity import evidence, outcome

cloudpickle.register_pickle_by_value(parity)

builder = SparkSession.builder.appName("pipelined")
for key, value in json.loads(os.environ["PARITY_CONF"]).items():
    builder = builder.config(key, value)
spark = builder.getOrCreate()
spark.sparkContext.setLogLevel("OFF")

LANES = ("embedded", "process", "spark")
IDLE = "spark.sql.execution.pyspark.udf.idleTimeoutSeconds"
KILL = "spark.sql.execution.pyspark.udf.killOnIdleTimeout"
ROWS_A_BATCH = "spark.sql.execution.arrow.maxRecordsPerBatch"
HERE = Path.cwd()
marks = iter(range(1_000_000))


def mark():
    """A file that a function makes, to say that it came to a place."""
    return HERE / f"mark-{next(marks)}"


def ran(frame):
    """How many sessions of each lane a frame took; of nodes left to Spark, how many nodes."""
    proof = evidence.Evidence(frame)
    return {
        "embedded": proof.embedded_sessions - proof.process_sessions,
        "process": proof.process_sessions,
        "spark": proof.spark_sessions + len(proof.vanilla),
    }


def raised(frame):
    """The error of a frame that is expected to fail."""
    try:
        frame.collect()
    except Exception as error:  # noqa: BLE001 (whatever it is, it is the answer)
        return outcome.error(error), str(error)
    return "nothing was raised", ""


class settings:  # noqa: N801 (reads as a statement)
    """Settings of a few lines."""

    def __init__(self, conf):
        self.conf = conf

    def __enter__(self):
        for key, value in self.conf.items():
            spark.conf.set(key, value)

    def __exit__(self, *_):
        for key in self.conf:
            spark.conf.unset(key)


def same(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield from batches


def still_right():
    """Whether a good function is right afterwards."""
    frame = spark.range(0, 25_000, 1, 2).mapInArrow(same, "id long")
    return sum(row.id for row in frame.collect()) == sum(range(25_000))


def failure_of_the_writer():
    """An upstream that fails in the first batch, and in the third, below a function."""
    told = {}
    for at in (5, 25_000):
        breaks = F.when(F.col("id") == at, F.raise_error(F.lit("the upstream broke")))
        upstream = spark.range(0, 30_000, 1, 1).select(breaks.otherwise(F.col("id")).alias("id"))
        end = mark()

        def to_the_end(batches: Iterator[pa.RecordBatch], end=end) -> Iterator[pa.RecordBatch]:
            yield from batches
            end.touch()

        alone, _ = raised(upstream)
        below, words = raised(upstream.mapInArrow(to_the_end, "id long"))
        told[at] = {"itself": below == alone, "words": words[:500], "ended": end.exists()}
    return {"each": told, "right": still_right()}


def interrupted_channel():
    """A task that is killed while its writer waits for a function that takes no more."""
    began, group, errors = mark(), f"killed-{time.monotonic_ns()}", []

    def takes_no_more(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield next(batches)
        began.touch()
        while True:
            time.sleep(0.05)

    def run():
        spark.sparkContext.setJobGroup(group, "to be killed", interruptOnCancel=True)
        errors.append(raised(spark.range(0, 50_000_000, 1, 1).mapInArrow(takes_no_more, "id long")))

    job = threading.Thread(target=run)
    job.start()
    while not began.exists():
        time.sleep(0.05)
    time.sleep(0.5)  # the writer has filled what there is by now
    spark.sparkContext.cancelJobGroup(group)
    job.join(60)
    return {"tasks": ends_of(group), "words": errors[0][1][:500], "right": still_right()}


def ends_of(group):
    """How Spark says that the tasks of a job group ended."""
    context = spark._jsc.sc()
    context.listenerBus().waitUntilEmpty()
    tracker, store = spark.sparkContext.statusTracker(), context.statusStore()
    stages = [
        stage
        for job in tracker.getJobIdsForGroup(group)
        for stage in tracker.getJobInfo(job).stageIds
    ]
    tasks = [task for stage in stages for task in evidence.each(store.taskList(stage, 0, 100))]
    deadline = time.monotonic() + 30
    while any(task.status() == "RUNNING" for task in tasks) and time.monotonic() < deadline:
        time.sleep(0.1)
        tasks = [task for stage in stages for task in evidence.each(store.taskList(stage, 0, 100))]
    return [task.status() for task in tasks]


def idle_timeout():
    """A function that is idle for too long: ended if Spark is to end it, else waited for."""

    def asleep(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            time.sleep(600)
            yield batch

    def drowsy(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            time.sleep(2.5)
            yield batch

    numbers = spark.range(0, 10, 1, 1)
    begun = time.monotonic()
    with settings({IDLE: "1", KILL: "true"}):
        _, words = raised(numbers.mapInArrow(asleep, "id long"))
    took = time.monotonic() - begun
    with settings({IDLE: "1"}):
        waited = numbers.mapInArrow(drowsy, "id long").count()
    return {"words": words[:500], "took": took, "waited": waited, "right": still_right()}


def who_and_beside():
    """The process that ran a function, and the threads of Python that were there beside it."""

    def tell(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        rows = sum(batch.num_rows for batch in batches)
        beside = [t.name for t in threading.enumerate() if not t.name.startswith("Dummy")]
        named = [name for name in beside if name != "MainThread"]
        yield pa.RecordBatch.from_pydict(
            {"pid": [os.getpid()], "rows": [rows], "beside": [",".join(named)]}
        )

    frame = spark.range(0, 25_000, 1, 1).mapInArrow(tell, "pid long, rows long, beside string")
    return list(frame.collect()[0])


def reused_worker():
    """The same again and again, after everything that can happen to a session."""

    def fails(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield next(batches)
        raise ValueError("on purpose")

    many = spark.range(0, 100_000, 1, 1)
    before = {
        "nothing": lambda: None,
        "an error": lambda: raised(many.mapInArrow(fails, "id long")),
        "a limit": lambda: many.mapInArrow(same, "id long").limit(3).collect(),
        "an rdd": lambda: spark.sparkContext.parallelize([1, 2], 1).map(lambda x: x + 1).collect(),
        "a row function": lambda: many.select(F.udf(lambda x: x + 1, "long")("id")).collect(),
    }
    told = []
    for name, happens in before.items():
        happens()
        told += [[name, *who_and_beside()] for _ in range(2)]
    return {"each": told, "right": still_right()}


def variables():
    """What a function, one of an RDD, and the JVM see of the mode in their environment."""

    def seen():
        name = "SPARK_PIPELINED_UDF"
        getenv = ctypes.CDLL(None).getenv
        getenv.restype = ctypes.c_char_p
        own = getenv(name.encode())
        return [os.environ.get(name, ""), (own or b"").decode()]

    def of_the_function(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _ in batches:
            pass
        yield pa.RecordBatch.from_pydict({"seen": [seen()]})

    frame = spark.range(0, 10, 1, 1).mapInArrow(of_the_function, "seen array<string>")
    function = frame.collect()[0].seen
    rdd = spark.sparkContext.parallelize([1], 1).map(lambda _: seen()).collect()[0]
    jvm = spark._jvm.java.lang.System.getenv("SPARK_PIPELINED_UDF") or ""
    return {"function": function, "rdd": rdd, "jvm": jvm, "ran": ran(frame)}


def helper_threads():
    """The task and its file, from a function's own threads and from one that feeds another."""
    folder = HERE / "lines"
    if not folder.exists():
        spark.range(0, 90, 1, 3).selectExpr("cast(id as string)").write.text(str(folder))

    def of_threads(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        task = TaskContext.get()
        mine = (task.partitionId(), task.taskAttemptId())

        def look(_):
            seen = TaskContext.get()
            return seen is not None and (seen.partitionId(), seen.taskAttemptId()) == mine

        def in_a_thread(ask):
            answers = []
            thread = threading.Thread(target=lambda: answers.append(ask(0)))
            thread.start()
            thread.join()
            return answers == [True]

        for batch in batches:
            with ThreadPoolExecutor(2) as pool:
                same = all(pool.map(look, range(8)))
            here = pa.array([same and in_a_thread(look)] * batch.num_rows)
            yield batch.append_column("here", here)

    read = spark.read.text(str(folder)).select(
        "value", F.input_file_name().alias("file"), F.spark_partition_id().alias("part")
    )
    wanted = {tuple(row) for row in read.collect()}
    schema = "value string, file string, part int, here boolean"
    once = read.mapInArrow(of_threads, schema)
    above = F.udf(lambda _: TaskContext.get().partitionId(), "int")
    twice = once.select("*", above("value").alias("above")).collect()
    return {
        "rows": len(twice),
        "files": {(row.value, row.file, row.part) for row in twice} == wanted,
        "threads": all(row.here for row in twice),
        "chained": all(row.above == row.part for row in twice),
        "right": still_right(),
    }


def streamed_groups():
    """Whether a function has the first rows of a group before the last of them were computed.

    Each row of the group says when it was computed: the column is made above the sort, so that
    nothing but the session's own way asks for it.
    """

    def first_and_last(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        first, last, rows, many = 0, 0, 0, 0
        for batch in batches:
            first = first or time.monotonic_ns()
            last = batch["t"][batch.num_rows - 1].as_py()
            rows, many = rows + batch.num_rows, many + 1
        yield pa.RecordBatch.from_pydict(
            {"first": [first], "last": [last], "rows": [rows], "batches": [many]}
        )

    rows = spark.range(0, 400_000, 1, 1).select(F.expr("id div 1000000").alias("g"), "id")
    in_order = rows.repartition(1, "g").sortWithinPartitions("g")
    clock = F.reflect(F.lit("java.lang.System"), F.lit("nanoTime")).cast("long")
    timed = in_order.select("g", "id", clock.alias("t"))
    with settings({ROWS_A_BATCH: "2000"}):
        frame = timed.groupBy("g").applyInArrow(
            first_and_last, "first long, last long, rows long, batches long"
        )
        row = frame.collect()[0]
    return {
        "streamed": row.first < row.last,
        "rows": row.rows,
        "batches": row.batches,
        "ran": ran(frame),
    }


def rdd_functions():
    """Functions of RDDs: what they answer, and what is beside them."""

    def beside(_):
        names = [t.name for t in threading.enumerate() if t.name != "MainThread"]
        return [os.environ.get("SPARK_PIPELINED_UDF", ""), *names]

    numbers = spark.sparkContext.parallelize(range(1000), 2)
    seen = {tuple(one) for one in numbers.map(beside).collect()}
    return {"beside": sorted(seen), "sum": numbers.map(abs).sum()}


QUESTIONS = {
    "failure of the writer": failure_of_the_writer,
    "interrupted channel": interrupted_channel,
    "idle timeout": idle_timeout,
    "reused worker": reused_worker,
    "variables": variables,
    "helper threads": helper_threads,
    "streamed groups": streamed_groups,
    "rdd functions": rdd_functions,
}

told = {}
for lane in LANES:
    with settings({"spark.ember.lane": lane}):
        told[lane] = {name: ask() for name, ask in QUESTIONS.items()}
        frame = spark.range(0, 10, 1, 1).mapInArrow(same, "id long")
        frame.collect()
        told[lane]["ran"] = ran(frame)
spark.stop()
Path(os.environ["PARITY_ANSWER"]).write_text(json.dumps(told))
