"""Whatever a Python function may return: each value by its name, made anew each time.

A function may return a generator or a list that is used up or changed afterwards, so the table
holds how a value is made. What is made alone is then made again inside containers.
"""

# ruff: noqa: DTZ001 - times without a zone are what is tested

from __future__ import annotations

import array
import collections
import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import functools
import math
import types
import uuid
import zoneinfo
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyspark.sql import Row
from pyspark.sql import types as sql
from pyspark.testing.objects import ExamplePoint, PythonOnlyPoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

D = decimal.Decimal
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
FIXED = dt.timezone(dt.timedelta(hours=-3, minutes=-7, seconds=-1))


class Whole(int):
    """A subclass of int."""


class Real(float):
    """A subclass of float."""


class Words(str):
    """A subclass of str that shows itself as something else."""

    __slots__ = ()

    def __str__(self) -> str:
        return "other words"


class Octets(bytes):
    """A subclass of bytes."""


class Moment(dt.datetime):
    """A subclass of datetime."""


class Day(dt.date):
    """A subclass of date."""


class Number(D):
    """A subclass of Decimal."""


class Many(list):  # type: ignore[type-arg]
    """A subclass of list."""


class Table(dict):  # type: ignore[type-arg]
    """A subclass of dict."""


class Colour(enum.IntEnum):
    """An integer with a name."""

    RED = 3


class Letter(enum.StrEnum):
    """A text with a name."""

    A = "a"


class Plain(enum.Enum):
    """A name."""

    ONE = 1


class Odd:
    """An object that no type takes, and that says so in words."""

    def __str__(self) -> str:
        return "odd"


class Broken:
    """An object that cannot even be shown."""

    def __str__(self) -> str:
        message = "cannot be shown"
        raise RuntimeError(message)

    __repr__ = __str__


class Acts:
    """An object that can be taken for a number, a text, a list or an array, if one asks."""

    def __index__(self) -> int:
        return 7

    def __float__(self) -> float:
        return 7.5

    def __bytes__(self) -> bytes:
        return b"seven"

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[int]:
        return iter([7])

    def __repr__(self) -> str:
        return "acts"


class Fields:
    """An object with fields, as a struct takes it."""

    def __init__(self) -> None:
        self.a, self.b, self.x = 1, "x", 2

    def __repr__(self) -> str:
        return "fields"


@dataclasses.dataclass
class Data:
    """A dataclass."""

    a: int = 1
    b: str = "x"


class Scalar:
    """An object that pyarrow asks for a scalar of its own."""

    def __arrow_c_array__(self, _schema: Any = None) -> Any:
        return pa.array([1]).__arrow_c_array__()

    def __repr__(self) -> str:
        return "scalar"


Pair = collections.namedtuple("Pair", ["a", "b"])  # noqa: PYI024 - as users write them


def generator() -> Iterator[int]:
    """Yield a few numbers."""
    yield from (1, 2)


def constants(*values: Any) -> dict[str, Callable[[], Any]]:
    """Name values that nobody can change by what they are."""
    return {f"{type(it).__name__} {it!r:.60}": functools.partial(_same, it) for it in values}


def _same(value: Any) -> Any:
    return value


def _powers() -> list[int]:
    bits = (7, 8, 15, 16, 30, 31, 32, 53, 60, 63, 64, 100)
    found = {sign * 2**bit + more for bit in bits for sign in (1, -1) for more in (-1, 0, 1)}
    tens = {sign * 10**digits for digits in (2, 8, 10, 18, 19, 20, 37, 38, 39) for sign in (1, -1)}
    return sorted(found | tens | {0, 1, -1, 5})


def _floats() -> list[float]:
    sizes = [0.0, 1.0, 1.5, 0.1, 5e-324, 1e-45, 2.0**24 + 1, 2.0**31, 2.0**53, 2.0**63, 1e300]
    limits = [3.4028234663852886e38, 3.4028235677973366e38, math.inf, 127.0, 32768.0]
    return [sign * size for size in sizes + limits for sign in (1.0, -1.0)] + [math.nan]


