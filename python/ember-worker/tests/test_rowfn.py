"""Row functions on the bridge's way, and that it is taken: calls, frames, interrupts, memory."""

from __future__ import annotations

import _thread
import ctypes
import functools
import gc
import math
import operator
import re
import sys
import threading
import time
import traceback
import tracemalloc
import weakref
from collections import Counter
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import types as sql

from ember_worker import rowfn
from ember_worker.boot import SessionCancelled
from ember_worker.tracebacks import hide_our_frames
from protocol import SCALAR_ROW, error_text, header, run, run_vanilla
from rowfn_bridge import Given, bridge, conf, ours, process, stock
from test_rowfn_types import outcome

if TYPE_CHECKING:
    from collections.abc import Callable

LONG, TEXT = sql.LongType(), sql.StringType()
NUMBERS = pa.RecordBatch.from_pydict({"_0": pa.array([1, None, 300, 2**40] * 10)})
TWO = pa.RecordBatch.from_pydict({"_0": pa.array([1, None, 300]), "_1": pa.array(["a", "é", None])})
#: The last microsecond of the calendar.
LAST = 253_402_300_799_999_999
LONGS = sql.StructType([sql.StructField("_0", LONG)]).json()


def both(
    items: Callable[[], list[Given]], inputs: list[Any], batches: list[Any], **set_to: Any
) -> Any:
    """Run both ways and return what came out of ours, which must be what came out of Spark's."""
    ends = [outcome(lambda: process(read, items(), inputs, batches, conf(**set_to)))  # noqa: B023
            for read in (ours(), stock())]  # fmt: skip
    assert ends[0] == ends[1]
    return ends[0]


