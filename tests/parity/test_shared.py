"""What functions share with the driver and with each other: counters, broadcasts, files, state."""

import tempfile
import zipfile
from pathlib import Path

import pytest
from parity.case import Case, Then
from parity.kinds import EVERY
from pyspark.sql import functions as F

from parity import kinds

EVAL = frozenset({"ArrowEvalPython"})


def numbers(spark, rows=6, partitions=3):
    return spark.range(0, rows, 1, partitions)


def accumulator(kind):
    def build(spark):
        total = spark.sparkContext.accumulator(0)
        kind_rows = kind.rows

        def unit(value):
            total.add(kind_rows(value))
            return value

        frame = kind.through(numbers(spark, 50).withColumn("v", F.col("id")), unit, "bigint")
        return Then(frame, lambda: total.value)

    conf = {"spark.sql.execution.arrow.maxRecordsPerBatch": "3"}
    return Case(f"accumulator-{kind.name}", build, frozenset({kind.node}), conf=conf)


def two_accumulators(spark):
    one, two = spark.sparkContext.accumulator(0), spark.sparkContext.accumulator(1.5)

    def first(value):
        one.add(value)
        return value

    def second(value):
        two.add(value)
        one.add(1)
        return value

    frame = numbers(spark).select(F.udf(first, "bigint")("id"), F.udf(second, "bigint")("id"))
    return Then(frame, lambda: (one.value, two.value))


def broadcast(kind):
    def build(spark):
        shared = spark.sparkContext.broadcast({"factor": 3, "big": list(range(50_000))})

        def unit(value):
            assert len(shared.value["big"]) == 50_000
            return value if kind.map is not None else value * shared.value["factor"]

        body = unit
        if "arrow" in kind.name and kind.map is None:
            body = lambda array: unit(array.to_pandas()).pipe(
                __import__("pyarrow").Array.from_pandas
            )
        return kind.through(numbers(spark).withColumn("v", F.col("id")), body, "bigint")

    return Case(f"broadcast-{kind.name}", build, frozenset({kind.node}))


def broadcast_destroyed_between(spark):
    first = spark.sparkContext.broadcast([1])
    numbers(spark).select(F.udf(lambda v: first.value[0], "int")("id")).collect()
    first.unpersist(blocking=True)
    second = spark.sparkContext.broadcast([2])
    return numbers(spark).select(
        F.udf(lambda v: (first.value[0], second.value[0]), "array<int>")("id").alias("v")
    )


def added_module(spark):
    folder = Path(tempfile.mkdtemp(prefix="parity-"))
    (folder / "parity_added.py").write_text("VALUE = 'from a file'\n")
    pack(folder / "parity_zipped.zip", "parity_zipped/__init__.py", "VALUE = 'from a zip'\n")
    spark.sparkContext.addPyFile(str(folder / "parity_added.py"))
    spark.sparkContext.addPyFile(str(folder / "parity_zipped.zip"))

    def tell(_):
        import parity_added
        import parity_zipped

        return parity_added.VALUE + parity_zipped.VALUE

    return numbers(spark).select(F.udf(tell, "string")("id").alias("v"))


def added_file(spark):
    folder = Path(tempfile.mkdtemp(prefix="parity-"))
    (folder / "parity_data.txt").write_text("some data")
    spark.sparkContext.addFile(str(folder / "parity_data.txt"))

    def tell(_):
        from pyspark import SparkFiles

        return Path(SparkFiles.get("parity_data.txt")).read_text()

    return numbers(spark).select(F.udf(tell, "string")("id").alias("v"))


def added_archive(spark):
    folder = Path(tempfile.mkdtemp(prefix="parity-"))
    pack(folder / "parity_archive.zip", "inside.txt", "in an archive")
    spark.sparkContext.addArchive(f"{folder / 'parity_archive.zip'}#unpacked")

    def tell(_):
        from pyspark import SparkFiles

        return Path(SparkFiles.get("unpacked"), "inside.txt").read_text()

    return numbers(spark).select(F.udf(tell, "string")("id").alias("v"))


def pack(path, name, text):
    """A zip of one file and no date: Spark refuses other bytes under a name that it knows."""
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr(zipfile.ZipInfo(name), text)


def non_deterministic(spark):
    """A counter per function object: one per task, wherever the task's function lives."""
    calls = []

    def count(_):
        calls.append(1)
        return len(calls)

    counting = F.udf(count, "int").asNondeterministic()
    return (
        numbers(spark, 30)
        .select("id", counting("id").alias("v"), F.spark_partition_id().alias("p"))
        .where("v % 2 = 1")
    )


def module_state(spark):
    """Module globals of the application do not leak from one query into the next."""

    def leave(_):
        global LEFT  # noqa: PLW0603 (a global of the unpickled function is the case)
        LEFT = globals().get("LEFT", 0) + 1
        return LEFT

    return numbers(spark, 4, 2).select(F.udf(leave, "int").asNondeterministic()("id").alias("v"))


def barrier(kind):
    """Every task of the stage waits for the others, and hears what they said."""

    def build(spark):
        import pandas as pd
        import pyarrow as pa

        def hear():
            from pyspark import BarrierTaskContext

            task = BarrierTaskContext.get()
            task.barrier()
            return task.allGather(f"from {task.partitionId()}")

        def frames(several):
            for _ in several:
                yield pd.DataFrame({"heard": hear()})

        def batches(several):
            for _ in several:
                yield pa.RecordBatch.from_pydict({"heard": hear()})

        frame = numbers(spark, 2, 2)
        if kind is kinds.MAP_IN_PANDAS:
            return frame.mapInPandas(frames, "heard string", barrier=True)
        return frame.mapInArrow(batches, "heard string", barrier=True)

    return Case(f"barrier-{kind.name}", build, frozenset({kind.node}))


CASES = [
    *(accumulator(kind) for kind in EVERY),
    Case("two_accumulators", two_accumulators, EVAL),
    *(broadcast(kind) for kind in EVERY),
    Case("broadcast_destroyed_between", broadcast_destroyed_between, EVAL),
    Case("added_file", added_file, EVAL),
    Case("added_archive", added_archive, EVAL),
    Case("added_module", added_module, EVAL),
    *(barrier(kind) for kind in (kinds.MAP_IN_PANDAS, kinds.MAP_IN_ARROW)),
    Case("non_deterministic", non_deterministic, EVAL),
    Case("module_state", module_state, EVAL),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_function_shares_the_same_things(case, parity_legs):
    parity_legs.check(case)
