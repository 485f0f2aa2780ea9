"""Pickled table functions: the rows of Spark's worker, in lists or in pickles."""

from __future__ import annotations

import datetime as dt
import pickle
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pyspark.sql import types as sql
from pyspark.sql.types import Row
from pyspark.sql.udtf import SkipRestOfInputTableException

from protocol import (
    PICKLED_TABLE,
    FakeEndpoint,
    error_text,
    exchange_pickles,
    on_lane,
    table_header,
    without_times,
)
from rowfn_bridge import bridge

if TYPE_CHECKING:
    from collections.abc import Iterator

ROW = sql.StructType([sql.StructField("n", sql.LongType()), sql.StructField("t", sql.StringType())])
PICKLES = pa.schema([("pickles", pa.binary())])
EPOCH = dt.date(1970, 1, 1)
MOMENT = dt.datetime(2026, 1, 2, 3, 4, 5, 6)  # noqa: DTZ001 - a time of no zone


@pytest.fixture(autouse=True)
def with_bridge() -> None:
    assert bridge() is not None


class Times:
    """As many rows as it is told, and at its end how many it was asked for."""

    def __init__(self) -> None:
        self.seen = 0

    def eval(self, number: int) -> Iterator[tuple[int, str]]:
        self.seen += 1
        for each in range(number % 4):
            yield number, str(each)

    def terminate(self) -> Iterator[tuple[int, str]]:
        yield self.seen, "end"


class Stops:
    """Reads no further than it likes."""

    def eval(self, number: int) -> Iterator[tuple[int, str]]:
        yield number, "row"
        if number == 150:
            raise SkipRestOfInputTableException


class Raises:
    """Has rows before it fails."""

    def eval(self, number: int) -> Iterator[tuple[int, str]]:
        yield number, "row"
        if number == 150:
            message = "no luck"
            raise ValueError(message)


class RaisesAtOnce:
    """Fails before it returns."""

    def eval(self, number: int) -> list[tuple[int, str]]:
        if number == 150:
            message = "no luck"
            raise ValueError(message)
        return [(number, "row")]


class Large:
    """Has one row, which is larger than what is gathered."""

    def eval(self, number: int) -> Iterator[tuple[int, str]]:
        yield number, "x" * 100_000


class Mixed:
    """Returns rows in every form, also of other types than it declares, and remembers each call."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def eval(self, number: int) -> Any:
        self.seen.append(number)
        row = number, f"row {number}"
        forms = [
            [row, row], (row,), None, iter([row]), [Row(n=number, t=None)], [{"n": 1, "t": "x"}],
            [[number, "list"]], [(1.5, 2)], (), map(tuple, [row]), [(None, None)],
            [(2**70, "\ud800")], [(True, b"bytes")], [row, [1, "second"]],
        ]  # fmt: skip
        return forms[number * 7 % 13 if number % 50 < 20 else 0]

    def terminate(self) -> Iterator[tuple[int, str]]:
        yield len(self.seen), str(self.seen)


class Halfway:
    """A generator whose rows are other ones from the second on, and which says when it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def eval(self, number: int) -> Iterator[Any]:
        yield number, "first"
        self.asked += 1
        yield [number, f"second, asked {self.asked}"]
        self.asked += 1
        yield number, f"third, asked {self.asked}"


HANDLERS = [Times, Stops, Large, Mixed, Halfway]


def pickles(rows: int) -> list[bytes]:
    """Return so many rows as Spark sends them."""
    groups = [range(first, min(first + 100, rows)) for first in range(0, rows, 100)]
    return [pickle.dumps([(number,) for number in group]) for group in groups]


def in_pickles(rows: int) -> tuple[pa.Schema, list[pa.RecordBatch]]:
    """Return the rows as they come where only Spark knows what a type becomes."""
    return PICKLES, [
        pa.RecordBatch.from_pydict({"pickles": [each]}, PICKLES) for each in pickles(rows)
    ]


def in_columns(rows: int) -> tuple[pa.Schema, list[pa.RecordBatch]]:
    """Return the rows as they come else, in batches of whole pickles."""
    schema = pa.schema([("_0", pa.int64())])
    parts = [range(first, min(first + 300, rows)) for first in range(0, rows, 300)]
    return schema, [pa.RecordBatch.from_pydict({"_0": list(part)}, schema) for part in parts]


def embedded(
    handler: type,
    rows: int,
    form: Any = in_columns,
    environment: dict[str, str] | None = None,
    declared: sql.StructType = ROW,
) -> tuple[list[list[Any]], bytes]:
    """Return what each batch held, as Spark's worker would have pickled it, and the tail."""
    schema, given = form(rows)
    head = table_header(PICKLED_TABLE, handler, declared)
    endpoint = FakeEndpoint(head, given, environment, schema)
    tail = on_lane(endpoint)
    return [list(map(_as_pickled, *batch.columns)) for batch in endpoint.taken], tail


def _as_pickled(*of: pa.Scalar) -> Any:
    *lists, pickled = of
    if pickled.is_valid:
        assert not any(it.is_valid for it in lists)
        return pickle.loads(pickled.as_py())
    return [tuple(tuple(map(_stored, row.values())) for row in lists[0].as_py())]


def _stored(value: Any) -> Any:
    return (value - EPOCH).days if type(value) is dt.date else value


def vanilla(
    handler: type,
    rows: int,
    environment: dict[str, str] | None = None,
    declared: sql.StructType = ROW,
) -> tuple[list[Any], bytes]:
    """Return the pickles of Spark's own worker, and its tail."""
    head = table_header(PICKLED_TABLE, handler, declared)
    return exchange_pickles(head, pickles(rows), environment)


