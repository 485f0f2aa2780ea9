"""The output of a table function: lists of rows, or pickles in their place.

A batch has a column of lists, if the declared type has one, and a column of pickles; for each
input row one of the two is null. The last pickle may be of what the function says at its end.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark import cloudpickle

from ember_worker import transport
from ember_worker.pickled.turns import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from ember_worker.pickled.table_loop import Loop

#: Pickles are sent when there are so many, or when they have so many bytes.
_MOST, _BYTES = 1024, 64 << 10
_PICKLES = pa.large_binary()


class Output:
    """Gathers what PySpark's serializer writes, and sends it in batches."""

    def __init__(self, loop: Loop) -> None:
        """Begin with nothing."""
        self._loop = loop
        self._gathered: list[bytes] = []
        self._bytes = 0
        self._sent = time.perf_counter()
        self._writer: transport.BatchWriter | None = None
        self._schema: pa.Schema | None = None

    def dumps(self, rows: list[Any], protocol: int) -> Parcel:
        """Return what stands for the pickle of one call's results, or the results of many."""
        (results,) = rows
        if len(results) == 1 and self._loop.is_whole(results[0]):
            return Parcel(self, results[0])
        pickle: bytes = cloudpickle.dumps(rows, protocol)  # type: ignore[no-untyped-call]
        return Parcel(self, pickle)

    def add(self, content: Any, endpoint: Any) -> None:
        """Take what one parcel holds."""
        if type(content) is bytes:
            self._gathered.append(content)
            self._bytes += len(content)
            late = time.perf_counter() - self._sent >= PATIENCE
            if late or len(self._gathered) >= _MOST or self._bytes >= _BYTES:
                self.flush(endpoint)
        elif len(content) > 0:
            self.flush(endpoint)
            self._push(endpoint, content.array(self._loop.rows), pa.nulls(len(content), _PICKLES))

    def flush(self, endpoint: Any) -> None:
        """Send the pickles that are there."""
        gathered, self._gathered, self._bytes = self._gathered, [], 0
        if gathered:
            lists = pa.nulls(len(gathered), self._loop.rows) if self._loop.rows else None
            self._push(endpoint, lists, pa.array(gathered, _PICKLES))

    def _push(self, endpoint: Any, lists: pa.Array | None, pickles: pa.Array) -> None:
        columns = {"pickles": pickles} if lists is None else {"rows": lists, "pickles": pickles}
        if self._writer is None or self._schema is None:
            self._schema = pa.schema([(name, it.type) for name, it in columns.items()])
            self._writer = transport.BatchWriter(endpoint, self._schema)
        batch = pa.RecordBatch.from_arrays(list(columns.values()), schema=self._schema)
        self._writer.write_batch(batch)
        self._sent = time.perf_counter()


class Parcel(transport.Parcel):
    """What one call gave, in a pickle, or many calls, in columns."""

    def __init__(self, output: Output, content: Any) -> None:
        """Bring ``content`` to ``output``."""
        self._output = output
        self._content = content

    def __len__(self) -> int:
        """Return the number of bytes of a pickle: PySpark refuses one that has too many."""
        return len(self._content) if type(self._content) is bytes else 1

    def deliver(self, endpoint: Any) -> Callable[[Any], None]:
        """Hand over, and return what is to be called before anything else is written."""
        self._output.add(self._content, endpoint)
        return self._output.flush
