"""The input of a table function: columns, or the pickles that Spark made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspark import cloudpickle

from ember_worker import transport
from ember_worker.pickled.columns import Columns
from ember_worker.pickled.input import Segments, are_pickles
from ember_worker.pickled.table_loop import GROUP, Loop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Input(Segments):
    """The segments of a session of a table function."""

    def __init__(self, loop: Loop, load_stream: Callable[[Any], Iterator[Any]]) -> None:
        """Stand before the serializer's ``load_stream``."""
        super().__init__()
        self._loop = loop
        self._load_stream = load_stream

    def load_stream(self, stream: Any) -> Iterator[Any]:
        """Read what comes to the endpoint of ``stream``."""
        self.give(self._all(stream.endpoint))
        return self._load_stream(self)

    def loads(self, segment: Any, **options: Any) -> Any:
        """Return the rows of a segment."""
        if type(segment) is not bytes:
            return segment.rows()
        rows = cloudpickle.loads(segment, **options)
        if self._loop.shape is None:
            return rows
        columns = [list(column) for column in zip(*rows)]
        return self._loop.turn(columns, range(len(rows)), lambda start, end: rows[start:end])

    def _all(self, endpoint: Any) -> Iterator[Any]:
        for batch in transport.batches(endpoint):
            if are_pickles(batch.schema):
                yield from (pickle.as_py() for pickle in batch.column(0))
                continue
            columns = Columns(self._loop.bridge, batch)
            fast = columns.whole and self._loop.shape is not None
            size = columns.rows if fast else GROUP
            for start in range(0, columns.rows, size):
                rows = range(start, min(start + size, columns.rows))
                yield _Segment(self._loop if fast else None, columns, rows)


class _Segment:
    """Rows of a batch of columns."""

    def __init__(self, loop: Loop | None, columns: Columns, rows: range) -> None:
        self._loop = loop
        self._columns = columns
        self._rows = rows

    def __len__(self) -> int:
        """Return a length, as a pickle has one."""
        return len(self._rows)

    def rows(self) -> Any:
        """Return the rows, or what stands for them."""
        columns, rows = self._columns, self._rows
        if self._loop is None:
            return columns.part(rows.start, rows.stop)
        return self._loop.turn(
            columns.lazy, rows, lambda start, end: list(columns.part(start, end))
        )
