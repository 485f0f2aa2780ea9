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
}


class Columns:
    """The columns of one batch."""

    def __init__(self, bridge: Any, batch: pa.RecordBatch) -> None:
        """Read ``batch`` through ``bridge``."""
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
            if lazy is None:
                kind, stored = _stored(array.slice(start, end - start))
            else:
                kind, stored = sql.NullType(), lazy.part(start, end)
            fields.append(sql.StructField(f"_{index}", kind))
            columns.append(stored)
        convert = sql._create_row_inbound_converter(sql.StructType(fields))
        return [convert(*row) for row in zip(*columns)]


def _stored(array: pa.Array) -> tuple[sql.DataType, list[Any]]:
    """Return the values of days or instants as Spark stores them."""
    if pa.types.is_date32(array.type):
        return sql.DateType(), array.view(pa.int32()).to_pylist()
    kind = sql.TimestampNTZType() if array.type.tz is None else sql.TimestampType()
    return kind, array.view(pa.int64()).to_pylist()


def _shape(of: pa.DataType) -> Any:
    """Return what the bridge makes the values of a type of."""
    if pa.types.is_list(of):
        return ("list", _shape(of.value_type))
    if pa.types.is_map(of):
        return ("map", (_shape(of.key_type), _shape(of.item_type)))
    if pa.types.is_struct(of):
        fields = (of[index] for index in range(of.num_fields))
        return ("row", tuple((field.name, _shape(field.type)) for field in fields))
    if pa.types.is_decimal128(of):
        return f"d:java,{of.scale}"
    return _FORMATS.get(of, "tsu:moment")


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
