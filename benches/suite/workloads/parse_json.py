"""A JSON document to a struct with a list in it."""

import json

from pyspark.sql import DataFrame
from pyspark.sql.functions import udf

from suite.workload import Workload

SCHEMA = "user string, score double, active boolean, tags array<string>"

Event = tuple[str, float, bool, list[str]]


def parse(text: str) -> Event | None:
    """Read the fields of an event; a broken document is null."""
    try:
        event = json.loads(text)
    except ValueError:
        return None
    return event["user"]["name"], float(event["score"]), event["active"], event["tags"]


def apply(frame: DataFrame) -> DataFrame:
    """Run the function over the frame."""
    return frame.select("id", udf(parse, SCHEMA)("document").alias("event"))


PARSE_JSON = Workload("parse_json", "row", apply, (parse,), ("document",))
