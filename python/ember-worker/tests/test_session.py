"""A session gives what Spark's own worker gives: batches, tail, and the text of errors."""

from __future__ import annotations

import ctypes
import io
import re
import struct
import sys
import threading
import time
import types
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pyspark.serializers import CPickleSerializer
from pyspark.sql.types import DataType, LongType, StringType, StructField, StructType

from ember_worker import session
from ember_worker.boot import SessionCancelled
from protocol import (
    ARROW_ITER,
    MAP_ARROW,
    MAP_PANDAS,
    PANDAS_ITER,
    SCALAR_ARROW,
    SCALAR_PANDAS,
    SCALAR_ROW,
    FakeEndpoint,
    error_text,
    header,
    on_lane,
    rdd_header,
    run,
    run_vanilla,
    without_times,
)

if TYPE_CHECKING:
    from collections.abc import Callable

FLAT = [pa.RecordBatch.from_pydict({"_0": [n, n + 1, None]}) for n in range(3)]
NESTED = [
    pa.RecordBatch.from_arrays([pa.StructArray.from_arrays([batch.column(0)], ["a"])], ["struct"])
    for batch in FLAT
]
ONE_COLUMN = StructType([StructField("a", LongType())])
INPUT_TYPE = StructType([StructField("_0", LongType())]).json()


def _increment(value: Any) -> Any:
    return None if value is None else value + 1


def _vector(values: Any) -> Any:
    return values


def _vectors(batches: Any) -> Any:
    yield from batches


KINDS: dict[str, tuple[int, Callable[..., Any], DataType, list[pa.RecordBatch]]] = {
    "row": (SCALAR_ROW, _increment, LongType(), FLAT),
    "row to string": (SCALAR_ROW, str, StringType(), FLAT),
    "pandas": (SCALAR_PANDAS, _vector, LongType(), FLAT),
    "pandas iterator": (PANDAS_ITER, _vectors, LongType(), FLAT),
    "arrow": (SCALAR_ARROW, _vector, LongType(), FLAT),
    "arrow iterator": (ARROW_ITER, _vectors, LongType(), FLAT),
    "map pandas": (MAP_PANDAS, _vectors, ONE_COLUMN, NESTED),
    "map arrow": (MAP_ARROW, _vectors, ONE_COLUMN, NESTED),
}


def _message(kind: str, function: Callable[..., Any] | None = None) -> bytes:
    eval_type, stock, result, _ = KINDS[kind]
    return header(eval_type, function or stock, result, input_type=INPUT_TYPE)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gives_the_batches_and_the_tail_of_sparks_worker(kind: str) -> None:
    given = KINDS[kind][3]
    ours, our_tail = run(_message(kind), given)
    theirs, their_tail = run_vanilla(_message(kind), given)
    assert len(theirs) == len(given)
    assert ours == theirs
    for one, other in zip(ours, theirs, strict=True):
        assert one.schema.equals(other.schema, check_metadata=True)
    assert without_times(our_tail) == without_times(their_tail)


def _raise(values: Any) -> Any:
    try:
        return {}["missing"]
    except KeyError as error:
        message = f"no luck with {type(values).__name__}"
        raise ValueError(message) from error


def _raise_in_generator(batches: Any) -> Any:
    yield next(batches)
    _raise(None)


FLAGS = {
    "full": {},
    "simplified": {"SPARK_SIMPLIFIED_TRACEBACK": "1"},
    "hidden": {"SPARK_HIDE_TRACEBACK": "1"},
    "with locals": {"SPARK_SIMPLIFIED_TRACEBACK": "1", "SPARK_TRACEBACK_WITH_LOCALS": "1"},
}


@pytest.mark.parametrize("flags", FLAGS)
@pytest.mark.parametrize("kind", KINDS)
def test_an_error_reads_as_in_sparks_worker(kind: str, flags: str) -> None:
    given = KINDS[kind][3][:1]
    raising = _raise_in_generator if KINDS[kind][1] is _vectors else _raise
    message = _message(kind, raising)
    _, ours = run(message, given, FLAGS[flags])
    _, theirs = run_vanilla(message, given, FLAGS[flags])
    assert "no luck" in error_text(ours)
    assert _without_addresses(ours) == _without_addresses(theirs)


def _without_addresses(tail: bytes) -> str:
    return re.sub(r"0x[0-9a-f]+", "0x", error_text(tail))


def _two_schemas(_batches: Any) -> Any:
    import pyarrow as pa

    yield pa.RecordBatch.from_pydict({"a": [1]})
    yield pa.RecordBatch.from_pydict({"a": ["x"]})


