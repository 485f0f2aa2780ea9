"""The round of a soak in which functions run in a stream, and keep state from batch to batch."""

import random
import time
from collections.abc import Iterator
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - as PySpark is written
from pyspark.sql.streaming.state import GroupState, GroupStateTimeout

ROWS, BATCHES, KEYS = 20, 3, 2
TABLE = "totals_of_soak"


def stream_with_state(spark: SparkSession, _lane: str, _dice: random.Random) -> str | None:
    """Count up the rows of some micro-batches by key, and compare what each batch tells."""
    source = spark.readStream.format("rate-micro-batch").option("rowsPerBatch", ROWS)
    rows = source.option("numPartitions", 1).load()
    # Not by ``foreachBatch``: Spark itself leaves a socket behind for each such stream.
    sink = counted_up(rows).writeStream.outputMode("update").format("memory")
    query = sink.queryName(TABLE).start()
    try:
        while spark.table(TABLE).count() < BATCHES * KEYS and query.exception() is None:
            time.sleep(0.2)
        if failed := query.exception():
            return f"the stream failed: {str(failed)[:2000]}"
    finally:
        query.stop()
    told = sorted((row.total, row.k) for row in spark.table(TABLE).collect())
    spark.catalog.dropTempView(TABLE)
    batches = range(len(told) // KEYS)
    right = sorted((total, key) for at in batches for key, total in expected(at).items())
    return None if told == right else f"totals and keys {told}, not {right}"


def counted_up(rows: DataFrame) -> DataFrame:
    """Add up values by key over all batches; a row function runs below."""
    plus = F.udf(lambda v: v + 1, "long")
    keyed = rows.select(plus("value").alias("v"), (F.col("value") % KEYS).alias("k"))

    def add(
        key: tuple[Any, ...], frames: Iterator[pd.DataFrame], state: GroupState
    ) -> Iterator[pd.DataFrame]:
        (total,) = state.get if state.exists else (0,)
        total += sum(int(frame["v"].sum()) for frame in frames)
        state.update((total,))
        yield pd.DataFrame({"k": [key[0]], "total": [total]})

    return keyed.groupBy("k").applyInPandasWithState(
        add, "k long, total long", "total long", "update", GroupStateTimeout.NoTimeout
    )


def expected(number: int) -> dict[int, int]:
    """Give what a batch tells: the values of all batches up to it, and one for each."""
    values = range(ROWS * (number + 1))
    return {key: sum(v + 1 for v in values if v % KEYS == key) for key in range(KEYS)}
