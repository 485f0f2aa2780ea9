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


def shape(kind: sql.DataType, arrow: pa.DataType) -> Any:
    """Return what the bridge gathers results of a type in, or nothing if values are converted."""
    if type(kind) is sql.StructType and pa.types.is_struct(arrow) and kind.fields:
        return _struct(kind, [arrow[index].type for index in range(arrow.num_fields)])
    if type(kind) is sql.ArrayType and pa.types.is_list(arrow):
        element = shape(kind.elementType, arrow.value_type)
        return element and ("list", element, kind.containsNull)
    if type(kind) is sql.MapType and pa.types.is_map(arrow):
        key = shape(kind.keyType, arrow.key_type)
        value = shape(kind.valueType, arrow.item_type)
        return key and value and ("map", key, value, kind.valueContainsNull)
    name = FORMATS.get(arrow)
    passing = isinstance(kind, PASSING.get(name, ()))
    return name if passing or not _is_converted(kind) else None


def _is_converted(kind: sql.DataType) -> bool:
    from pyspark.sql.conversion import LocalDataToArrowConversion  # which 3.5 does not have

    return bool(LocalDataToArrowConversion._need_converter(kind))


def _struct(kind: sql.StructType, columns: list[pa.DataType]) -> Any:
    fields = [
        (field.name, shape(field.dataType, column), field.nullable)
        for field, column in zip(kind.fields, columns, strict=True)
    ]
    # Fields of one name PySpark renames, and then finds none of them.
    distinct = len(set(kind.names)) == len(fields)
    return ("struct", tuple(fields)) if distinct and all(of for _, of, _ in fields) else None