def test_a_later_batch_of_another_schema_is_refused_in_pyarrows_words() -> None:
    message = header(MAP_ARROW, _two_schemas, ONE_COLUMN)
    ours, our_tail = run(message, NESTED, {})
    theirs, their_tail = run_vanilla(message, NESTED, {})
    assert len(ours) == 1
    assert "Tried to write record batch with different schema" in error_text(our_tail)
    assert error_text(our_tail) == error_text(their_tail)
    assert ours == theirs


def _exit(_value: Any) -> Any:
    import sys

    sys.exit(3)


def _stop(_value: Any) -> Any:
    raise StopIteration("over")


def _interrupt(_value: Any) -> Any:
    raise KeyboardInterrupt


def _out_of_memory(_value: Any) -> Any:
    raise MemoryError("none left")


def _recurse(value: Any) -> Any:
    return _recurse(value)


@pytest.mark.parametrize("function", [_exit, _stop, _interrupt, _out_of_memory, _recurse])
def test_what_is_no_ordinary_error_still_ends_the_session_like_sparks(
    function: Callable[..., Any],
) -> None:
    message = header(SCALAR_ARROW, function, LongType())
    _, ours = run(message, FLAT)
    _, theirs = run_vanilla(message, FLAT)
    assert _without_depth(ours) == _without_depth(theirs)


def _without_depth(tail: bytes) -> str:
    return re.sub(r"repeated \d+ more", "repeated", error_text(tail))


def test_a_function_of_another_python_is_refused_like_sparks() -> None:
    message = _message("arrow").replace(b"3.%d" % sys.version_info.minor, b"2.77"[:4], 1)
    _, ours = run(message, FLAT)
    _, theirs = run_vanilla(message, FLAT)
    assert "PYTHON_VERSION_MISMATCH" in error_text(ours)
    assert error_text(ours) == error_text(theirs)


def test_an_empty_partition_still_runs_and_has_a_tail() -> None:
    batches, tail = run(_message("arrow iterator"), [], schema=FLAT[0].schema)
    assert batches == []
    assert without_times(tail) == struct.pack("!iii", -1, 0, -1)


def test_the_serializer_still_writes_and_reads_ordinary_streams() -> None:
    from pyspark.sql.pandas.serializers import ArrowStreamSerializer

    stream = io.BytesIO()
    ArrowStreamSerializer().dump_stream(iter(FLAT), stream)
    stream.seek(0)
    assert list(ArrowStreamSerializer().load_stream(stream)) == FLAT


def test_a_kind_that_reads_bytes_is_refused_with_the_reason() -> None:
    pickling = CPickleSerializer()
    _, tail = run(rdd_header((lambda _, rows: rows, None, pickling, pickling)), FLAT)
    assert "cannot run embedded" in error_text(tail)


def test_a_header_cut_short_is_an_error_and_not_a_crash() -> None:
    _, tail = run(_message("arrow")[:-3], FLAT)
    assert "malformed header" in error_text(tail)


def test_a_cancelled_session_has_no_tail_and_pushes_nothing_more() -> None:
    endpoint = FakeEndpoint(_message("arrow"), FLAT)
    pull = endpoint.pull

    def cancelled_at_the_second() -> int:
        endpoint.cancelled = bool(endpoint.taken)
        return pull()

    endpoint.pull = cancelled_at_the_second  # type: ignore[method-assign]
    assert on_lane(endpoint) == b""
    assert len(endpoint.taken) == 1


def _never_end(_value: Any) -> Any:
    while True:
        pass


def test_a_cancellation_thrown_into_a_running_function_ends_it() -> None:
    endpoint = FakeEndpoint(header(SCALAR_ARROW, _never_end, LongType()), FLAT)
    tails: list[bytes] = []
    thread = threading.Thread(target=lambda: tails.append(session.run(endpoint)))
    thread.start()
    time.sleep(0.2)
    endpoint.cancelled = True
    inject = ctypes.pythonapi.PyThreadState_SetAsyncExc
    inject(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SessionCancelled))
    thread.join(5)
    assert tails == [b""]


def test_a_session_drops_every_batch_it_was_lent() -> None:
    lent = [pa.RecordBatch.from_pydict({"_0": [1, 2, 3]}) for _ in range(3)]
    before = pa.total_allocated_bytes()
    endpoint = FakeEndpoint(_message("arrow"), lent)
    del lent
    on_lane(endpoint)
    endpoint.taken.clear()
    assert pa.total_allocated_bytes() < before


def test_a_batch_kept_by_the_function_outlives_the_session() -> None:
    kept: list[Any] = []
    sys.modules["ember_test_kept"] = types.SimpleNamespace(kept=kept)  # type: ignore[assignment]

    def keep(batches: Any) -> Any:
        import ember_test_kept

        for batch in batches:
            ember_test_kept.kept.append(batch)
            yield batch

    run(header(ARROW_ITER, keep, LongType()), FLAT)
    assert [batch.to_pylist() for batch in kept] == [batch["_0"].to_pylist() for batch in FLAT]