def flat(batches: list[list[Any]]) -> list[Any]:
    return [each for batch in batches for each in batch]


@pytest.mark.parametrize("rows", [0, 1, 100, 555])
@pytest.mark.parametrize("handler", HANDLERS)
@pytest.mark.parametrize("form", [in_columns, in_pickles])
def test_a_table_function_gives_the_rows_of_sparks_worker(
    handler: type, rows: int, form: Any
) -> None:
    ours, tail = embedded(handler, rows, form)
    theirs, their_tail = vanilla(handler, rows)
    assert flat(ours) == theirs
    assert without_times(tail)[:8] == without_times(their_tail)[:8]


@pytest.mark.parametrize("form", [in_columns, in_pickles])
def test_rows_of_the_declared_types_are_not_pickled(form: Any) -> None:
    schema, given = form(2000)
    endpoint = FakeEndpoint(table_header(PICKLED_TABLE, Times, ROW), given, None, schema)
    on_lane(endpoint)
    *batches, last = endpoint.taken
    assert sum(batch.num_rows for batch in batches) == 2000
    assert all(batch.column(1).null_count == batch.num_rows for batch in batches)
    assert last.column(0).null_count == last.num_rows == 1
    assert len(batches) <= len(given) + 5


def test_small_pickles_come_many_at_a_time() -> None:
    declared = sql.StructType([*ROW.fields, sql.StructField("a", sql.ArrayType(sql.LongType()))])

    class Arrays:
        def eval(self, number: int) -> Iterator[Any]:
            yield number, "row", [number]

    ours, _ = embedded(Arrays, 2000, declared=declared)
    assert flat(ours) == vanilla(Arrays, 2000, declared=declared)[0]
    assert len(ours) < 2000 / 4


TYPES: dict[str, tuple[sql.DataType, list[Any]]] = {
    "boolean": (sql.BooleanType(), [True, None, 1]),
    "tinyint": (sql.ByteType(), [1, -128, 128, None]),
    "smallint": (sql.ShortType(), [1, 1 << 15]),
    "int": (sql.IntegerType(), [1, -(1 << 31), 1 << 31, True]),
    "float": (sql.FloatType(), [1.5, 0.25, float("inf"), 1, None]),
    "double": (sql.DoubleType(), [0.1, -0.0, 2]),
    "binary": (sql.BinaryType(), [b"", b"\xff", bytearray(b"x"), "text", None]),
    "date": (sql.DateType(), [dt.date(1, 1, 1), dt.date(9999, 12, 31), None]),
    "timestamp_ntz": (sql.TimestampNTZType(), [MOMENT, None]),
    "timestamp": (sql.TimestampType(), [MOMENT, None]),
    "decimal": (sql.DecimalType(10, 2), [1, None]),
}


@pytest.mark.parametrize("kind", TYPES)
def test_values_of_a_type_are_those_of_sparks_worker(kind: str) -> None:
    declared, values = TYPES[kind]

    class Gives:
        def eval(self, number: int) -> Iterator[Any]:
            yield (values[number % len(values)],)

    row = sql.StructType([sql.StructField("v", declared)])
    ours, _ = embedded(Gives, 30, declared=row)
    theirs, _ = vanilla(Gives, 30, declared=row)
    assert _plain(flat(ours)) == _plain(theirs)


def _plain(rows: list[Any]) -> list[Any]:
    """Make instants of the numbers that stand for them: a column shows them so."""
    return [
        [tuple(tuple(_micros(value) for value in row) for row in rows_of) for rows_of in each]
        for each in rows
    ]


def _micros(value: Any) -> Any:
    if type(value) is dt.datetime:
        epoch = dt.datetime(1970, 1, 1, tzinfo=value.tzinfo)
        value = (value - epoch) // dt.timedelta(microseconds=1)
    return repr(value)


def test_a_null_where_none_may_be_is_refused_as_by_sparks_worker() -> None:
    declared = sql.StructType([sql.StructField("n", sql.LongType(), nullable=False)])

    class Nulls:
        def eval(self, number: int) -> Iterator[Any]:
            yield (number if number < 130 else None,)

    ours, tail = embedded(Nulls, 200, declared=declared)
    theirs, their_tail = vanilla(Nulls, 200, declared=declared)
    assert flat(ours) == theirs
    assert error_text(tail) == error_text(their_tail)


@pytest.mark.parametrize("form", [in_columns, in_pickles])
@pytest.mark.parametrize("handler", [Raises, RaisesAtOnce])
@pytest.mark.parametrize("simplified", ["", "1"])
def test_an_error_reads_as_in_sparks_worker_and_loses_no_row_before_it(
    simplified: str, handler: type, form: Any
) -> None:
    flags = {"SPARK_SIMPLIFIED_TRACEBACK": simplified}
    ours, tail = embedded(handler, 400, form, flags)
    theirs, their_tail = vanilla(handler, 400, flags)
    assert flat(ours) == theirs
    assert len(theirs) == 150
    assert "no luck" in error_text(tail)
    assert error_text(tail) == error_text(their_tail)


def test_shown_locals_leave_the_loop_to_pyspark() -> None:
    flags = {"SPARK_TRACEBACK_WITH_LOCALS": "1"}
    ours, _ = embedded(Times, 10, environment=flags)
    assert flat(ours) == vanilla(Times, 10, flags)[0]