def _decimals() -> list[D]:
    digits = ("0", "1", "5", "125", "9" * 10, "9" * 28, "1" * 38, "9" * 38, "1" * 39)
    made = [D(f"{sign}{it}E{exponent}") for it in digits for sign in ("", "-")
            for exponent in (-40, -38, -19, -18, -3, -2, -1, 0, 1, 2, 8, 28)]  # fmt: skip
    return [*made, *map(D, ("NaN", "-NaN", "sNaN", "Infinity", "-Infinity", "1E+6144", "1E-6143"))]


def _moments() -> list[Any]:
    at = [(1, 1, 1), (1600, 2, 29, 1), (1900, 2, 28, 23, 59), (1969, 12, 31, 23, 59, 59, 999_999),
          (2020, 1, 2, 3, 4, 5, 678_901), (2021, 3, 28, 2, 30), (2021, 10, 31, 2, 30),
          (2024, 3, 10, 2, 30), (2024, 11, 3, 1, 30), (2262, 4, 12),
          (9999, 12, 31, 23, 59, 59, 1)]  # fmt: skip
    naive = [dt.datetime(*it, fold=fold) for it in at for fold in (0, 1)]
    zones = (dt.UTC, BERLIN, FIXED)
    aware = [it.replace(tzinfo=zone) for it in naive for zone in zones]
    days = [dt.date(*it[:3]) for it in at]
    deltas = [dt.timedelta(0), dt.timedelta(1, 1, 1), dt.timedelta(microseconds=-1)]
    times = [dt.time(0), dt.time(1, 2, 3, 4), dt.time.max, dt.time(1, tzinfo=dt.UTC)]
    return [*naive, *aware, *days, *deltas, dt.timedelta.max, dt.timedelta.min, *times]


def _numpy() -> list[Any]:
    made = []
    for code in "?bhilqBHILQ":
        of = np.dtype(code)
        limits = (0, 1) if of.kind == "b" else (0, 1, np.iinfo(of).min, np.iinfo(of).max)
        made += [of.type(limit) for limit in limits]
    for code in "efdg":
        made += [np.dtype(code).type(it) for it in (0.0, -0.0, 1.5, math.inf, math.nan)]
    units = ("D", "s", "ms", "us", "ns")
    made += [np.datetime64("2020-01-02", unit) for unit in units]
    made += [np.timedelta64(5, unit) for unit in units]
    return [*made, np.datetime64("NaT"), np.str_("text"), np.bytes_(b"bytes"), np.complex128(1j)]


def _pandas() -> list[Any]:
    stamp = pd.Timestamp("2020-01-02 03:04:05.678901234")
    return [stamp, stamp.tz_localize("UTC"), pd.Timestamp("2021-10-31"), pd.NaT, pd.NA,
            pd.Timedelta(5, "us"), pd.Timedelta(7, "ns"), pd.Interval(0, 1),
            pd.Period("2020-01")]  # fmt: skip


def _texts() -> list[Any]:
    forms = ["", "a", "\u00e9", "text", "\u00ff" * 3, "\u65e5\u672c", "\U0001f600", "em\0bedded"]
    strange = ["\ud800", "a\udfffb", "1", "true", "1.5", "2020-01-02", "NaN", "x" * 5000, " a "]
    return [*forms, *strange, b"", b"a", b"\0\xff", b"x" * 5000, b"1"]


def _others() -> list[Any]:
    return [
        None, True, False, Whole(5), Whole(2**70), Real(2.5), Words("sub"), Octets(b"sub"),
        Moment(2020, 1, 2), Day(2020, 1, 2), Number("1.25"), Colour.RED, Letter.A, Plain.ONE,
        1j, fractions.Fraction(1, 3), uuid.UUID(int=5), range(3), ..., NotImplemented, Odd, len,
        math, types.SimpleNamespace, ValueError("raised"), sql.VariantVal.parseJson('{"a":1}'),
        ExamplePoint(1.0, 2.0), PythonOnlyPoint(1.0, 2.0), (), frozenset(), frozenset({1}),
        sql.Geometry(b"\x01\x01" + bytes(19), 4326), sql.Geography(b"\x01\x01" + bytes(19), 4326),
        sql.Geometry(b"\x01\x01" + bytes(19), 0), b"%", slice(1), dt.UTC, memoryview(b"mv"),
    ]  # fmt: skip


