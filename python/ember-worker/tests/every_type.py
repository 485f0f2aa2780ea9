"""Every Spark SQL type, nested twice, and the values that a column of each may hold."""

from __future__ import annotations

import contextlib
import decimal
import itertools
import math
import random
import struct
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark.errors import PySparkTypeError
from pyspark.sql import types as sql
from pyspark.sql.pandas.types import to_arrow_type
from pyspark.testing.objects import ExamplePointUDT, PythonOnlyUDT

if TYPE_CHECKING:
    from collections.abc import Callable

D = decimal.Decimal
DAY = 86_400_000_000
DAY_TIME = sql.DayTimeIntervalType

PLAIN: list[sql.DataType] = [
    sql.BooleanType(), sql.ByteType(), sql.ShortType(), sql.IntegerType(), sql.LongType(),
    sql.FloatType(), sql.DoubleType(), sql.DecimalType(10, 2), sql.DecimalType(38, 18),
    sql.StringType(), sql.StringType("UTF8_LCASE"), sql.BinaryType(), sql.DateType(),
    sql.TimestampType(), sql.TimestampNTZType(), sql.TimeType(), sql.DayTimeIntervalType(),
    sql.VariantType(), sql.NullType(), sql.GeometryType(4326), sql.GeographyType(4326),
    ExamplePointUDT(), PythonOnlyUDT(),
]  # fmt: skip

