"""Groups through Spark's own worker and through ours, and what both made of them."""

from __future__ import annotations

import datetime as dt
import decimal
import io
import re
import struct
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from protocol import error_text, header, run, run_vanilla_bytes, without_times

if TYPE_CHECKING:
    from collections.abc import Callable

MAP, WINDOWED = 201, {203, 253}
WINDOWS = {"window_bound_types": "unbounded"}
#: Rows of each group, and those of the groups in several pieces.
GROUPS = [[1], [3], [2], [1], [4, 3], [5], [2]] * 3


def column(of: pa.DataType, value: Callable[[int], Any], nulls: str) -> pa.Array:
    """Return a column with no null, with nulls in some groups, or with nulls alone."""
    count = sum(map(sum, GROUPS))
    gone = {"none": lambda _: False, "some": lambda n: n % 9 == 4, "all": lambda _: True}[nulls]
    return pa.array([None if gone(n) else value(n) for n in range(count)], of)


TYPES: dict[str, tuple[pa.DataType, Callable[[int], Any]]] = {
    "bool": (pa.bool_(), lambda n: n % 2 == 0),
    "int8": (pa.int8(), lambda n: n),
    "int32": (pa.int32(), lambda n: n),
    "int64": (pa.int64(), lambda n: n),
    "float": (pa.float32(), float),
    "double": (pa.float64(), lambda n: float("nan") if n % 4 == 1 else n / 3),
    "string": (pa.string(), str),
    "binary": (pa.binary(), lambda n: b"b" * n),
    "date": (pa.date32(), lambda n: dt.date(2020, 1, 1) + dt.timedelta(n)),
    "timestamp": (pa.timestamp("us", "UTC"), lambda n: n * 10**9),
    "ntz": (pa.timestamp("us"), lambda n: n * 10**9),
    "late": (pa.timestamp("us"), lambda n: n * 10**16),
    "decimal": (pa.decimal128(10, 2), decimal.Decimal),
    "list": (pa.list_(pa.int64()), lambda n: [n, n]),
    "null": (pa.null(), lambda _: None),
}


def framed(values: pa.Array, before: int, after: int) -> pa.RecordBatch:
    """Return the frame of each row in its group, from so many rows before to so many after."""
    begin, end = [], []
    for rows in map(sum, GROUPS):
        begin += [min(rows, max(0, row - before)) for row in range(rows)]
        end += [max(0, min(rows, row + after + 1)) for row in range(rows)]
    bounds = [pa.array(bound, pa.int32()) for bound in (begin, end)]
    return pa.RecordBatch.from_arrays([*bounds, values], ["_0", "_1", "_2"])


def both(
    kind: int,
    function: Any,
    result: Any,
    table: pa.RecordBatch,
    offsets: tuple[int, ...] = (0,),
    **conf: str,
) -> Any:
    """Return what ours and Spark's make of the groups; ``offsets`` are an aggregate's arguments."""
    if conf.get("window_bound_types") == "bounded":
        offsets = (0, 1, 2)
    if kind == MAP:
        columns = range(table.num_columns)
        offsets = (table.num_columns + 2, 1, 0, *columns)
    told = {**(WINDOWS if kind in WINDOWED else {}), **conf}
    head = header(kind, function, result, arguments=offsets, conf=told)
    pieces = [(rows, at + 1 < len(group)) for group in GROUPS for at, rows in enumerate(group)]
    counts = [-rows if more else rows for rows, more in pieces]
    padded = pa.array(counts + [0] * (table.num_rows - len(counts)), pa.int32())
    data, start = io.BytesIO(), 0
    for group in GROUPS:
        data.write(struct.pack("!i", 1))
        with pa.RecordBatchStreamWriter(data, table.schema) as writer:
            for rows in group:
                writer.write_batch(table.slice(start, rows))
                start += rows
    theirs = run_vanilla_bytes(head, data.getvalue() + struct.pack("!i", 0))
    return run(head, [table.append_column("pieces", padded)]), theirs


def same(results: Any) -> bool:
    """Compare rows and ends, and what came before an error; tell whether there was none."""
    (ours, our_tail), (theirs, their_tail) = results
    rows = [str(batch.to_pylist()) for batch in _joined(ours)]
    assert rows == [str(batch.to_pylist()) for batch in _joined(theirs)]
    assert [batch.schema for batch in ours[:1]] == [batch.schema for batch in theirs[:1]]
    if our_tail.startswith(struct.pack("!i", -2)):
        start = their_tail.index(struct.pack("!i", -2))
        assert _text(our_tail) == _text(their_tail[start:])
        return False
    assert without_times(our_tail) == without_times(their_tail)
    return True


def _joined(batches: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
    return pa.Table.from_batches(batches).combine_chunks().to_batches() if batches else []


def _text(tail: bytes) -> str:
    return re.sub(r"0x[0-9a-f]+", "0x", error_text(tail))
