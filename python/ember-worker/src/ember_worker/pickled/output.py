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
#: Pickles are sent when they are of so many rows, or have so many bytes.
_ROWS, _BYTES = 10_000, 1 << 20

#: The types of the columns, by the names that the bridge knows them by.
TYPES: dict[str | None, pa.DataType] = {
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
    None: pa.null(),
}


class Output:
    """Gathers what PySpark's serializer writes, and sends it in batches."""

    def __init__(self, turns: Turns) -> None:
        """Begin with nothing."""
        self._turns = turns
        self._types: list[pa.DataType] = []
        self._writer: transport.BatchWriter | None = None
        self._schema: pa.Schema | None = None
        self._pickles = bytearray()
        self._rows = 0
        self._sent = time.perf_counter()

    def declare(self, declared: Declared) -> None:
        """Add the column of one function."""
        instants = pa.timestamp("us", "UTC")
        self._types.append(instants if declared.convert else TYPES[declared.column])

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
        if parcel.rows and type(parcel.content) is not bytes:
            self.flush(endpoint)
            pairs = zip(parcel.content, self._types, strict=True)
            self._push(endpoint, parcel.rows, [it.array(of) for it, of in pairs], None)
        elif parcel.rows:
            self._pickles += _HEAD.pack(parcel.rows, len(parcel.content)) + parcel.content
            self._rows += parcel.rows
            late = time.perf_counter() - self._sent >= PATIENCE
            if late or self._rows >= _ROWS or len(self._pickles) >= _BYTES:
                self.flush(endpoint)

    def flush(self, endpoint: Any) -> None:
        """Send the pickles that are there."""
        rows, pickles = self._rows, bytes(self._pickles)
        self._rows = 0
        self._pickles.clear()
        if rows:
            self._push(endpoint, rows, [pa.nulls(rows, of) for of in self._types], pickles)

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
