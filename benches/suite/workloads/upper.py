"""``s.upper()`` on strings of twenty characters."""

from pyspark.sql import DataFrame
from pyspark.sql.functions import udf

from suite.workload import ALL_LEGS, MILLION, Workload


def upper(s: str) -> str:
    """Give the text in capitals."""
    return s.upper()


def apply(frame: DataFrame) -> DataFrame:
    """Run the function over the frame."""
    return frame.select("id", udf(upper, "string")("word").alias("upper"))


UPPER = Workload(
    "upper_row_1m",
    "row",
    apply,
    (upper,),
    ("word",),
    rows=MILLION,
    source="mixed",
    legs=(*ALL_LEGS, "pickled"),
)
