"""Every input type and every result, through PySpark's row functions and through ours: the same."""

# ruff: noqa: DTZ001, DTZ901 - times without a zone are what is tested

from __future__ import annotations

import array
import datetime as dt
import decimal
import enum
import math
import os
import time
import zoneinfo
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import Row
from pyspark.sql import types as sql
from pyspark.sql.pandas.types import to_arrow_type

from rowfn_bridge import Given, conf, ours, process, stock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

D = decimal.Decimal
UTC = dt.UTC
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
EDGES = [0, 1, -1, 255, -255, 256]
EDGES += [sign * 2**bits + more for bits in (7, 8, 15, 30, 31, 53, 60, 63, 64) for sign in (1, -1)
          for more in (-1, 0, 1)]  # fmt: skip


class Whole(int):
    """A subclass of int."""


class Real(float):
    """A subclass of float."""


class Words(str):
    """A subclass of str."""

    __slots__ = ()


class Octets(bytes):
    """A subclass of bytes."""


class Moment(dt.datetime):
    """A subclass of datetime."""


class Colour(enum.IntEnum):
    """An integer with a name."""

    RED = 3


class Odd:
    """An object that no type takes, and that says so in words."""

    def __str__(self) -> str:
        return "odd"


class Broken:
    """An object that cannot even be shown."""

    def __str__(self) -> str:
        message = "cannot be shown"
        raise RuntimeError(message)


RESULTS: list[Any] = [
    None, True, False, *EDGES, 10**40,
    0.0, -0.0, 1.0, 1.5, -2.5, 1e300, -1e300, 5e-324, 3.4028235677973366e38, math.nan, math.inf,
    -math.inf, 2.0**53, 2.0**63, float.fromhex("0x1.fffffefp-1"), Whole(5), Real(2.5), Colour.RED,
    np.int8(3), np.int16(-4), np.int64(5), np.uint64(2**64 - 1), np.float32(1.5), np.float64(2.5),
    np.float16(0.5), np.bool_(1), np.datetime64("2020-01-02"), np.array([1, 2]), np.array(7),
    np.datetime64("NaT"), np.str_("text"), np.bytes_(b"bytes"),
    D(0), D("1.25"), D("-1E-18"), D("1E+20"), D("NaN"), D("sNaN"), D("Infinity"), D("1" * 38),
    "", "a", "é", "text", "ÿ" * 3, "日本", "😀", "em\0bedded", "\ud800", "a\udfffb", Words("sub"),
    "1", "true", "1.5", "x" * 5000, b"", b"a", b"\0\xff", b"x" * 5000, Octets(b"sub"),
    bytearray(b"ba"), memoryview(b"mv"), array.array("q", [1, 2]),
    dt.date(1, 1, 1), dt.date(1969, 12, 31), dt.date(2024, 2, 29), dt.date(9999, 12, 31),
    dt.datetime(1, 1, 1), dt.datetime(2020, 1, 2, 3, 4, 5, 678901), dt.datetime(9999, 12, 31, 23),
    dt.datetime(2021, 10, 31, 2, 30, fold=1), dt.datetime(2020, 1, 2, 3, tzinfo=UTC),
    dt.datetime(2020, 7, 2, 3, tzinfo=BERLIN), dt.datetime.max, dt.datetime(1900, 2, 28, 23, 59),
    Moment(2020, 1, 2), pd.Timestamp("2020-01-02 03:04:05.678901234"), pd.NaT, pd.NA,
    dt.timedelta(0), dt.timedelta(days=-1, microseconds=3), dt.timedelta.max, dt.time(1, 2, 3),
    (), (1,), (1, "a"), [], [1, None], [1, "a"], [b"a"], [[1]], {}, {"a": 1}, {"a": 1, "b": "x"},
    {1: "x"}, {1, 2}, frozenset(), Row(a=1, b="x"), Row("a", "b")(1, None), range(3), 1j,
    Odd(), Broken(), Odd, len, ..., NotImplemented,
]  # fmt: skip

