"""Three functions in one projection: one node, one trip, three results."""

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql.functions import arrow_udf, udf

from suite.workload import MILLION, Workload
from suite.workloads.add_one import add_arrow, add_row


def half(x: int) -> float:
    """Halve a number."""
    return x / 2


def spell(x: int) -> str:
    """Write a number in hexadecimal."""
    return f"{x:x}"


def half_arrow(x: pa.Array) -> pa.Array:
    """Halve a batch."""
    return pc.divide(x.cast(pa.float64()), 2.0)


def spell_arrow(x: pa.Array) -> pa.Array:
    """Write a batch of numbers as text."""
    return x.cast(pa.string())


def by_row(frame: DataFrame) -> DataFrame:
    """Run three row functions."""
    one, two, three = udf(add_row, "bigint"), udf(half, "double"), udf(spell, "string")
    return frame.select("id", one("id").alias("a"), two("id").alias("b"), three("id").alias("c"))


def by_arrow(frame: DataFrame) -> DataFrame:
    """Run three Arrow functions."""
    one = arrow_udf(add_arrow, "bigint")
    two, three = arrow_udf(half_arrow, "double"), arrow_udf(spell_arrow, "string")
    return frame.select("id", one("id").alias("a"), two("id").alias("b"), three("id").alias("c"))


THREE_AT_ONCE = (
    Workload("three_row_1m", "row", by_row, (add_row, half, spell), rows=MILLION),
    Workload(
        "three_arrow_1m", "arrow", by_arrow, (add_arrow, half_arrow, spell_arrow), rows=MILLION
    ),
)
