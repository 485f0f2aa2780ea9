"""A thousand micro-batches: nothing of them is left behind."""

import contextlib
import time
from pathlib import Path

import pytest
from pyspark.sql import functions as F

from counting import sessions

WARM, LAST = 250, 1000
# Threads that Spark keeps for later, up to limits of its own, as the kernel cuts their names.
POOLS = ("ResultQueryStag", "shuffle-exchang", "broadcast-excha", "block-manager-a")


def held(spark):
    """What the JVM holds: MiB that are no file's, threads, descriptors."""
    for _ in range(2):
        spark._jvm.java.lang.System.gc()
    process = Path("/proc", str(spark._jvm.java.lang.ProcessHandle.current().pid()))
    status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    return {
        "memory": int(status["RssAnon"].split()[0]) // 1024,
        "threads": sum(not name.startswith(POOLS) for name in threads(process)),
        "descriptors": len(list((process / "fd").iterdir())),
    }


def threads(process):
    """What a process's threads are called."""
    for thread in (process / "task").iterdir():
        with contextlib.suppress(OSError):  # it has ended meanwhile
            yield (thread / "comm").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("lane", ["embedded", "process"])
def test_a_thousand_micro_batches_leave_nothing_behind(lane, spark, free_lanes):
    spark.conf.set("spark.ember.lane", lane)
    spark.conf.set("spark.sql.shuffle.partitions", "1")
    seen = {}

    def each(batch, number):
        if number > LAST:
            return
        groups = batch.groupBy("k").applyInPandas(lambda group: group[:1], "v long, k long")
        assert len(groups.collect()) == 2
        counted = sessions(groups)
        assert counted.get("emberSessions"), counted
        assert "emberFallbacks" not in counted, counted
        if number in (WARM, LAST):
            seen[number] = held(spark)

    stream = spark.readStream.format("rate-micro-batch").option("numPartitions", 1)
    rows = stream.option("rowsPerBatch", 20).load()
    more = rows.select(F.udf(lambda v: v + 1, "long")("value").alias("v"))
    query = more.withColumn("k", F.col("v") % 2).writeStream.foreachBatch(each).start()
    try:
        while LAST not in seen and query.exception() is None:
            time.sleep(1)
        assert query.exception() is None
    finally:
        query.stop()
        spark.conf.unset("spark.ember.lane")
        spark.conf.unset("spark.sql.shuffle.partitions")
    grown = {what: seen[LAST][what] - seen[WARM][what] for what in seen[LAST]}
    assert grown["memory"] < 64, seen
    assert grown["threads"] < 16, seen
    assert grown["descriptors"] < 16, seen