TYPES: list[sql.DataType] = [
    sql.BooleanType(), sql.ByteType(), sql.ShortType(), sql.IntegerType(), sql.LongType(),
    sql.FloatType(), sql.DoubleType(), sql.StringType(), sql.BinaryType(), sql.DateType(),
    sql.TimestampType(), sql.TimestampNTZType(), sql.DecimalType(10, 2), sql.DecimalType(38, 18),
    sql.DayTimeIntervalType(), sql.TimeType(), sql.VariantType(), sql.CharType(3),
    sql.VarcharType(3), sql.StringType("UNICODE"), sql.NullType(), sql.ArrayType(sql.LongType()),
    sql.ArrayType(sql.StringType()), sql.MapType(sql.StringType(), sql.LongType()),
    sql.StructType([sql.StructField("a", sql.LongType()), sql.StructField("b", sql.StringType())]),
]  # fmt: skip

#: A value of each type that needs no conversion: what stands before the odd one in a batch.
FITTING: dict[type, Any] = {
    sql.BooleanType: True, sql.ByteType: -128, sql.ShortType: 32767, sql.IntegerType: -(2**31),
    sql.LongType: 2**63 - 1, sql.FloatType: 0.1, sql.DoubleType: 0.1, sql.StringType: "ÿ日😀",
    sql.BinaryType: b"\xff\0", sql.DateType: dt.date(1600, 2, 29), sql.CharType: "c",
    sql.VarcharType: "v", sql.TimestampNTZType: dt.datetime(1600, 2, 29, 1, 2, 3, 4),
}  # fmt: skip

ONE_COLUMN = pa.RecordBatch.from_pydict({"_0": pa.array([0, 1, 2, 3, 4, 5, 6, 7, 8])})


def outcome(run: Callable[[], Iterator[pa.RecordBatch]]) -> tuple[Any, ...]:
    """Return the bytes of the batches, or the error."""
    try:
        return tuple((batch.schema, batch.serialize().to_pybytes()) for batch in run())
    except Exception as error:  # noqa: BLE001 - any of them is compared
        return type(error), str(error)


def same(
    function: Callable[..., Any], result: sql.DataType, inputs: Any, batches: Any, **set_to: Any
) -> None:
    """Assert that both ways end alike."""
    args = tuple(range(len(inputs)))

    def once(read: Callable[..., Any]) -> tuple[Any, ...]:
        item = Given(function, result, args)
        return outcome(lambda: process(read, [item], inputs, batches, conf(**set_to)))

    assert once(ours()) == once(stock())


@pytest.mark.parametrize("result", TYPES, ids=str)
def test_every_result_becomes_what_it_becomes_in_spark(result: sql.DataType) -> None:
    fitting = FITTING.get(type(result))
    for value in RESULTS:
        for shape in ([value] * 9, [fitting, None, fitting, value, None, fitting, value, 1, None]):
            same(shape.__getitem__, result, [sql.LongType()], [ONE_COLUMN])


@pytest.mark.parametrize("options", [
    {"use_large_var_types": True},
    {"safecheck": False},
    {"int_to_decimal_coercion_enabled": True},
], ids=str)  # fmt: skip
def test_settings_change_results_as_in_spark(options: dict[str, bool]) -> None:
    for result in TYPES:
        fitting = FITTING.get(type(result))
        for value in RESULTS:
            shape = [fitting, value, None] * 3
            same(shape.__getitem__, result, [sql.LongType()], [ONE_COLUMN], **options)


MOMENTS = [
    0, -1, 1, 999_999, 10**15, -62_135_596_800_000_000, 253_402_300_799_999_999,
    1_616_893_200_000_000, 1_635_640_200_000_000, 1_635_643_800_000_000, 1_711_846_800_000_000,
    -2_208_988_800_000_001, -5_000_000_000_000_000,
]  # fmt: skip
CALM = [moment for moment in MOMENTS if abs(moment) < 6 * 10**16]

