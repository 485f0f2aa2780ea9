"""Dates written in four ways, and some that are none."""

from datetime import date, datetime

from pyspark.sql import DataFrame
from pyspark.sql.functions import udf

from suite.workload import Workload

FORMATS = ("%Y-%m-%d", "%d/%m/%Y", "%b %d, %Y", "%Y%m%d")


def parse(text: str) -> date | None:
    """Read a date by the first format that fits."""
    for form in FORMATS:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a date has no zone
        except ValueError:
            continue
    return None


def apply(frame: DataFrame) -> DataFrame:
    """Run the function over the frame."""
    return frame.select("id", udf(parse, "date")("day").alias("parsed"))


PARSE_DATE = Workload("parse_date", "row", apply, (parse,), ("day",))
