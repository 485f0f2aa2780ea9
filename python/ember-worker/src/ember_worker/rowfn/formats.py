"""The types that the bridge converts, by their names in the C Data Interface."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from pyspark.sql import types as sql

FORMATS: dict[Any, str] = {
    pa.bool_(): "b",
    pa.int8(): "c",
    pa.int16(): "s",
    pa.int32(): "i",
    pa.int64(): "l",
    pa.float32(): "f",
    pa.float64(): "g",
    pa.string(): "u",
    pa.large_string(): "U",
    pa.binary(): "z",
    pa.large_binary(): "Z",
    pa.date32(): "tdD",
    pa.timestamp("us"): "tsu:",
}

#: Types whose values PySpark's converters do not change, on the way in and on the way out.
UNCONVERTED = ("b", "c", "s", "i", "l", "f", "g", "u", "U", "tdD")
PASSING: dict[str | None, Any] = {
    "u": sql.StringType,
    "U": sql.StringType,
    "z": sql.BinaryType,
    "Z": sql.BinaryType,
    "tsu:": sql.TimestampNTZType,
}
