"""The rounds of a soak: functions of every kind, over inputs that the dice choose."""

import random
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, GroupedData, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812 - as PySpark is written

from suite import soak_faults, soak_streams
from suite.evidence import python_nodes
from suite.soak_faults import right
from suite.workloads.lanes import spin
from suite.workloads.table_function import AddOne

#: Within this time an executor with nothing to do embeds again.
SETTLE_S: Final = 60.0

Round = Callable[[SparkSession, str, random.Random], str | None]


def numbers(spark: SparkSession, dice: random.Random, most: int = 200_000) -> tuple[DataFrame, int]:
    """Make some rows in one to four partitions, and say how many."""
    rows = min(most, dice.choice((0, 1, 100, 20_000, 200_000)))
    return spark.range(rows, numPartitions=dice.randint(1, 4)), rows


def row_function(spark: SparkSession, _lane: str, dice: random.Random) -> str | None:
    """Add one to each row."""
    frame, rows = numbers(spark, dice)
    plus = F.udf(lambda v: v + 1, "long")
    return right(frame.select(plus("id").alias("v")), rows * (rows + 1) // 2)


def pickled_function(spark: SparkSession, _lane: str, dice: random.Random) -> str | None:
    """Add one to each row, in pickles."""
    frame, rows = numbers(spark, dice)
    plus = F.udf(lambda v: v + 1, "long", useArrow=False)
    return right(frame.select(plus("id").alias("v")), rows * (rows + 1) // 2)


def text_function(spark: SparkSession, _lane: str, dice: random.Random) -> str | None:
    """Send text there and back."""
    frame, rows = numbers(spark, dice)
    rows_text = frame.select(F.concat(F.lit("é"), F.col("id").cast("string")).alias("s"))
    length = F.udf(lambda s: s + s, "string")
    doubled = rows_text.select(F.length(length("s")).alias("v"))
    digits = sum(len(str(number)) for number in range(rows))
    return right(doubled, 2 * (rows + digits))


def pandas_function(spark: SparkSession, _lane: str, dice: random.Random) -> str | None:
    """Run a pandas function."""
    frame, rows = numbers(spark, dice)

    @F.pandas_udf("long")  # type: ignore[call-overload]
    def twice(values: pd.Series) -> pd.Series:
        return values * 2

    return right(frame.select(twice("id").alias("v")), rows * (rows - 1))


def map_function(spark: SparkSession, _lane: str, dice: random.Random) -> str | None:
    """Keep every other row, in record batches."""
    frame, rows = numbers(spark, dice)

    def halve(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            mask = pa.array([value.as_py() % 2 == 0 for value in batch.column(0)], pa.bool_())
            yield batch.filter(mask)

    mapped = frame.mapInArrow(halve, "id long")
    return right(mapped.select(F.col("id").alias("v")), sum(range(0, rows, 2)))


def chained(spark: SparkSession, _lane: str, dice: random.Random) -> str | None:
    """Run a function over what another made."""
    frame, rows = numbers(spark, dice)
    plus = F.udf(lambda v: v + 1, "long")
    once = frame.mapInArrow(lambda batches: batches, "id long")
    return right(once.select(plus(plus("id")).alias("v")), rows * (rows - 1) // 2 + 2 * rows)


def early_end(spark: SparkSession, _lane: str, _dice: random.Random) -> str | None:
    """Want three rows of many."""
    plus = F.udf(lambda v: v + 1, "long")
    found = spark.range(300_000, numPartitions=2).select(plus("id").alias("v")).limit(3).count()
    return None if found == 3 else f"{found} rows of a limit of 3"


def crowded(spark: SparkSession, _lane: str, dice: random.Random) -> str | None:
    """Let two tasks that keep Python busy meet in the executor; one of them may move on."""
    mark = dice.getrandbits(40)
    busy = F.udf(lambda v: v + mark - mark + 0 * spin(v), "long")
    rows = 200_000
    spark.conf.set("spark.ember.embedded.tasks", "2")
    try:
        frame = spark.range(rows, numPartitions=2).select(busy("id").alias("v"))
        return right(frame, rows * (rows - 1) // 2)
    finally:
        spark.conf.unset("spark.ember.embedded.tasks")


def alone(spark: SparkSession) -> str | None:
    """Run a function that nobody knows where nothing else runs: it has to be embedded."""
    mark = time.monotonic_ns()
    spark.conf.set("spark.ember.lane", "auto")
    frame = spark.range(10, numPartitions=1).select(F.udf(lambda v: v + mark - mark, "long")("id"))
    deadline = time.monotonic() + SETTLE_S  # until C code that was left to itself has come back
    while True:
        frame.collect()
        (node,) = python_nodes(spark)
        if node.embedded == 1:
            return None
        if time.monotonic() > deadline:
            return f"the idle executor does not embed: {node.choices} {node.reasons}"
        time.sleep(1)


def table_function(spark: SparkSession, _lane: str, dice: random.Random) -> str | None:
    """Join rows with what a table function makes of them, in either format."""
    frame, rows = numbers(spark, dice, 20_000)
    function = F.udtf(AddOne, returnType="v bigint", useArrow=dice.random() < 0.5)
    spark.udtf.register("add_one", function)
    frame.createOrReplaceTempView("numbers_of_soak")
    joined = spark.sql("select f.v from numbers_of_soak n, lateral add_one(n.id) f")
    return right(joined, rows * (rows + 1) // 2)


def in_groups(
    spark: SparkSession, dice: random.Random, over: Callable[[GroupedData], DataFrame]
) -> str | None:
    """Sum the rows of each group, and the sums."""
    frame, rows = numbers(spark, dice, 20_000)
    keyed = frame.withColumn("k", F.col("id") % dice.choice((1, 7, 500)))
    return right(over(keyed.groupBy("k")), rows * (rows - 1) // 2)


def pandas_groups(spark: SparkSession, _lane: str, dice: random.Random) -> str | None:
    """Run applyInPandas."""

    def total(group: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"v": [int(group["id"].sum())]})

    return in_groups(spark, dice, lambda groups: groups.applyInPandas(total, "v long"))


def arrow_groups(spark: SparkSession, _lane: str, dice: random.Random) -> str | None:
    """Run applyInArrow."""

    def total(group: pa.Table) -> pa.Table:
        return pa.table({"v": [pc.sum(group["id"]).as_py()]})

    return in_groups(spark, dice, lambda groups: groups.applyInArrow(total, "v long"))


def cogroups(spark: SparkSession, _lane: str, dice: random.Random) -> str | None:
    """Run applyInPandas over a cogroup of the groups with themselves."""

    def half(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"v": [(int(one["id"].sum()) + int(other["id"].sum())) // 2]})

    return in_groups(
        spark, dice, lambda groups: groups.cogroup(groups).applyInPandas(half, "v long")
    )


def aggregate(spark: SparkSession, _lane: str, dice: random.Random) -> str | None:
    """Run an aggregate of a pandas function."""
    total = F.pandas_udf(_total, "long")
    return in_groups(spark, dice, lambda groups: groups.agg(total("id").alias("v")))


def window(spark: SparkSession, _lane: str, dice: random.Random) -> str | None:
    """Run the same over windows of twenty rows."""
    frame, rows = numbers(spark, dice, 20_000)
    total: Any = F.pandas_udf(_total, "long")
    windows = Window.partitionBy(F.expr("id div 20"))
    summed = frame.select(F.col("id"), total("id").over(windows).alias("w"))
    first = summed.where("id % 20 = 0").select(F.col("w").alias("v"))
    return right(first, rows * (rows - 1) // 2)


def _total(values: pd.Series) -> int:
    return int(values.sum())


ROUNDS: Final[tuple[tuple[str, Round], ...]] = tuple(
    (act.__name__, act)
    for act in (
        *(row_function, row_function, pickled_function, text_function, pandas_function),
        *(map_function, chained, early_end, crowded, crowded, table_function),
        *(pandas_groups, arrow_groups, cogroups, aggregate, window),
        *(soak_streams.stream_with_state, soak_faults.raises, soak_faults.crashes),
        *(soak_faults.cancelled, soak_faults.hangs),
    )
)
