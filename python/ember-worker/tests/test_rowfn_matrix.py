"""Every input type, every returned value, every declared type: as in Spark, whatever the cell.

The fast tier draws cells from the whole matrix, always the same ones; ``--slow`` has every value
alone in every type that is nested at most once, and draws many more from the rest.
"""

from __future__ import annotations

import itertools
import os
import random
import re
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pyspark import cloudpickle
from pyspark.sql import types as sql

import every_type
import every_value
from clock_changes import ZONES, transitions
from every_type import EVERY, MORE, ONCE, PLAIN, REFUSED, TWICE, column, held
from protocol import SCALAR_ROW, header, run, run_vanilla, without_times
from rowfn_bridge import Given, conf, ours, process, stock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LONG = sql.LongType()
ADDRESS = re.compile(rb"0x[0-9a-f]+")
SETTINGS: list[dict[str, bool]] = [
    {},
    {"safecheck": False},
    {"use_large_var_types": True},
    {"int_to_decimal_coercion_enabled": True},
    {"binary_as_bytes": False},
    {"arrow_concurrency_level": 2},
]
#: Which rows give the value; the others give what comes in, or nothing.
SHAPES: list[Callable[[int], bool]] = [
    lambda _: True,
    lambda row: row == 2,
    lambda row: row % 2 > 0,
]
ROWS = 5
COLUMNS = {kind: column(kind, 1)[:ROWS] for kind in PLAIN if len(column(kind, 1)) >= ROWS}


def outcome(run: Callable[[], Iterator[pa.RecordBatch]]) -> tuple[Any, ...]:
    """Return the bytes of the batches, or the error, without what differs between two objects."""
    try:
        made = [(batch.schema, batch.serialize().to_pybytes()) for batch in run()]
    except Exception as error:  # noqa: BLE001 - any of them is compared
        return type(error), ADDRESS.sub(b"0x", str(error).encode(errors="replace"))
    return tuple((schema, ADDRESS.sub(b"0x", data)) for schema, data in made)


def differ(function: Callable[[], Any], kind: Any, inputs: Any, batch: Any, **set_to: Any) -> str:
    """Return how the two ways differ, or nothing."""
    arguments = tuple(range(len(inputs)))

    def once(read: Callable[..., Any]) -> tuple[Any, ...]:
        items = [Given(function(), kind, arguments)]
        return outcome(lambda: process(read, items, inputs, [batch], conf(**set_to)))

    our_end, stock_end = once(ours()), once(stock())
    return "" if our_end == stock_end else f"{our_end!r:.500}\n instead of {stock_end!r:.500}"


def returning(make: Callable[[], Any], shape: Callable[[int], bool], other: Any) -> Any:
    """Return a maker of functions that return the value in some rows."""

    def made() -> Callable[[Any], Any]:
        rows = itertools.count()
        return lambda given: make() if shape(next(rows)) else given if other else None

    return made


def batch_of(*arrays: pa.Array) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(list(arrays), [f"_{i}" for i in range(len(arrays))])


def drawn(seed: int, count: int) -> list[str]:
    """Return what differs in so many cells of the whole matrix."""
    draw = random.Random(seed)
    found = []
    for _ in range(count):
        kind = draw.choice(draw.choice([PLAIN, PLAIN, MORE, ONCE, ONCE, TWICE, REFUSED]))
        values = draw.choice([every_value.ALONE, every_value.ALONE, every_value.NESTED])
        name = draw.choice(list(values))
        taken = draw.choice(list(COLUMNS))
        function = returning(values[name], draw.choice(SHAPES), draw.random() < 0.3)
        settings = draw.choice(SETTINGS)
        end = differ(function, kind, [taken], batch_of(COLUMNS[taken]), **settings)
        if end:
            found.append(f"{taken.simpleString()} -> {name} -> {kind.simpleString()}: {end}")
    return found


@pytest.mark.parametrize("seed", range(6))
def test_cells_drawn_from_the_matrix_are_those_of_spark(seed: int) -> None:
    assert drawn(seed, 2000) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 200))
def test_many_cells_drawn_from_the_matrix_are_those_of_spark(seed: int) -> None:
    assert drawn(seed, 4000) == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", [*PLAIN, *MORE, *REFUSED, *ONCE], ids=lambda it: it.simpleString())
def test_every_value_alone_becomes_what_it_becomes_in_spark(kind: sql.DataType) -> None:
    found = []
    batch = batch_of(pa.array(range(ROWS)))
    for name, make in every_value.ALONE.items():
        for shape in SHAPES[:2]:
            end = differ(returning(make, shape, other=None), kind, [LONG], batch)
            if end:
                found.append(f"{name}: {end}")
    assert found == []


def test_every_column_becomes_every_type_as_in_spark() -> None:
    kinds = [*PLAIN, *REFUSED, *ONCE]
    columns = {kind: batch_of(column(kind, 1)) for kind in held([*PLAIN, *ONCE[::5]])}
    found = []
    for (taken, batch), kind in itertools.product(columns.items(), kinds):
        end = differ(lambda: lambda value: value, kind, [taken], batch)
        if end:
            found.append(f"{taken.simpleString()} -> {kind.simpleString()}: {end}")
    assert found == []


