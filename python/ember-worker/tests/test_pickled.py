"""Pickled row functions: what leaves in columns, what leaves in pickles, and what errors lose."""

from __future__ import annotations

import datetime as dt
import itertools
import pickle
import random
import re
import struct
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
import pytest
from pyspark import cloudpickle
from pyspark.sql import types as sql

import every_value
from every_type import ONCE, PLAIN
from protocol import PICKLED_ROW, FakeEndpoint, error_text, exchange_pickles, header, on_lane
from rowfn_bridge import bridge

if TYPE_CHECKING:
    from collections.abc import Callable

LONG = sql.LongType()
ADDRESS = re.compile(r"0x[0-9a-f]+")
EPOCH = dt.date(1970, 1, 1)


@pytest.fixture(autouse=True)
def with_bridge() -> None:
    assert bridge() is not None


def numbers(rows: int) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"_0": list(range(rows))})


def embedded(
    function: Callable[..., Any],
    kind: sql.DataType,
    batch: pa.RecordBatch,
    environment: dict[str, str] | None = None,
) -> tuple[list[tuple[str, list[Any]]], bytes]:
    """Return what came: rows in columns or in pickles, and the tail."""
    head = header(PICKLED_ROW, function, kind, arguments=tuple(range(batch.num_columns)))
    endpoint = FakeEndpoint(head, [batch], environment)
    tail = on_lane(endpoint)
    came: list[tuple[str, list[Any]]] = []
    for taken in endpoint.taken:
        *columns, last = taken.columns
        pickles = last[0].as_py()
        if pickles is None:
            came.append(("columns", list(map(stored, columns[0]))))
            continue
        assert columns[0].null_count == taken.num_rows
        while pickles:
            rows, size = struct.unpack_from("!ii", pickles)
            came.append(("pickle", pickle.loads(pickles[8 : 8 + size])))
            assert len(came[-1][1]) == rows
            pickles = pickles[8 + size :]
    return came, tail


def stored(value: Any) -> Any:
    """Return a value of a column as PySpark would have pickled it."""
    if not value.is_valid:
        return None
    if pa.types.is_date32(value.type):
        return (value.as_py() - EPOCH).days
    if pa.types.is_timestamp(value.type):
        return value.cast(pa.int64()).as_py()
    if pa.types.is_map(value.type):
        return dict(map(stored, entry.values()) for entry in value.values)
    if pa.types.is_list(value.type):
        return list(map(stored, value.values))
    return tuple(map(stored, value.values())) if pa.types.is_struct(value.type) else value.as_py()


def vanilla(
    function: Callable[..., Any],
    kind: sql.DataType,
    rows: int,
    environment: dict[str, str] | None = None,
) -> tuple[list[list[Any]], bytes]:
    """Return the pickles of Spark's own worker, and its tail."""
    groups = [range(first, min(first + 100, rows)) for first in range(0, rows, 100)]
    pickles = [pickle.dumps([(number,) for number in group]) for group in groups]
    return exchange_pickles(header(PICKLED_ROW, function, kind), pickles, environment)


def test_results_of_the_declared_type_leave_in_columns() -> None:
    came, _ = embedded(lambda x: x + 1, LONG, numbers(1000))
    assert came == [("columns", list(range(1, 1001)))]


def test_a_group_with_another_result_leaves_in_a_pickle() -> None:
    came, _ = embedded(lambda x: str(x) if x == 250 else x, LONG, numbers(1000))
    assert [(way, len(rows)) for way, rows in came] == [
        ("columns", 200),
        ("pickle", 100),
        ("columns", 700),
    ]
    assert came[1][1] == [str(x) if x == 250 else x for x in range(200, 300)]


def test_results_that_no_column_takes_leave_in_pickles_of_a_group() -> None:
    kind = sql.MapType(sql.BinaryType(), LONG)
    came, _ = embedded(lambda x: {b"%d" % x: 1}, kind, numbers(250))
    assert came == [
        ("pickle", [{b"%d" % x: 1} for x in range(first, last)])
        for first, last in ((0, 100), (100, 200), (200, 250))
    ]


PARTS = {
    "array": (sql.ArrayType(LONG), lambda x: [x, None], "other"),
    "arrays": (
        sql.ArrayType(sql.ArrayType(sql.StringType())),
        lambda x: [[str(x)], None],
        [["a", 1]],
    ),
    "struct": (
        sql.StructType().add("a", LONG).add("b", "string"),
        lambda x: (x, str(x)),
        ["a", "b"],
    ),
    "row": (sql.StructType().add("a", LONG), lambda x: sql.Row(a=x), (1.5,)),
    "structs": (sql.ArrayType(sql.StructType().add("a", LONG)), lambda x: [(x,), None], [[1]]),
    "map": (
        sql.MapType(sql.StringType(), LONG),
        lambda x: {str(x): x, "n": None},
        {"a": 1, None: 2},
    ),
    "maps": (
        sql.MapType(sql.DateType(), sql.MapType(LONG, sql.StringType())),
        lambda x: {EPOCH: {x: "a", -1: None}, EPOCH.replace(day=2): {}},
        Counter({EPOCH: 1}),
    ),
}


