"""The functions over groups: many groups cross in one batch, and are shown one at a time.

A batch has a column more than the function's: the rows of each *piece* of a group, negative while
the group goes on with the next piece, and zeroes behind the last. A piece is what Spark's worker
would have read as a batch of the group's own stream; here it is a slice.

What the function gives back for small groups is gathered into larger batches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ember_worker import transport

if TYPE_CHECKING:
    from collections.abc import Iterator

#: So many output batches are gathered, or so many bytes: what Spark's worker holds in its buffer.
_BATCHES = 256
_BYTES = 64 << 10


def groups(endpoint: Any) -> Iterator[Iterator[pa.RecordBatch]]:
    """Yield the batches of each group, one group after the other."""
    pieces = _pieces(endpoint)
    for batch, more in pieces:
        if more:
            rest = _with_the_next(batch, pieces)
            yield rest
            for _ in rest:  # what the function left unread
                pass
        else:
            yield iter((batch,))


def _with_the_next(
    batch: pa.RecordBatch, pieces: Iterator[tuple[pa.RecordBatch, bool]]
) -> Iterator[pa.RecordBatch]:
    yield batch
    del batch
    for following, more in pieces:
        yield following
        if not more:
            return


def _pieces(endpoint: Any) -> Iterator[tuple[pa.RecordBatch, bool]]:
    """Yield each piece, and whether its group goes on with the next."""
    for batch in transport.batches(endpoint):
        last = batch.num_columns - 1
        columns = batch.select(range(last))
        counts = memoryview(batch.column(last).buffers()[1]).cast("i")
        start = 0
        for count in counts:
            if count > 0:
                yield columns.slice(start, count), False
                start += count
            elif count:
                yield columns.slice(start, -count), True
                start -= count
            else:
                break
        del batch, columns, counts  # not to be kept while the next is waited for


class GatheringWriter(transport.BatchWriter):
    """Writes small batches many at a time.

    They are copied at once: a function may write again into memory that it has returned.
    """

    def __init__(self, endpoint: Any, schema: pa.Schema) -> None:
        """Write batches of ``schema`` to ``endpoint``."""
        super().__init__(endpoint, schema)
        self._gathered: list[list[pa.Array]] = []
        self._bytes = 0

    def write_batch(self, batch: pa.RecordBatch) -> None:
        """Keep one batch, or export it if it is large."""
        self._check(batch)
        size = batch.nbytes
        if size >= _BYTES:
            self._flush()
            self._push(batch)
            return
        self._gathered.append([pa.concat_arrays([column]) for column in batch.columns])
        self._bytes += size
        if len(self._gathered) >= _BATCHES or self._bytes >= _BYTES:
            self._flush()

    def close(self) -> None:
        """Export what was kept."""
        self._flush()

    def _flush(self) -> None:
        if self._gathered:
            gathered, self._gathered = self._gathered, []
            self._bytes = 0
            columns = [pa.concat_arrays(column) for column in zip(*gathered, strict=True)]
            self._push(pa.RecordBatch.from_arrays(columns, schema=self._schema))
