"""Columns on their way in: lazy where the bridge makes the very objects that PySpark would make."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from pyspark.sql import types as sql

from ember_worker.rowfn.formats import FORMATS, UNCONVERTED


class Inputs:
    """``ArrowTableToRowsConversion`` for ``read_udfs``."""

    def __init__(self, bridge: Any, stock: Any) -> None:
        """Stand before PySpark's class."""
        self._bridge = bridge
        self._stock = stock
        self._columns: list[_InputColumn] = []
        self._next = 0
        self._takers: dict[int, int] = {}

    def taken_by(self, offsets: list[int]) -> None:
        """Say which columns one function is called with."""
        for offset in set(offsets):
            self._takers[offset] = self._takers.get(offset, 0) + 1

    def _create_converter(self, kind: Any, **options: Any) -> Any:
        converter = self._stock._create_converter(kind, **options)
        column = _InputColumn(kind, converter, **options)
        self._columns.append(column)
        if converter is None or column.formats is None:
            return converter
        whole = self._bridge.Column
        return lambda value: value if type(value) is whole else converter(value)

    def _to_pylist(self, array: Any) -> Any:
        place, column = self._next, self._columns[self._next]
        self._next = (place + 1) % len(self._columns)
        lazy, shape = None, column.shape_of(array)
        # Lists are made for each call: where one function changes them, another would not see it.
        if shape is not None and (type(shape) is str or self._takers.get(place) == 1):
            lazy = self._bridge.column(array, shape)
        if lazy is None:
            return self._stock._to_pylist(array)
        return lazy if column.converter is None else [lazy]  # the converter lets it through

    def unwrapped(self, column: Any) -> Any:
        """Return a column as it was before it went through its converter."""
        if type(column) is list and len(column) == 1 and type(column[0]) is self._bridge.Column:
            return column[0]
        return column


class _InputColumn:
    """One input column: which types the bridge reads as PySpark's converter does."""

    def __init__(
        self, kind: Any, converter: Any, *, binary_as_bytes: bool = True, **_options: Any
    ) -> None:
        """Describe a column of type ``kind``."""
        self.converter = converter
        self.formats: Any = None
        if converter is None:
            self.formats = UNCONVERTED
        elif isinstance(kind, sql.TimestampType):
            self.formats = ("tsu:local",)
        elif isinstance(kind, sql.TimestampNTZType):
            self.formats = ("tsu:",)
        elif isinstance(kind, sql.BinaryType) and binary_as_bytes:
            self.formats = ("z", "Z")
        self._seen: tuple[Any, Any] = (None, None)

    def shape_of(self, array: Any) -> Any:
        """Return what the bridge makes the values of, if they need no other conversion."""
        if self._seen[0] != array.type:
            self._seen = (array.type, self._shape(array.type))
        return self._seen[1]

    def _shape(self, found: Any) -> Any:
        if self.formats is None:
            return None
        if pa.types.is_list(found) and self.converter is None:
            element = self._shape(found.value_type)
            return element and ("list", element)
        if pa.types.is_decimal128(found) and self.converter is None:
            return f"d:{found.precision},{found.scale}"
        name = FORMATS.get(found)
        if pa.types.is_timestamp(found) and found.unit == "us" and _zone_is_known(found):
            name = "tsu:local"
        return name if name in self.formats else None


def _zone_is_known(instants: pa.DataType) -> bool:
    """Tell whether Python knows the zone, or Spark fails: Java knows more of them."""
    if instants.tz is None:
        return False
    try:
        pa.scalar(0, instants).as_py()
    except Exception:  # noqa: BLE001 - it is raised again, by PySpark's own conversion
        return False
    return True
