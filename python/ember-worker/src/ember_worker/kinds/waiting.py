"""Results that wait for one another, so that many are converted to Arrow at once.

To PySpark's code a result that waits is the batch that it would have made of it. Who lets one wait
has made sure that its conversion cannot fail and that nobody can change it any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from ember_worker import guards, transport

if TYPE_CHECKING:
    import pyarrow as pa


#: A result of more rows does not wait.
FEW = 1024
#: So many results may wait, and of so many bytes. Spark's worker keeps 64 KiB of batches.
_MOST = 512
_BYTES = 1 << 19


class Conversion(Protocol):
    """What makes batches of the results that wait in one session."""

    #: Of the batches.
    schema: pa.Schema

    def converted(self, waiting: list[Any]) -> pa.RecordBatch:
        """Return the rows of all of them, as PySpark would have made them one by one."""


class Waiting:
    """A result that waits."""

    __slots__ = ("bytes", "data", "num_rows", "of")

    def __init__(self, of: Conversion, data: Any, num_rows: int, size: int = 16) -> None:
        """Stand for so many rows made of ``data``, of about so many bytes."""
        self.of = of
        self.data = data
        self.num_rows = num_rows
        self.bytes = size

    @property
    def schema(self) -> pa.Schema:
        """Return the schema of its batch."""
        return self.of.schema


class WaitingWriter(transport.BatchWriter):
    """Writes batches and results that wait, in their order."""

    def __init__(self, endpoint: Any, schema: pa.Schema) -> None:
        """Write batches of ``schema`` to ``endpoint``."""
        super().__init__(endpoint, schema)
        self._of: Conversion | None = None
        self._waiting: list[Any] = []
        self._waiting_bytes = 0

    def wait(self, result: Waiting) -> bool:
        """Let a result wait; tell whether that is enough."""
        if result.of is not self._of:
            self.convert()
            self._of = result.of
            if result.schema != self._schema:
                self._refuse(result.of.converted([result.data]))
        guards.end_forked_child()
        self._waiting.append(result.data)
        self._waiting_bytes += result.bytes
        return len(self._waiting) >= _MOST or self._waiting_bytes >= _BYTES

    def convert(self) -> None:
        """Make a batch of all that waits."""
        if self._of is not None and self._waiting:
            waiting, self._waiting = self._waiting, []
            self._waiting_bytes = 0
            self.keep(self._of.converted(waiting))

    def keep(self, batch: pa.RecordBatch) -> None:
        """Take a batch of results that waited."""
        raise NotImplementedError