MADE: dict[str, Callable[[], Any]] = {
    "bytearray": lambda: bytearray(b"ba"),
    "empty bytearray": bytearray,
    "array of longs": lambda: array.array("q", [1, 2]),
    "array of doubles": lambda: array.array("d", [1.5]),
    "array of bytes": lambda: array.array("b", [1]),
    "empty list": list,
    "empty dict": dict,
    "mixed list": lambda: [1, "a", None],
    "many": lambda: Many([1, None]),
    "table": lambda: Table(a=1, b="x"),
    "ordered": lambda: collections.OrderedDict(b="x", a=1),
    "defaults": lambda: collections.defaultdict(int, a=1),
    "deque": lambda: collections.deque([1]),
    "named tuple": lambda: Pair(1, "x"),
    "row": lambda: Row(a=1, b="x"),
    "row by place": lambda: Row(1, "x"),
    "row class": lambda: Row("a", "b"),
    "row of more": lambda: Row(a=1, b="x", c=None),
    "dict of fields": lambda: {"a": 1, "b": "x"},
    "dict of other fields": lambda: {"c": 1},
    "tuple of fields": lambda: (1, "x"),
    "set": lambda: {1, 2},
    "generator": generator,
    "iterator": lambda: iter([1, 2]),
    "map": lambda: map(abs, [1]),
    "zip": lambda: zip([1], [2], strict=True),
    "items": lambda: dict(a=1).items(),  # noqa: C408 - anew
    "keys": lambda: dict(a=1).keys(),  # noqa: C408 - anew
    "object": object,
    "odd": Odd,
    "broken": Broken,
    "acts": Acts,
    "fields": Fields,
    "data": Data,
    "namespace": lambda: types.SimpleNamespace(a=1, b="x"),
    "scalar": Scalar,
    "function": lambda: lambda: 1,
    "one-dimensional": lambda: np.array([1, 2]),
    "two-dimensional": lambda: np.array([[1, 2], [3, 4]]),
    "zero-dimensional": lambda: np.array(7),
    "texts of numpy": lambda: np.array(["a", "b"]),
    "objects of numpy": lambda: np.array([1, "a", None], object),
    "structured": lambda: np.array([(1, 2.0)], [("a", "i8"), ("b", "f8")])[0],
    "series": lambda: pd.Series([1, 2]),
    "frame": lambda: pd.DataFrame({"a": [1]}),
    "arrow scalar": lambda: pa.scalar(1),
    "arrow text": lambda: pa.scalar("a"),
    "arrow null": lambda: pa.scalar(None, pa.int64()),
    "arrow array": lambda: pa.array([1]),
}

ALONE = {
    **constants(*_others(), *_powers(), *_floats(), *_decimals(), *_moments()),
    **constants(*_numpy(), *_pandas(), *_texts()),
    **MADE,
}

AROUND: dict[str, Callable[[Any], Any]] = {
    "list": lambda it: [it],
    "list with a null": lambda it: [it, None],
    "tuple": lambda it: (it,),
    "pair": lambda it: (it, "x"),
    "field": lambda it: {"a": it},
    "fields": lambda it: {"a": it, "b": "x"},
    "key": lambda it: {it: 1},
    "row": lambda it: Row(a=it),
    "set": lambda it: {it},
    "deep list": lambda it: [[it], None, []],
    "list of rows": lambda it: [Row(a=it, b=None)],
    "deep fields": lambda it: {"a": {"a": it, "b": None}},
    "list in a field": lambda it: {"a": [it], "k": [None]},
}


def inside(make: Callable[[], Any], around: Callable[[Any], Any]) -> Callable[[], Any]:
    """Make a value inside a container; what cannot be a key is returned alone."""

    def made() -> Any:
        value = make()
        try:
            return around(value)
        except TypeError:
            return value

    return made


NESTED = {
    f"{name} in a {container}": inside(make, around)
    for name, make in ALONE.items()
    for container, around in AROUND.items()
}
EVERY = {**ALONE, **NESTED}