def spied(monkeypatch: pytest.MonkeyPatch, *names: str) -> Counter[str]:
    """Count what of the bridge is used, and what it answered."""
    real, counted = bridge(), Counter[str]()

    def counting(name: str) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            answer = getattr(real, name)(*args)
            counted[f"{name} -> {type(answer).__name__}"] += 1
            return answer

        return call

    counters = {name: counting(name) for name in names}
    monkeypatch.setattr(rowfn, "_bridge", [SimpleNamespace(**{**vars(real), **counters})])
    return counted


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count everything."""
    return spied(monkeypatch, "column", "rows", "repeated", "evaluate")


def test_the_loop_turns_in_the_bridge(calls: Counter[str]) -> None:
    items = [Given(lambda x, _s: x, LONG, (0, 1)), Given(lambda s: s, TEXT, (1,))]
    list(process(ours(), items, [LONG, TEXT], [TWO, TWO]))
    assert calls["column -> Column"] == 4
    assert calls["evaluate -> Results"] == 4
    list(process(ours(), [Given(lambda _: 5, TEXT, (1,))], [LONG, TEXT], [TWO]))
    assert calls["evaluate -> list"] == 1


@pytest.mark.parametrize("options", [
    {"arrow_concurrency_level": 2}, {"use_legacy_pandas_udf_conversion": True},
], ids=str)  # fmt: skip
def test_the_bridge_is_left_alone_where_spark_means_another_loop(
    calls: Counter[str], options: dict[str, Any]
) -> None:
    items = [Given(lambda x: x, LONG)]
    outcome(lambda: process(ours(), items, [LONG], [NUMBERS], conf(**options)))
    assert not calls


def test_shown_locals_are_those_of_spark(
    calls: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPARK_TRACEBACK_WITH_LOCALS", "1")
    list(process(ours(), [Given(lambda x: x, LONG)], [LONG], [NUMBERS]))
    assert not calls


class Broken:
    """An object that cannot be shown."""

    def __str__(self) -> str:
        message = "cannot be shown"
        raise RuntimeError(message)


class Adder:
    """Callable objects, with state."""

    def __init__(self) -> None:
        self.sum = 0

    def __call__(self, value: int | None) -> int:
        self.sum += value or 0
        return self.sum

    def bound(self, value: int | None) -> int:
        return self(value)


CALLABLES: dict[str, Callable[[], Any]] = {
    "builtin": lambda: repr,
    "partial": lambda: functools.partial(lambda a, b: f"{a}{b}", 7),
    "class": lambda: str,
    "object": Adder,
    "bound method": lambda: Adder().bound,
    "unbound C method": lambda: operator.methodcaller("__repr__"),
    "numpy": lambda: np.isfinite,
    "defaults": lambda: lambda a, b=3, *rest, key="k": f"{a}{b}{rest}{key}",
    "too few": lambda: lambda: 1,
    "too many": lambda: lambda a, b: f"{a}{b}",
    "not callable": lambda: 5,
    "cached": lambda: functools.lru_cache(lambda value: f"<{value}>"),
}


@pytest.mark.parametrize("make", CALLABLES.values(), ids=CALLABLES)
@pytest.mark.parametrize("result", [LONG, TEXT], ids=str)
def test_whatever_can_be_called_is_called(make: Callable[[], Any], result: sql.DataType) -> None:
    ended = both(lambda: [Given(make(), result)], [LONG], [NUMBERS, NUMBERS])
    assert ended


def test_a_generator_is_no_value() -> None:
    def generator(value: Any) -> Any:
        yield value

    items = [Given(generator, LONG)]
    ends = [outcome(lambda: process(read, items, [LONG], [NUMBERS]))  # noqa: B023
            for read in (ours(), stock())]  # fmt: skip
    assert without_addresses(str(ends[0])) == without_addresses(str(ends[1]))
    assert "generator" in str(ends[0])


def without_addresses(text: str) -> str:
    return re.sub(r"0x[0-9a-f]+", "0x", text)


def test_rows_without_arguments_and_named_arguments() -> None:
    counters = iter([iter(range(99)), iter(range(99))])

    def items() -> list[Given]:
        count = next(counters)
        return [
            Given(lambda: next(count), LONG, ()),
            Given(lambda x, s: f"{x}{s}", TEXT, (0,), {"s": 1}),
            Given(lambda s, x: f"{x}{s}", TEXT, (), {"s": 1, "x": 0}),
        ]

    assert len(both(items, [LONG, TEXT], [TWO, TWO])) == 2


def test_a_batch_without_rows_and_one_without_columns() -> None:
    both(lambda: [Given(lambda x: x, LONG)], [LONG], [NUMBERS[:0], NUMBERS])
    bare = pa.RecordBatch.from_struct_array(pa.array([{}] * 3, pa.struct([])))
    both(lambda: [Given(lambda: 4, LONG, ())], [], [bare])


def test_one_column_given_twice_is_one_object() -> None:
    made = pa.RecordBatch.from_pydict({"_0": pa.array([10**6, None])})
    ended = both(lambda: [Given(lambda a, b: a is b, sql.BooleanType(), (0, 0))], [LONG], [made])
    assert pa.array([True, True]).buffers()[1].to_pybytes()[:1] in ended[0][1]


def test_lists_and_lazy_columns_go_together(calls: Counter[str]) -> None:
    nested = sql.ArrayType(LONG)
    batch = pa.RecordBatch.from_pydict({"_0": pa.array([[1], None, [2, 3]]), "_1": TWO["_0"]})

    def change(values: Any, more: Any) -> Any:
        values.append(more)
        return values

    def items() -> list[Given]:
        return [Given(change, nested, (0, 1)), Given(lambda values: f"{values}", TEXT)]

    both(items, [nested, LONG], [batch])
    batch = batch.take(pa.array([0, 2]))
    both(items, [nested, LONG], [batch])
    assert calls["column -> Column"] == 2
    assert calls["evaluate -> list"] == 1
    assert calls["evaluate -> Results"] == 1


def test_kept_arguments_outlive_their_batch() -> None:
    kept: list[Any] = []
    list(process(ours(), [Given(kept.append, LONG, (1,))], [LONG, TEXT], [TWO]))
    gc.collect()
    assert kept == ["a", "é", None]


def test_a_function_may_use_pyarrow_and_run_row_functions_itself() -> None:
    def nested(value: Any) -> Any:
        inner = [Given(lambda x: x and x + 1, LONG)]
        (batch,) = process(ours(), inner, [LONG], [pa.RecordBatch.from_pydict({"_0": [value]})])
        return batch.column(0)[0].as_py()

    both(lambda: [Given(nested, LONG)], [LONG], [NUMBERS.slice(2, 2)])


def _deep(value: int | None) -> int:
    return _deep(value)


def test_endless_recursion_is_an_error_of_the_function() -> None:
    assert both(lambda: [Given(_deep, LONG)], [LONG], [NUMBERS])[0] is RecursionError


def _fails(value: Any) -> Any:
    if value == 300:
        raise _failing(value)
    return value


def _failing(value: Any) -> Exception:
    try:
        {}[value]
    except KeyError as error:
        raise ValueError(value) from error


def _stops(value: Any) -> Any:
    return next(iter([] if value == 300 else [value]))


def _spark_inside(_value: Any) -> Any:
    from pyspark.sql.types import _parse_datatype_json_string

    return _parse_datatype_json_string("no json")


FAILING: dict[str, Any] = {
    "its own": _fails,
    "stop": _stops,
    "in spark": _spark_inside,
    "in C": math.sqrt,
    "exit": sys.exit,
    "text": lambda value: value if value != 300 else "text",
    "surrogate": lambda _: "\ud800",
    "not shown": lambda _: Broken(),
    "not text": lambda value: [value],
}
FLAGS: dict[str, dict[str, str]] = {
    "full": {},
    "simplified": {"SPARK_SIMPLIFIED_TRACEBACK": "1"},
    "hidden": {"SPARK_HIDE_TRACEBACK": "1"},
}


@pytest.mark.parametrize("flags", FLAGS)
@pytest.mark.parametrize("function", FAILING.values(), ids=FAILING)
def test_an_error_reads_as_in_spark(
    function: Any, flags: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = spied(monkeypatch, "rows")  # the rest without frames of this test
    given = pa.RecordBatch.from_pydict({"_0": pa.array([4, 5, 300, -1])})
    for result in (LONG, TEXT, sql.BinaryType()):
        head = header(SCALAR_ROW, function, result, input_type=LONGS)
        our_batches, our_tail = run(head, [given], FLAGS[flags])
        spark_batches, spark_tail = run_vanilla(head, [given], FLAGS[flags])
        assert our_batches == spark_batches
        if not spark_batches:
            ours_reads, spark_reads = error_text(our_tail), error_text(spark_tail)
            assert without_addresses(ours_reads) == without_addresses(spark_reads)
    assert calls["rows -> Rows"] == 3


@pytest.mark.parametrize("flags", FLAGS)
@pytest.mark.parametrize(("kind", "column"), [
    (sql.TimestampType(), pa.array([0, LAST]).cast(pa.timestamp("us", "+14:00"))),
    (sql.TimestampType(), pa.array([0]).cast(pa.timestamp("us", "No/Where"))),
    (sql.DateType(), pa.array([0, 2_932_897], pa.int32()).cast(pa.date32())),
    (TEXT, pa.array([b"a", b"\xff"]).view(pa.string())),
], ids=str)  # fmt: skip
def test_an_unreadable_argument_reads_as_in_spark(
    kind: sql.DataType, column: pa.Array, flags: str
) -> None:
    kinds = sql.StructType([sql.StructField("_0", kind)]).json()
    given = pa.RecordBatch.from_arrays([column], ["_0"])
    head = header(SCALAR_ROW, str, TEXT, input_type=kinds)
    (_, our_tail), (_, spark_tail) = (
        each(head, [given], FLAGS[flags]) for each in (run, run_vanilla)
    )
    assert "Error: " in error_text(our_tail)
    assert without_addresses(error_text(our_tail)) == without_addresses(error_text(spark_tail))


def test_a_time_that_is_not_on_the_local_calendar_fails_where_it_fails_in_spark(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    column = pa.array([0, LAST]).cast(pa.timestamp("us", "UTC"))
    batch = pa.RecordBatch.from_arrays([column], ["_0"])
    told = []
    for read in (ours(), stock()):
        with pytest.raises(OverflowError) as raised:
            list(process(read, [Given(str, TEXT)], [sql.TimestampType()], [batch]))
        hide_our_frames(raised.value)
        told.append(traceback.format_exception(raised.value)[2:])
    monkeypatch.undo()
    time.tzset()
    assert "convert_timestamp" in str(told[0])
    assert told[0] == told[1]


def test_shown_locals_read_as_in_spark() -> None:
    flags = {"SPARK_TRACEBACK_WITH_LOCALS": "1", "SPARK_SIMPLIFIED_TRACEBACK": "1"}
    given = pa.RecordBatch.from_pydict({"_0": pa.array([4, 300])})
    head = header(SCALAR_ROW, _fails, LONG, input_type=LONGS)
    (_, our_tail), (_, spark_tail) = (each(head, [given], flags) for each in (run, run_vanilla))
    assert "value = 300" in error_text(our_tail)
    assert without_addresses(error_text(our_tail)) == without_addresses(error_text(spark_tail))


def test_a_loop_in_c_lets_other_threads_run_and_is_interrupted() -> None:
    me = threading.get_ident()
    running = threading.Event()

    def interrupt() -> None:
        running.wait()
        time.sleep(0.05)
        raised = ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(me), ctypes.py_object(SessionCancelled)
        )
        assert raised == 1

    thread = threading.Thread(target=interrupt)
    thread.start()
    many = pa.RecordBatch.from_pydict({"_0": pa.array(range(5_000_000))})
    results = process(ours(), [Given(float, sql.DoubleType())], [LONG], [many])
    running.set()
    with pytest.raises(SessionCancelled):
        list(results)
    thread.join()


def test_a_loop_in_python_is_interrupted_by_a_signal() -> None:
    def slow(value: Any) -> Any:
        if value == 100:
            _thread.interrupt_main()
        return value

    many = pa.RecordBatch.from_pydict({"_0": pa.array(range(1000))})
    with pytest.raises(KeyboardInterrupt):
        list(process(ours(), [Given(slow, LONG)], [LONG], [many]))


KINDS: dict[str, tuple[sql.DataType, pa.Array]] = {
    "long": (LONG, pa.array(range(10_000, 20_000))),
    "double": (sql.DoubleType(), pa.array(np.arange(10_000) / 3)),
    "text": (TEXT, pa.array([f"é{i}" for i in range(10_000)])),
    "binary": (sql.BinaryType(), pa.array([b"%d" % i for i in range(10_000)])),
    "date": (sql.DateType(), pa.array(range(10_000), pa.int32()).cast(pa.date32())),
    "instant": (sql.TimestampNTZType(), pa.array(range(10_000)).cast(pa.timestamp("us"))),
    "decimal": (sql.DecimalType(10, 2), pa.array(range(10_000)).cast(pa.decimal128(21, 2))),
}


@pytest.mark.parametrize("name", KINDS)
def test_nothing_is_left_behind(name: str) -> None:
    kind, column = KINDS[name]
    batch = pa.RecordBatch.from_arrays([column], ["_0"])
    odd = iter([object()] * 10**6)
    fifth = column[5].as_py()
    items = [
        Given(lambda x: x, kind),
        Given(lambda x: next(odd) if x == fifth else x, kind),
        Given(lambda _: None, kind),
    ]

    def once() -> None:
        outcome(lambda: process(ours(), items[::2], [kind], [batch]))
        outcome(lambda: process(ours(), items, [kind], [batch]))

    once()
    gc.collect()
    references = sys.getrefcount(None), sys.getrefcount(3)
    arrow = pa.total_allocated_bytes()
    tracemalloc.start()
    once()
    gc.collect()
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(3):
        once()
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 20_000
    assert pa.total_allocated_bytes() == arrow
    now = sys.getrefcount(None), sys.getrefcount(3)
    assert max(abs(a - b) for a, b in zip(references, now, strict=True)) < 200


class Base:
    """Owns memory that a buffer leads to."""

    def __init__(self) -> None:
        self.numbers = np.arange(1000)


def test_borrowed_buffers_live_as_long_as_they_are_read_and_no_longer() -> None:
    base = Base()
    alive = weakref.ref(base)
    buffer = pa.foreign_buffer(base.numbers.ctypes.data, 8000, base)
    column = bridge().column(pa.Array.from_buffers(pa.int64(), 1000, [None, buffer]), "l")
    del base, buffer
    gc.collect()
    assert alive() is not None
    assert list(column) == list(range(1000))
    rows = bridge().rows((column,))
    del column
    gc.collect()
    results = bridge().evaluate(lambda x: x, rows, "l", int, 64)
    del rows
    gc.collect()
    assert alive() is None
    made = results.array(pa.int64())
    del results
    assert made == pa.array(range(1000))


def test_unsuitable_columns_are_left_to_pyarrow() -> None:
    native = bridge()
    assert native.column(pa.array([2_932_897], pa.int32()).cast(pa.date32()), "tdD") is None
    assert native.column(pa.array([1]), "unknown") is None
    assert native.rows(([1, 2], [1])) is None
    assert native.rows(((1, 2),)) is None
    assert native.rows(([],)) is None
