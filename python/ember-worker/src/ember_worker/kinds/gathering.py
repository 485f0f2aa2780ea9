"""What functions give back for small groups is gathered into larger batches."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from ember_worker.kinds import waiting

#: So many output batches are gathered, or so many bytes: what Spark's worker holds in its buffer.
_BATCHES = 256
_BYTES = 64 << 10


class GatheringWriter(waiting.WaitingWriter):
    """Writes small batches many at a time, whose memory is theirs alone."""

    def __init__(self, endpoint: Any, schema: pa.Schema) -> None:
        """Write batches of ``schema`` to ``endpoint``."""
        super().__init__(endpoint, schema)
        self._gathered: list[list[pa.Array]] = []
        self._bytes = 0

    def write_batch(self, batch: Any) -> None:
        """Keep one batch, or export it if it is large."""
        if type(batch) is waiting.Waiting:
            if self.wait(batch):
                self.flush()
            return
        self._check(batch)
        if batch.num_rows > waiting.FEW:
            self.flush()
            self._push(batch)
        else:
            self.convert()
            self._gather(self._kept(batch))

    def keep(self, batch: pa.RecordBatch) -> None:
        """Keep what waited: its memory is its own."""
        self._gather(batch.columns)

    def close(self) -> None:
        """Export what was kept."""
        self.flush()

    def _gather(self, columns: list[pa.Array]) -> None:
        self._gathered.append(columns)
        for column in columns:
            self._bytes += column.get_total_buffer_size()
        if len(self._gathered) >= _BATCHES or self._bytes >= _BYTES:
            self.flush()

    def _kept(self, batch: pa.RecordBatch) -> list[pa.Array]:
        columns: list[pa.Array] = batch.columns
        return columns

    def flush(self) -> None:
        """Export what waits and what was kept."""
        self.convert()
        if self._gathered:
            gathered, self._gathered = self._gathered, []
            self._bytes = 0
            columns = gathered[0]
            if len(gathered) > 1:
                columns = [pa.concat_arrays(column) for column in zip(*gathered, strict=True)]
            self._push(pa.RecordBatch.from_arrays(columns, schema=self._schema))


class CopyingWriter(GatheringWriter):
    """The same for functions that may write again into memory that they have returned."""

    def _kept(self, batch: pa.RecordBatch) -> list[pa.Array]:
        return [pa.concat_arrays([column]) for column in batch.columns]
