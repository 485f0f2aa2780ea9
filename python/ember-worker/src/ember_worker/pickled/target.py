"""The functions of a session, and the types they declared."""

from __future__ import annotations

from types import FunctionType
from typing import TYPE_CHECKING, Any

from pyspark.sql import types as sql

from ember_worker.depth import deeper
from ember_worker.pickled.turns import Nothing, Raised, Turns
from ember_worker.rowfn.names import EVERY, EVERY_FOREIGN, LAZY, LEVELS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

#: The types whose exact values need no pickle, by the names that the bridge knows them by; alone.
FORMATS: dict[type, str] = {
    sql.BooleanType: "b",
    sql.ByteType: "c",
    sql.ShortType: "s",
    sql.IntegerType: "i",
    sql.LongType: "l",
    sql.FloatType: "f",
    sql.DoubleType: "g",
    sql.StringType: "u",
    sql.BinaryType: "z",
    sql.DateType: "tdD",
    sql.TimestampType: "tsu:UTC",
    sql.TimestampNTZType: "tsu:",
}
#: Those of a map's keys whose order Java finds again: not of rounded numbers, of bytes, or
#: of times that may be one instant.
_KEYS = frozenset(FORMATS.values()) - {"f", "z", "tsu:UTC"}
#: The collation of texts that are equal if their bytes are; until 3.5 there was no other.
_BINARY = "UTF8_BINARY"


class Declared:
    """The declared type of a function: results that are in a column already pass it."""

    def __init__(self, kind: Any, results: type | None) -> None:
        """Stand before ``kind``; ``results`` is the bridge's class of them."""
        self._kind = kind
        self._passing = (results, Nothing)
        #: What a column of its results is made of, and the same if results may go there at once.
        self.column = shape_of(kind)
        self.shape = None if results is None else self.column

    def needConversion(self) -> bool:  # noqa: N802 - PySpark's name
        """Answer as the type does."""
        return bool(self._kind.needConversion())

    def toInternal(self, value: Any) -> Any:  # noqa: N802 - PySpark's name
        """Convert a single result."""
        return value if type(value) in self._passing else self._kind.toInternal(value)


def shape_of(kind: Any) -> Any:
    """Return what the bridge gathers exact values of a type in, or nothing."""
    if type(kind) is sql.ArrayType:
        element = shape_of(kind.elementType)
        return element and ("list", element, kind.containsNull)
    if type(kind) is sql.MapType:
        key, value = shape_of(kind.keyType), shape_of(kind.valueType)
        return ("map", key, value, kind.valueContainsNull) if key in _KEYS and value else None
    if type(kind) is sql.StructType:
        fields = [(field.name, shape_of(field.dataType), field.nullable) for field in kind]
        known = fields and len(set(kind.names)) == len(fields)
        return ("struct", tuple(fields)) if known and all(of for _, of, _ in fields) else None
    if type(kind) is sql.StringType and getattr(kind, "collation", _BINARY) != _BINARY:
        return None
    return FORMATS.get(type(kind))


class Target:
    """One function, in the place where PySpark calls it for a row."""

    def __init__(self, turns: Turns, function: Callable[..., Any]) -> None:
        """Call ``function``."""
        self._turns = turns
        self._index = len(turns.targets)
        self._function = function
        self._single = deeper(function, LEVELS - 1)
        self._offsets: list[int] = []
        self._names: tuple[str, ...] = ()
        self.shape: Any = None
        plain = type(function) is FunctionType and not function.__code__.co_flags & LAZY
        self.every = EVERY if plain else EVERY_FOREIGN

    def takes(self, offsets: list[int], names: tuple[str, ...], declared: Declared) -> None:
        """Say which columns are the arguments, the names of the last, and the declared type."""
        self._offsets, self._names = offsets, names
        self.shape = declared.shape

    def shares(self, columns: Collection[int], other: Target) -> bool:
        """Tell whether one of ``columns`` is an argument both here and there."""
        return not set(columns).intersection(self._offsets).isdisjoint(other._offsets)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return what the loop is to take for the row it is at."""
        turns = self._turns
        if turns.whole is not None:
            return turns.whole.result(self._index)
        known = turns.known
        if known is not None and self._index < len(known):
            result = known[self._index]
            if type(result) is Raised:
                raise result.error
            return result
        return self._single(*args, **kwargs)

    def stands_in(self, guard: FunctionType) -> None:
        """Say which closure of PySpark's calls this one."""
        self._guard = guard

    def stand_aside(self, frames: int) -> None:
        """Have the closure call the function, so many frames deeper: no row stands for others."""
        place = self._guard.__code__.co_freevars.index("f")
        closure = self._guard.__closure__ or ()
        closure[place].cell_contents = deeper(self._function, frames)

    def asked(self, columns: list[Any], rows: int) -> tuple[Any, ...]:
        """Return what the bridge needs to call the function with row after row."""
        bridge = self._turns.bridge
        taken = tuple(columns[offset] for offset in self._offsets)
        arguments = bridge.rows(taken) if taken else bridge.repeated(rows)
        return self._function, arguments, self._names, self.shape