INPUTS: list[tuple[sql.DataType, pa.DataType, list[Any]]] = [
    (sql.BooleanType(), pa.bool_(), [True, False]),
    (sql.ByteType(), pa.int8(), [0, 1, -128, 127]),
    (sql.ShortType(), pa.int16(), [0, -1, -(2**15), 2**15 - 1]),
    (sql.IntegerType(), pa.int32(), [0, 5, -(2**31), 2**31 - 1]),
    (sql.LongType(), pa.int64(), [edge for edge in EDGES if -(2**63) <= edge < 2**63]),
    (sql.FloatType(), pa.float32(), [0.0, -0.0, 0.1, 1e-45, math.inf, -math.inf, math.nan]),
    (sql.DoubleType(), pa.float64(), [0.0, -0.0, 0.1, 5e-324, 1e308, math.inf, math.nan]),
    (sql.StringType(), pa.string(), ["", "a", "é", "text", "日本", "😀", "em\0bedded", "x" * 999]),
    (sql.StringType(), pa.string(), ["", "a", "plain", "\x7f"]),
    (sql.StringType(), pa.large_string(), ["", "a", "é"]),
    (sql.BinaryType(), pa.binary(), [b"", b"a", b"\0\xff", b"x" * 999]),
    (sql.BinaryType(), pa.large_binary(), [b"", b"a", b"\0\xff"]),
    (sql.DateType(), pa.date32(), [0, -1, 1, 59, 19_782, -719_162, 2_932_896, -141_427, 11_016]),
    (sql.DateType(), pa.date32(), [0, 2_932_897]),
    (sql.DateType(), pa.date32(), [0, -719_163]),
    (sql.TimestampNTZType(), pa.timestamp("us"), MOMENTS),
    (sql.TimestampNTZType(), pa.timestamp("us"), [0, 253_402_300_800_000_000]),
    (sql.TimestampType(), pa.timestamp("us", "UTC"), CALM),
    (sql.TimestampType(), pa.timestamp("us", "America/Los_Angeles"), CALM),
    (sql.TimestampType(), pa.timestamp("us", "+05:30"), CALM),
    (sql.TimestampType(), pa.timestamp("us", "UTC"), MOMENTS),
    (sql.TimestampType(), pa.timestamp("us", "SystemV/PST8"), CALM),
    (sql.DecimalType(10, 2), pa.decimal128(10, 2), [D("0.00"), D("-1.25"), D("99999999.99")]),
    (sql.DecimalType(38, 18), pa.decimal128(38, 18), [D("0"), D("1E-18"), D("-" + "9" * 20)]),
    (sql.DecimalType(38, 0), pa.decimal128(38, 0), [D("9" * 38), D("-" + "9" * 38), D(0)]),
    (sql.DayTimeIntervalType(), pa.duration("us"), [0, -1, 10**15]),
    (sql.ArrayType(sql.LongType()), pa.list_(pa.int64()), [[], [1, None]]),
    (sql.ArrayType(sql.DoubleType()), pa.list_(pa.float64()), [[0.5, None], [float("-inf")]]),
    (sql.ArrayType(sql.StringType()), pa.list_(pa.string()), [["", "a"], ["é", None], []]),
    (sql.ArrayType(sql.DateType()), pa.list_(pa.date32()), [[dt.date.max], [], [None]]),
    (sql.ArrayType(sql.DecimalType(5, 2)), pa.list_(pa.decimal128(5, 2)), [[D("1.50"), None]]),
    (sql.ArrayType(sql.BinaryType()), pa.list_(pa.binary()), [[b"", b"a"], [None]]),
    (
        sql.ArrayType(sql.ArrayType(sql.StringType())),
        pa.list_(pa.list_(pa.string())),
        [[], [[], ["a"], None], [["b", None]]],
    ),
    (sql.MapType(sql.StringType(), sql.LongType()), pa.map_(pa.string(), pa.int64()), [[("a", 1)]]),
    (sql.NullType(), pa.null(), []),
]  # fmt: skip


def shown(seen: list[Any], *values: Any) -> int:
    """Keep the exact type and value of each argument."""
    for value in values:
        fold = getattr(value, "fold", None)
        exact = value.hex() if type(value) is float else repr(value)
        seen.append((type(value), exact, fold, hash(value) if value.__hash__ else None))
    return 0


def assert_same_arguments(kind: sql.DataType, arrays: list[pa.Array], **set_to: Any) -> None:
    """Assert that a function sees the same objects, or none because of the same error."""
    batches = [pa.RecordBatch.from_arrays([each], ["_0"]) for each in arrays]
    both = []
    for read in (stock(), ours()):
        seen: list[Any] = []
        item = Given(lambda value, seen=seen: shown(seen, value), sql.LongType())
        ended = outcome(
            lambda item=item, read=read: process(read, [item], [kind], batches, conf(**set_to))
        )
        both.append((seen, ended))
    nan = next((None for each in both[0][0] if each[1] == "nan"), both)
    if nan is None:  # each NaN has a hash of its own
        both = [([entry[:3] for entry in seen], ended) for seen, ended in both]
    assert both[0] == both[1]


