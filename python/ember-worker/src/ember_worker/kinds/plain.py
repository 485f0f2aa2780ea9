"""Values that may wait for their conversion to Arrow: it cannot fail, and nobody can change them.

What a function gives for one row or one group is a value or a few. Converted one by one they cost
as much as a thousand together, so they wait for one another; a value of any other kind is
converted at once, as PySpark does it, and says so at once if it cannot be.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from pyspark.sql import types as sql

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql.types import DataType

#: Text and bytes that are longer do not wait.
_LONG = 1 << 10


def plain(of: DataType, *, nullable: bool = False) -> Callable[[Any], bool] | None:
    """Return what tells whether a value of type ``of`` may wait; None if no such value may."""
    check = _PLAIN.get(type(of))
    if check is None or not nullable:
        return check
    return lambda value: value is None or check(value)


def _integer(bits: int) -> Callable[[Any], bool]:
    limit = 1 << (bits - 1)

    def fits(value: Any) -> bool:
        return type(value) is int and -limit <= value < limit

    return fits


def _boolean(value: Any) -> bool:
    return type(value) is bool


def _float(value: Any) -> bool:
    return type(value) is float


def _date(value: Any) -> bool:
    return type(value) is dt.date


def _bytes(value: Any) -> bool:
    return type(value) is bytes and len(value) < _LONG


def _text(value: Any) -> bool:
    return type(value) is str and len(value) < _LONG and (value.isascii() or _is_unicode(value))


def _is_unicode(value: str) -> bool:
    """Tell whether it can be encoded: half a surrogate cannot."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


_PLAIN: dict[type[DataType], Callable[[Any], bool]] = {
    sql.BooleanType: _boolean,
    sql.ByteType: _integer(8),
    sql.ShortType: _integer(16),
    sql.IntegerType: _integer(32),
    sql.LongType: _integer(64),
    sql.FloatType: _float,
    sql.DoubleType: _float,
    sql.StringType: _text,
    sql.BinaryType: _bytes,
    sql.DateType: _date,
}