@pytest.mark.parametrize("name", PARTS)
def test_results_of_parts_leave_in_columns_until_one_is_of_another_type(name: str) -> None:
    kind, function, other = PARTS[name]
    came, _ = embedded(lambda x: other if x == 250 else function(x), kind, numbers(400))
    theirs, _ = vanilla(lambda x: other if x == 250 else function(x), kind, 400)
    assert [(way, len(rows)) for way, rows in came[:3]] == [
        ("columns", 200),
        ("pickle", 100),
        ("columns", 100),
    ]
    assert [row for _, rows in came for row in rows] == [*itertools.chain(*theirs)]


class Turned(NamedTuple):
    a: int
    b: int

    def __iter__(self) -> Any:
        return iter((self[1], self[0]))


def test_a_tuple_is_read_as_it_gives_its_fields() -> None:
    kind = sql.StructType().add("a", LONG).add("b", LONG)
    came, _ = embedded(lambda x: Turned(x, -x), kind, numbers(3))
    assert came == [("pickle", [(0, 0), (-1, 1), (-2, 2)])]


ARRAYS = {
    "array": pa.array([[1, None], [], None, [2**62]] * 60, pa.list_(pa.int64())),
    "text": pa.array([["é", None, ""], [], None] * 80, pa.list_(pa.string())),
    "decimals": pa.array([[Decimal("1.50")], None] * 120, pa.list_(pa.decimal128(20, 2))),
    "arrays": pa.array([[[1.5], None, []], []] * 120, pa.list_(pa.list_(pa.float64()))),
    "empty": pa.array([[], [], None] * 80, pa.list_(pa.list_(pa.int64()))),
    "part": pa.array([[1], [2, 3], [], [4]] * 60, pa.list_(pa.int32()))[1:],
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_are_lists_as_they_are_out_of_a_pickle(name: str) -> None:
    array = ARRAYS[name]
    came, tail = embedded(repr, sql.StringType(), pa.RecordBatch.from_arrays([array], ["_0"]))
    assert struct.unpack_from("!i", tail)[0] != -2, error_text(tail)
    assert came == [("columns", [repr(each) for each in array.to_pylist()])]


ENTRIES: dict[str, tuple[list[Any], pa.DataType, pa.DataType]] = {
    "texts": ([[("\u00e9", 1), ("a", None)], [], None], pa.string(), pa.int64()),
    "zeros": ([[(0.0, 1), (-0.0, 2), (1.5, 3)]], pa.float64(), pa.int64()),
    "decimals": ([[(Decimal("1.50"), True)]], pa.decimal128(20, 2), pa.bool_()),
    "lists": ([[(1, [1, None]), (2, None)]], pa.int32(), pa.list_(pa.int64())),
    "empty": ([[], None], pa.int64(), pa.int64()),
    "part": ([[(1, 2)], [(3, 4), (5, 6)], []], pa.int8(), pa.int16()),
}


@pytest.mark.parametrize("name", ENTRIES)
def test_maps_are_dictionaries_as_they_are_out_of_a_pickle(name: str) -> None:
    rows, key, value = ENTRIES[name]
    array = pa.array(rows * 80, pa.map_(key, value))[1 if name == "part" else 0 :]
    came, _ = embedded(repr, sql.StringType(), pa.RecordBatch.from_arrays([array], ["_0"]))
    expected = [None if each is None else dict(each) for each in array.to_pylist()]
    assert came == [("columns", list(map(repr, expected)))]


def test_structs_are_rows_as_they_are_out_of_a_pickle() -> None:
    kind = sql.StructType().add("a", LONG).add("b", sql.ArrayType(LONG))
    values = [{"a": 1, "b": [2]}, None, {"a": None, "b": None}] * 50
    of = pa.struct({"a": pa.int64(), "b": pa.list_(pa.int64())})

    def function(row: Any) -> str:
        return f"{type(row)} {row} {row and (row.a, row.b, row.__fields__, row.asDict())}"

    rows = [None if each is None else sql._create_row_inbound_converter(kind)(*each.values())
            for each in values]  # fmt: skip
    for start in (0, 1):
        array = pa.array(values, of)[start:]
        came, _ = embedded(function, sql.StringType(), pa.RecordBatch.from_arrays([array], ["_0"]))
        assert came == [("columns", [function(each) for each in rows[start:]])]


def pickled(rows: list[Any]) -> pa.RecordBatch:
    """Return rows in pickles of a hundred, as they come for types that only Spark knows."""
    groups = [rows[first : first + 100] for first in range(0, len(rows), 100)]
    cells = [
        cell
        for group in groups
        for cell in [pickle.dumps([(row,) for row in group]), *[None] * (len(group) - 1)]
    ]
    return pa.RecordBatch.from_pydict({"pickles": pa.array(cells, pa.binary())})


def test_results_of_rows_that_came_in_pickles_leave_in_columns() -> None:
    came, _ = embedded(lambda x: x["a"] + 1, LONG, pickled([{"a": x} for x in range(250)]))
    assert [way for way, _ in came] == ["columns"] * len(came)
    assert [row for _, rows in came for row in rows] == list(range(1, 251))


def test_a_pickle_with_another_result_is_answered_by_one() -> None:
    calls: list[int] = []

    def function(x: dict[str, int]) -> Any:
        calls.append(x["a"])
        return len(calls) if x["a"] != 250 else "other"

    came, _ = embedded(function, LONG, pickled([{"a": x} for x in range(400)]))
    assert [way for way, rows in came if "other" in rows] == ["pickle"]
    expected = [x + 1 if x != 250 else "other" for x in range(400)]
    assert [row for _, rows in came for row in rows] == expected


@pytest.mark.parametrize("raised", [ValueError("no"), StopIteration(7)])
def test_an_error_over_rows_in_pickles_loses_its_group(raised: BaseException) -> None:
    def function(x: int) -> int:
        if x == 350:
            raise raised
        return x

    came, tail = embedded(function, LONG, pickled(list(range(400))), {})
    _, their_tail = vanilla(function, LONG, 400, {})
    assert [row for _, rows in came for row in rows] == list(range(300))
    assert error_text(tail) == error_text(their_tail)


def test_no_function_is_called_twice() -> None:
    came, _ = embedded(counting(), sql.StringType(), numbers(1000))
    called = [row for _, rows in came for row in rows]
    assert [int(str(each)) for each in called] == list(range(1, 1001))


def counting() -> Callable[[int], Any]:
    calls: list[int] = []

    def function(x: int) -> Any:
        calls.append(x)
        return len(calls) if x % 330 == 7 else str(len(calls))

    return function


@pytest.mark.parametrize("environment", [None, {}, {"SPARK_TRACEBACK_WITH_LOCALS": "1"}], ids=str)
@pytest.mark.parametrize("raised", [ValueError("no"), StopIteration(7), KeyboardInterrupt()])
def test_an_error_loses_its_group_and_reads_as_in_spark(
    raised: BaseException, environment: dict[str, str] | None
) -> None:
    def function(x: int) -> int:
        if x == 350:
            raise raised
        return x

    came, tail = embedded(function, LONG, numbers(1000), environment)
    theirs, their_tail = vanilla(function, LONG, 1000, environment)
    assert [row for _, rows in came for row in rows] == [row for rows in theirs for row in rows]
    assert len(theirs) == 3
    if environment != {"SPARK_TRACEBACK_WITH_LOCALS": "1"}:  # they show our objects beside Spark's
        assert error_text(tail) == error_text(their_tail)


def test_a_result_that_cannot_be_pickled_fails_as_in_spark() -> None:
    def function(x: int) -> Any:
        return (each for each in [x]) if x == 150 else x

    came, tail = embedded(function, LONG, numbers(300), {})
    theirs, their_tail = vanilla(function, LONG, 300, {})
    assert [rows for _, rows in came] == theirs
    assert error_text(tail) == error_text(their_tail)


def test_values_end_as_they_would_in_a_pickle(request: pytest.FixtureRequest) -> None:
    cells = list(itertools.product([*PLAIN, *ONCE[::11]], every_value.ALONE.items()))
    drawn = random.Random(0).sample(cells, 2000 if request.config.getoption("--slow") else 120)
    cloudpickle.register_pickle_by_value(every_value)
    found = []
    for kind, (name, make) in drawn:

        def function(x: int, make: Callable[[], Any] = make) -> Any:
            return make() if x % 2 else None

        ours = shown(*embedded(function, kind, numbers(4)))
        theirs = shown(*both_sides(vanilla(function, kind, 4)))
        if ours != theirs:
            found.append(f"{name} -> {kind.simpleString()}: {ours} instead of {theirs}")
    assert found == []


def both_sides(answer: tuple[list[list[Any]], bytes]) -> tuple[list[tuple[str, list[Any]]], bytes]:
    came, tail = answer
    return [("pickle", rows) for rows in came], tail


def shown(came: list[tuple[str, list[Any]]], tail: bytes) -> str:
    """Return the values with their types, or the error, without what two objects differ in."""
    if struct.unpack_from("!i", tail)[0] == -2:
        return ADDRESS.sub("0x", error_text(tail))
    return ADDRESS.sub("0x", str([text(row) for _, rows in came for row in rows]))


def text(value: Any) -> str:
    """Return a value with its type; some refuse to be shown."""
    try:
        return f"{type(value)} {value!r}"
    except RuntimeError:
        return str(type(value))
