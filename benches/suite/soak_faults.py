"""The rounds of a soak in which something goes wrong, and how answers are judged."""

import ctypes
import random
import threading
import time

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - as PySpark is written


def right(frame: DataFrame, total: int) -> str | None:
    """Compare the sum of ``v``."""
    found = frame.agg(F.coalesce(F.sum("v"), F.lit(0)).alias("v")).collect()[0].v
    return None if found == total else f"a sum of {found} and not {total}"


def fails_with(frame: DataFrame, words: str) -> str | None:
    """Expect an error with these words."""
    try:
        frame.collect()
    except Exception as error:  # noqa: BLE001 - what it says is judged
        return None if words in str(error) else f"another error: {str(error)[:2000]}"
    return f"no error, and {words!r} was expected"


def raises(spark: SparkSession, _lane: str, _dice: random.Random) -> str | None:
    """Let a function raise."""

    def refuse(value: int) -> int:
        if value == 77:
            message = f"row {value} of the soak"
            raise ValueError(message)
        return value

    frame = spark.range(1000, numPartitions=2).select(F.udf(refuse, "long")("id"))
    return fails_with(frame, "row 77 of the soak")


def crashes(spark: SparkSession, _lane: str, _dice: random.Random) -> str | None:
    """Let a function end its worker process."""
    spark.conf.set("spark.ember.lane", "process")
    frame = spark.range(10, numPartitions=1).select(
        F.udf(lambda _: ctypes.string_at(0), "long")("id")
    )
    return fails_with(frame, "signal 11")


def cancelled(spark: SparkSession, _lane: str, dice: random.Random) -> str | None:
    """Cancel a job while its function runs."""

    def slow(value: int) -> int:
        for _ in range(1000):
            time.sleep(0.01)
        return value

    return cancel(spark, dice, spark.range(4, numPartitions=2).select(F.udf(slow, "long")("id")))


def hangs(spark: SparkSession, _lane: str, dice: random.Random) -> str | None:
    """Cancel a job whose function is in C code that does not come back for a while."""
    mark = dice.getrandbits(40)  # a function that nobody has shut out yet

    def hang(value: int) -> int:
        ctypes.CDLL(None).sleep(5)
        return value + mark

    return cancel(spark, dice, spark.range(1, numPartitions=1).select(F.udf(hang, "long")("id")))


def cancel(spark: SparkSession, dice: random.Random, frame: DataFrame) -> str | None:
    """Cancel the job of ``frame`` at some moment of its first second."""
    context = spark.sparkContext
    said: list[str | None] = []

    def job() -> None:
        context.setJobGroup("soak", "cancelled", interruptOnCancel=True)
        said.append(fails_with(frame, "cancelled"))

    thread = threading.Thread(target=job)
    thread.start()
    tracker = context.statusTracker()
    while thread.is_alive() and not tracker.getActiveJobsIds():
        time.sleep(0.02)
    time.sleep(dice.random())
    while thread.is_alive():
        context.cancelJobGroup("soak")
        thread.join(0.5)
    return said[0]