@pytest.mark.parametrize(("kind", "of", "values"), INPUTS, ids=lambda it: str(it)[:30])
def test_every_argument_is_what_it_is_in_spark(
    kind: sql.DataType, of: pa.DataType, values: list[Any]
) -> None:
    holed = [each for value in values for each in (value, None)] + [None]
    arrays = [pa.array(each, of) for each in (values, holed, values[::-1], [None] * 17, [])]
    sliced = [pa.array(holed * 3, of)[start:] for start in (1, 2, 7) if len(holed) * 3 > start]
    assert_same_arguments(kind, [*arrays, *sliced])


def test_binary_arguments_are_bytearrays_when_spark_says_so() -> None:
    values = pa.array([b"", None, b"a"])
    assert_same_arguments(sql.BinaryType(), [values], binary_as_bytes=False)


@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles", "Europe/Berlin", "Asia/Kolkata"])
def test_timestamps_are_in_the_local_time_of_the_process(zone: str) -> None:
    before = os.environ.get("TZ")
    try:
        os.environ["TZ"] = zone
        time.tzset()
        values = pa.array([*CALM, None], pa.timestamp("us", "UTC"))
        assert_same_arguments(sql.TimestampType(), [values])
    finally:
        os.environ.pop("TZ")
        if before is not None:
            os.environ["TZ"] = before
        time.tzset()


def test_bytes_that_are_no_text_raise_as_in_spark() -> None:
    for pieces in ([b"ok", b"\xff"], ["é".encode()[:1], "é".encode()[1:]], [b"\xed\xa0\x80"]):
        offsets = pa.array([0, *np.cumsum([len(it) for it in pieces])], pa.int32()).buffers()[1]
        values = pa.StringArray.from_buffers(len(pieces), offsets, pa.py_buffer(b"".join(pieces)))
        assert_same_arguments(sql.StringType(), [values])


def test_bytes_in_a_list_that_are_no_text_raise_as_in_spark() -> None:
    offsets = pa.array([0, 1, 2, 3], pa.int32())
    text = pa.StringArray.from_buffers(3, offsets.buffers()[1], pa.py_buffer(b"a\xffb"))
    lists = pa.ListArray.from_arrays(pa.array([0, 2, 3], pa.int32()), text)
    assert_same_arguments(sql.ArrayType(sql.StringType()), [lists])


def test_what_one_function_does_to_a_list_the_next_one_sees() -> None:
    lists = pa.array([[1], [], None], pa.list_(pa.int64()))
    kind = sql.ArrayType(sql.LongType())
    first = Given(lambda given: given.append(7) if given else None, sql.LongType())
    second = Given(lambda given: len(given or ()), sql.LongType())
    batches = [pa.RecordBatch.from_arrays([lists], ["_0"])]
    for read in (stock(), ours()):
        (answer,) = process(read, [first, second], [kind], batches)
        assert answer.column(1).to_pylist() == [2, 0, 0]


def test_text_next_to_bytes_that_are_no_text_is_read() -> None:
    whole = pa.py_buffer(b"\xffok\xff")
    offsets = pa.array([0, 1, 3, 4], pa.int32()).buffers()[1]
    values = pa.StringArray.from_buffers(3, offsets, whole)
    assert_same_arguments(sql.StringType(), [values[1:2]])


SIMPLE = [(kind, of) for kind, of, _ in INPUTS if to_arrow_type(kind, timezone="UTC") == of]
RANDOM = {
    pa.bool_(): st.booleans(),
    pa.int8(): st.integers(-(2**7), 2**7 - 1),
    pa.int16(): st.integers(-(2**15), 2**15 - 1),
    pa.int32(): st.integers(-(2**31), 2**31 - 1),
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.float32(): st.floats(width=32),
    pa.float64(): st.floats(),
    pa.string(): st.text(),
    pa.binary(): st.binary(),
    pa.date32(): st.dates(),
    pa.timestamp("us"): st.datetimes(),
    pa.decimal128(38, 18): st.decimals(-(10**19), 10**19, places=18),
}


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_whatever_comes_in_goes_out_as_in_spark(data: st.DataObject) -> None:
    kind, of = data.draw(st.sampled_from([pair for pair in SIMPLE if pair[1] in RANDOM]))
    values = data.draw(st.lists(st.none() | RANDOM[of], min_size=1, max_size=20))
    result = data.draw(st.sampled_from([kind, sql.StringType(), sql.LongType()]))
    column = pa.array(values, of)
    batches = [pa.RecordBatch.from_arrays([column, column], ["_0", "_1"])]
    same(lambda first, _second: first, result, [kind, kind], batches)
