"""Arguments in columns: the very objects that PySpark makes of Spark's pickles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark.sql import types as sql

if TYPE_CHECKING:
    from collections.abc import Iterator

_FORMATS: dict[Any, str] = {
    pa.bool_(): "b",
    pa.int8(): "c",
    pa.int16(): "s",
    pa.int32(): "i",
    pa.int64(): "l",
    pa.float32(): "f",
    pa.float64(): "g",
    pa.string(): "u:java",
    pa.binary(): "z",
    pa.date32(): "tdD",
    pa.timestamp("us"): "tsu:",
    pa.timestamp("us", "UTC"): "tsu:moment",
}
#: The same of times as Spark stores them, before PySpark's conversion.
_STORED = _FORMATS | {
    pa.date32(): "i",
    pa.timestamp("us"): "l",
    pa.timestamp("us", "UTC"): "l",
}


class Columns:
    """The columns of one batch."""

    def __init__(self, bridge: Any, batch: pa.RecordBatch) -> None:
        """Read ``batch`` through ``bridge``."""
        self._bridge = bridge
        self._arrays = batch.columns
        self.rows = batch.num_rows
        self.lazy = [bridge.column(array, _shape(array.type)) for array in self._arrays]

    @property
    def whole(self) -> bool:
        """Tell whether every value is one that Python has, too."""
        return all(column is not None for column in self.lazy)

    def part(self, start: int, end: int) -> Iterator[Any] | list[Any]:
        """Return some rows, or raise as PySpark does for a value that Python has not."""
        if not self._arrays:
            return [()] * (end - start)
        if self.whole:
            return zip(*(column.part(start, end) for column in self.lazy))
        return self._converted(start, end)

    def _converted(self, start: int, end: int) -> list[Any]:
        """Convert as the pickle of a group does, which names PySpark's converter of rows."""
        columns, fields = [], []
        for index, (lazy, array) in enumerate(zip(self.lazy, self._arrays)):
            kind = sql.NullType() if lazy is not None else _kind(array.type)
            column = lazy or self._bridge.column(array, _shape(array.type, _STORED))
            fields.append(sql.StructField(f"_{index}", kind))
            columns.append(column.part(start, end))
        convert = sql._create_row_inbound_converter(sql.StructType(fields))
        return [convert(*row) for row in zip(*columns)]


def _shape(of: pa.DataType, formats: dict[Any, str] = _FORMATS) -> Any:
    """Return what the bridge makes the values of a type of."""
    if pa.types.is_list(of):
        return ("list", _shape(of.value_type, formats))
    if pa.types.is_map(of):
        return ("map", (_shape(of.key_type, formats), _shape(of.item_type, formats)))
    if pa.types.is_struct(of):
        fields = (of[index] for index in range(of.num_fields))
        return ("row", tuple((field.name, _shape(field.type, formats)) for field in fields))
    if pa.types.is_decimal128(of):
        return f"d:java,{of.scale}"
    return formats[of]


def _kind(of: pa.DataType) -> sql.DataType:
    """Return the type by which PySpark converts stored times; values of others it leaves alone."""
    if pa.types.is_list(of):
        return sql.ArrayType(_kind(of.value_type))
    if pa.types.is_map(of):
        return sql.MapType(_kind(of.key_type), _kind(of.item_type))
    if pa.types.is_date32(of):
        return sql.DateType()
    if pa.types.is_timestamp(of):
        return sql.TimestampNTZType() if of.tz is None else sql.TimestampType()
    return sql.NullType()


class Unpickled:
    """The rows of one of Spark's pickles, as if they had come in columns."""

    whole = True

    def __init__(self, rows: list[Any]) -> None:
        """Stand beside ``rows``, at least one."""
        self._rows = rows
        self.rows = len(rows)
        self.lazy = [list(column) for column in zip(*rows)]

    def part(self, start: int, end: int) -> list[Any]:
        """Return some rows."""
        return self._rows[start:end]