def exact(value: Any) -> Any:
    """Return a value with the types of all its parts and the bits of its floats."""
    if isinstance(value, float):
        return type(value), value.hex()
    if isinstance(value, dict):
        return type(value), [(exact(key), exact(item)) for key, item in value.items()]
    if isinstance(value, list | tuple):
        names = getattr(value, "__fields__", None)
        return type(value), names, [exact(item) for item in value]
    if isinstance(value, datetime):
        return type(value), repr(value), value.fold
    shown = ADDRESS.sub(b"0x", repr(value).encode())
    return type(value), shown, str(getattr(value, "__dict__", ""))


def seen(read: Any, kind: sql.DataType, arrays: list[pa.Array], **set_to: Any) -> Any:
    """Return every argument that a function is given, and how its batches ended."""
    arguments: list[Any] = []

    def keep(value: Any) -> Any:
        arguments.append(exact(value))
        return value

    def batches() -> Iterator[pa.RecordBatch]:
        given = [batch_of(array) for array in arrays]
        return process(read, [Given(keep, kind)], [kind], given, conf(**set_to))

    return outcome(batches), arguments


def assert_seen_alike(kind: sql.DataType, **set_to: Any) -> None:
    large = bool(set_to.get("use_large_var_types"))
    whole, holed = (column(kind, seed, large=large) for seed in (0, 1))
    arrays = [whole, holed, holed[1:], holed[3:5], holed[:0]]
    both = [seen(read, kind, arrays, **set_to) for read in (ours(), stock())]
    assert both[0] == both[1]


COLUMN_SETTINGS = [{}, {"use_large_var_types": True}, {"binary_as_bytes": False}]


@pytest.mark.parametrize("settings", COLUMN_SETTINGS, ids=str)
@pytest.mark.parametrize("kinds", [PLAIN, MORE, ONCE, TWICE[::7]], ids=len)
def test_every_column_is_seen_as_in_spark(kinds: list[Any], settings: dict[str, bool]) -> None:
    for kind in held(kinds):
        assert_seen_alike(kind, **settings)


@pytest.mark.slow
@pytest.mark.parametrize("settings", COLUMN_SETTINGS, ids=str)
@pytest.mark.parametrize("part", range(9))
def test_every_nested_column_is_seen_as_in_spark(part: int, settings: dict[str, bool]) -> None:
    for kind in held(TWICE[part::9]):
        assert_seen_alike(kind, **settings)


@pytest.fixture
def clock() -> Iterator[Callable[[str], None]]:
    """Set the zone of the process, as Spark does for its workers, and put it back."""
    before = os.environ.get("TZ")

    def change(zone: str | None) -> None:
        os.environ.pop("TZ") if zone is None else os.environ.update(TZ=zone)
        time.tzset()

    yield change
    os.environ["TZ"] = ""
    change(before)


@pytest.mark.parametrize("zone", ZONES)
def test_times_about_every_change_of_the_clocks_are_those_of_spark(
    zone: str, clock: Callable[[str], None]
) -> None:
    clock(zone)
    about = [0, *transitions(zone)[::3]]
    steps = [-7200_000_000, -3600_000_000, -1, 0, 1, 1800_000_000, 3600_000_000]
    micros = [second * 1_000_000 + step for second in about for step in steps]
    for kind, of in ((sql.TimestampType(), pa.timestamp("us", zone)),
                     (sql.TimestampNTZType(), pa.timestamp("us"))):  # fmt: skip
        both = [seen(read, kind, [pa.array(micros, of)]) for read in (ours(), stock())]
        assert both[0] == both[1]
        for returned in (sql.TimestampType(), sql.TimestampNTZType(), sql.StringType()):
            batch = batch_of(pa.array(micros, pa.timestamp("us")))
            naive = differ(lambda: lambda value: value, returned, [sql.TimestampNTZType()], batch)
            assert naive == ""


def test_a_cell_ends_in_a_session_as_in_a_worker_of_spark(request: pytest.FixtureRequest) -> None:
    draw = random.Random(0)
    cloudpickle.register_pickle_by_value(every_value)
    fields = sql.StructType([sql.StructField("_0", LONG)])
    given = [batch_of(pa.array(range(ROWS)))]
    for _ in range(1000 if request.config.getoption("--slow") else 150):
        kind = draw.choice(draw.choice([PLAIN, ONCE]))
        name, make = draw.choice(list(every_value.ALONE.items()))
        shape = draw.choice(SHAPES)
        head = header(
            SCALAR_ROW,
            lambda row, make=make, shape=shape: make() if shape(row) else None,
            kind,
            input_type=fields.json(),
        )
        ends = [ended(*each(head, given)) for each in (run, run_vanilla)]
        assert ends[0] == ends[1], f"{name} -> {kind.simpleString()}"


def ended(batches: list[pa.RecordBatch], tail: bytes) -> Any:
    """Return what came out of a session, without times and addresses."""
    failed = tail.startswith(b"\xff\xff\xff\xfe")
    rest = ADDRESS.sub(b"0x", tail if failed else without_times(tail))
    return outcome(lambda: iter(batches)), rest


def test_the_matrix_has_every_type_of_pyspark() -> None:
    abstract = {"AtomicType", "NumericType", "IntegralType", "FractionalType", "DatetimeType",
                "AnyTimeType", "SpatialType", "AnsiIntervalType", "UserDefinedType",
                "DataType"}  # fmt: skip
    known = {
        name for name, each in vars(sql).items()
        if isinstance(each, type) and issubclass(each, sql.DataType) and name.endswith("Type")
    }  # fmt: skip
    assert known - abstract <= {type(kind).__name__ for kind in EVERY}
    assert len({kind.json() for kind in every_type.PLAIN}) == len(PLAIN)