#: The same in all their parameters.
MORE: list[sql.DataType] = [
    *(sql.DecimalType(digits, scale)
      for digits in range(1, 39) for scale in sorted({0, digits // 2, digits})),
    *(sql.StringType(name) for name in ("UNICODE", "UNICODE_CI", "de_CI_AI", "UTF8_BINARY_RTRIM")),
    *(sql.TimeType(precision) for precision in range(7)),
    *(DAY_TIME(first, last) for first in range(4) for last in range(first, 4)),
]  # fmt: skip

#: Types that have no form in Arrow: Spark's worker refuses them.
REFUSED: list[sql.DataType] = [
    sql.YearMonthIntervalType(), sql.CalendarIntervalType(), sql.CharType(3), sql.VarcharType(3),
    sql.ArrayType(sql.YearMonthIntervalType()),
]  # fmt: skip


def field(name: str, kind: sql.DataType, *, nullable: bool = True) -> sql.StructField:
    """Return a field of a struct."""
    return sql.StructField(name, kind, nullable)


WRAPPERS: list[Callable[[sql.DataType], sql.DataType]] = [
    sql.ArrayType,
    lambda kind: sql.ArrayType(kind, containsNull=False),
    lambda kind: sql.MapType(sql.StringType(), kind),
    lambda kind: sql.MapType(sql.LongType(), kind, valueContainsNull=False),
    lambda kind: sql.StructType([field("a", kind), field("b", sql.StringType())]),
    lambda kind: sql.StructType([field("a", kind, nullable=False)]),
]
ONCE = [wrap(kind) for kind in PLAIN for wrap in WRAPPERS]
ONCE += [sql.MapType(kind, sql.LongType()) for kind in PLAIN if type(kind) not in (
    sql.NullType, sql.VariantType, sql.GeometryType, sql.GeographyType
)]  # fmt: skip
ONCE += [sql.StructType([]), sql.StructType([field("x", sql.LongType())] * 2)]
TWICE = [outer(inner(kind)) for kind in PLAIN for inner in WRAPPERS for outer in WRAPPERS]
EVERY = [*PLAIN, *MORE, *REFUSED, *ONCE, *TWICE]


def held(kinds: list[sql.DataType]) -> list[sql.DataType]:
    """Return the types that a column can have: a null that may not be null has no form in Arrow."""
    found = []
    for kind in kinds:
        with contextlib.suppress(ValueError, PySparkTypeError):
            to_arrow_type(kind, timezone="UTC")
            found.append(kind)
    return found


WHOLE = {sql.ByteType: 8, sql.ShortType: 16, sql.IntegerType: 32, sql.LongType: 64}
MOMENTS = [
    0, -1, 1, 999_999, 10**15, -62_135_510_400_000_000, 253_402_214_400_000_000,
    1_616_893_200_000_000, 1_635_640_200_000_000, 1_635_643_800_000_000, 1_711_846_800_000_000,
    1_710_064_800_000_000, 1_730_624_400_000_000, -2_208_988_800_000_001, -5 * 10**15,
]  # fmt: skip
TEXTS = ["", "a", "1", "caf\u00e9", "\u65e5\u672c", "\U0001f600", "em\0bedded", "x" * 300, "\x7f"]
BYTES = [b"", b"a", b"\0\xff", b"x" * 300, bytes(range(256))]
POINT = struct.pack("<BIdd", 1, 1, 1.5, -2.5)


def stored(kind: sql.DataType, draw: random.Random) -> Any:
    """Return a value that a column of this type holds, in a form that pyarrow takes."""
    if isinstance(kind, sql.ArrayType):
        element = kind.elementType, draw, kind.containsNull
        return [_inside(*element) for _ in range(draw.randrange(4))]
    if isinstance(kind, sql.MapType):
        keys = [_inside(kind.keyType, draw, null=False) for _ in range(draw.randrange(4))]
        alone = {repr(key): key for key in keys}
        values = kind.valueType, draw, kind.valueContainsNull
        return [(key, _inside(*values)) for key in alone.values()]
    if isinstance(kind, sql.StructType):
        return {it.name: _inside(it.dataType, draw, it.nullable) for it in kind.fields}
    if isinstance(kind, sql.UserDefinedType):
        return [draw.choice(_BORDERS[sql.DoubleType]), -2.5]  # a point, as both of them are
    return draw.choice(borders(kind))


def _inside(kind: sql.DataType, draw: random.Random, null: bool) -> Any:  # noqa: FBT001 - a field of it
    return None if null and draw.random() < 0.25 else stored(kind, draw)


def borders(kind: sql.DataType) -> list[Any]:
    """Return the values of a type that is not nested, as pyarrow takes them."""
    if (bits := WHOLE.get(type(kind))) is not None:
        return [0, 1, -1, 5, 2 ** (bits - 1) - 1, -(2 ** (bits - 1))]
    if isinstance(kind, sql.DecimalType):
        whole = [0, 1, -1, 10**kind.precision - 1, 1 - 10**kind.precision, 5 * 10**kind.scale]
        return [D(it).scaleb(-kind.scale, _WIDE) for it in whole if abs(it) < 10**kind.precision]
    if isinstance(kind, sql.TimeType):
        return [0, 1_000, 86_399_999_999_000, 3_600_000_000_000]
    if isinstance(kind, sql.VariantType):
        texts = ("null", "1", "1.5", '"x"', '{"a":[1,null,"x"]}', "true")
        parsed = map(sql.VariantVal.parseJson, texts)
        return [{"value": bytes(it.value), "metadata": bytes(it.metadata)} for it in parsed]
    return _BORDERS[type(kind)]


_WIDE = decimal.Context(prec=60)
_BORDERS: dict[type, list[Any]] = {
    sql.NullType: [None],
    sql.BooleanType: [True, False],
    sql.FloatType: [0.0, -0.0, 1.5, 1e-45, 3.4028234663852886e38, math.inf, -math.inf, math.nan],
    sql.DoubleType: [0.0, -0.0, 0.1, 5e-324, 1e308, math.inf, -math.inf, math.nan],
    sql.StringType: TEXTS,
    sql.BinaryType: BYTES,
    sql.DateType: [0, -1, 59, 19_782, -719_162, 2_932_896, -141_427, 11_016],
    sql.TimestampType: MOMENTS[:5] + MOMENTS[7:],
    sql.TimestampNTZType: MOMENTS,
    sql.DayTimeIntervalType: [0, 1, -1, DAY, -DAY - 1, 10**15, -(10**17)],
    sql.GeometryType: [{"srid": 4326, "wkb": POINT}],
    sql.GeographyType: [{"srid": 4326, "wkb": POINT}],
}


def column(kind: sql.DataType, seed: int, *, large: bool = False) -> pa.Array:
    """Return a column with every border of the type, nulls between them, and random others."""
    draw = random.Random(f"{kind.simpleString()} {seed}")
    of = to_arrow_type(kind, timezone="UTC", prefers_large_types=large)
    nested = isinstance(kind, sql.ArrayType | sql.MapType | sql.StructType | sql.UserDefinedType)
    values = [] if nested else list(borders(kind))
    values += [stored(kind, draw) for _ in range(6)]
    holed = list(itertools.chain.from_iterable((value, None) for value in values))
    return pa.array(holed if seed % 2 else values, of)
