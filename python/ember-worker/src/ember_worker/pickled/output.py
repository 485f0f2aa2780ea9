"""The output of a session: columns of results, or pickles beside empty columns.

The last column holds, in its first row, the pickles of the batch's rows: each behind the number of
its rows and of its bytes. It is null where the other columns hold the results.
"""

from __future__ import annotations

import struct
import time
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark import cloudpickle

from ember_worker import transport
from ember_worker.pickled.turns import PATIENCE, Nothing, Turns

if TYPE_CHECKING:
    from ember_worker.pickled.target import Declared

_HEAD = struct.Struct("!ii")
#: Pickles are sent when they are of so many rows, or have so many bytes; columns sooner.
_ROWS, _BYTES, _LONG = 10_000, 1 << 20, 1000

_TYPES: dict[str | None, pa.DataType] = {
    "b": pa.bool_(),
    "c": pa.int8(),
    "s": pa.int16(),
    "i": pa.int32(),
    "l": pa.int64(),
    "f": pa.float32(),
    "g": pa.float64(),
    "u": pa.string(),
    "z": pa.binary(),
    "tdD": pa.date32(),
    "tsu:": pa.timestamp("us"),
    "tsu:UTC": pa.timestamp("us", "UTC"),
    None: pa.null(),
}


def arrow_type(shape: Any) -> pa.DataType:
    """Return the type of a column in which the bridge gathers results of this shape."""
    if type(shape) is not tuple:
        return _TYPES[shape]
    if shape[0] == "list":
        _, element, nulls = shape
        return pa.list_(pa.field("element", arrow_type(element), nulls))
    if shape[0] == "map":
        _, key, value, nulls = shape
        return pa.map_(arrow_type(key), pa.field("value", arrow_type(value), nulls))
    return pa.struct([pa.field(name, arrow_type(of), nulls) for name, of, nulls in shape[1]])


class Output:
    """Gathers what PySpark's serializer writes, and sends it in batches."""

    def __init__(self, turns: Turns) -> None:
        """Begin with nothing."""
        self._turns = turns
        self._types: list[pa.DataType] = []
        self._writer: transport.BatchWriter | None = None
        self._schema: pa.Schema | None = None
        self._pickles = bytearray()
        self._columns: list[list[pa.Array]] = []
        self._rows = 0
        self._sent = time.perf_counter()

    def declare(self, declared: Declared) -> None:
        """Add the column of one function."""
        self._types.append(arrow_type(declared.column))

    def dumps(self, rows: list[Any], protocol: int) -> Parcel:
        """Return what stands for the pickle of ``rows``, for the serializer to write."""
        first = rows[0]
        of_one = first[0] if type(first) is tuple and first else first
        if type(of_one) is Nothing:
            return Parcel(self, 0, b"")
        if self._turns.whole is not None:
            results = first if len(self._types) > 1 else rows
            return Parcel(self, len(of_one), results)
        pickle: bytes = cloudpickle.dumps(rows, protocol)  # type: ignore[no-untyped-call]
        return Parcel(self, len(rows), pickle)

    def add(self, parcel: Parcel, endpoint: Any) -> None:
        """Take what one parcel holds."""
        if not parcel.rows:
            return
        pickled = type(parcel.content) is bytes
        if self._columns if pickled else self._pickles:
            self.flush(endpoint)
        if pickled:
            self._pickles += _HEAD.pack(parcel.rows, len(parcel.content)) + parcel.content
        else:
            pairs = zip(parcel.content, self._types)
            self._columns.append([it.array(of) for it, of in pairs])
        self._rows += parcel.rows
        late = time.perf_counter() - self._sent >= PATIENCE
        enough = self._rows >= (_ROWS if pickled else _LONG) or len(self._pickles) >= _BYTES
        if late or enough:
            self.flush(endpoint)

    def flush(self, endpoint: Any) -> None:
        """Send what is there."""
        rows, pickles, columns = self._rows, bytes(self._pickles), self._columns
        self._rows, self._columns = 0, []
        self._pickles.clear()
        if pickles:
            self._push(endpoint, rows, [pa.nulls(rows, of) for of in self._types], pickles)
        elif columns:
            self._push(endpoint, rows, list(map(_joined, zip(*columns))), None)

    def _push(
        self, endpoint: Any, rows: int, columns: list[pa.Array], pickles: bytes | None
    ) -> None:
        if self._writer is None or self._schema is None:
            fields = [*((f"_{i}", of) for i, of in enumerate(self._types))]
            self._schema = pa.schema([*fields, ("pickles", pa.large_binary())])
            self._writer = transport.BatchWriter(endpoint, self._schema)
        beside = pa.nulls(rows, pa.large_binary())
        if pickles is not None:
            beside = pa.concat_arrays([pa.array([pickles], pa.large_binary()), beside[1:]])
        batch = pa.RecordBatch.from_arrays([*columns, beside], schema=self._schema)
        self._writer.write_batch(batch)
        self._sent = time.perf_counter()


def _joined(arrays: tuple[pa.Array, ...]) -> pa.Array:
    return arrays[0] if len(arrays) == 1 else pa.concat_arrays(arrays)


class Parcel(transport.Parcel):
    """What one list of rows became: results in columns, or a pickle."""

    def __init__(self, output: Output, rows: int, content: Any) -> None:
        """Bring ``content`` to ``output``."""
        self._output = output
        self.rows = rows
        self.content = content

    def __len__(self) -> int:
        """Return the number of bytes of a pickle: PySpark refuses one that has too many."""
        return len(self.content) if type(self.content) is bytes else 1

    def deliver(self, endpoint: Any) -> Any:
        """Hand over, and return what is to be called before anything else is written."""
        self._output.add(self, endpoint)
        return self._output.flush
