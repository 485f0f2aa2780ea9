"""The input of a session: columns, or the pickles that Spark made."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark import cloudpickle
from pyspark.serializers import SpecialLengths

from ember_worker import transport
from ember_worker.pickled.columns import Columns
from ember_worker.pickled.turns import Single, Turns, Whole

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The one column of an input that is made of pickles: each stands in the first row of its group.
PICKLES = "pickles"


def comes_in_pickles(endpoint: Any) -> bool:
    """Tell whether what comes to ``endpoint`` are Spark's own pickles."""
    schema = pa.ipc.read_schema(pa.py_buffer(endpoint.input_schema))
    return bool(schema.names == [PICKLES])


class Segments:
    """What PySpark's ``_read_with_length`` reads from: one segment of the input after the other."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._segments: Iterator[Any] = iter(())
        self._next: Any = None

    def give(self, segments: Iterator[Any]) -> None:
        """Have these read."""
        self._segments = segments

    def read_int(self, _stream: Any) -> int:
        """Return the length of the next segment, or say that the input has ended."""
        self._next = next(self._segments, None)
        return SpecialLengths.END_OF_DATA_SECTION if self._next is None else len(self._next)

    def read(self, _length: int) -> Any:
        """Return the segment whose length was told."""
        return self._next


class Input(Segments):
    """The segments of a session of row functions."""

    def __init__(self, turns: Turns) -> None:
        """Feed the loop that ``turns`` tells of."""
        super().__init__()
        self._turns = turns

    def attach(self, endpoint: Any) -> None:
        """Read what comes to ``endpoint``, and say what it is."""
        self._turns.begin(in_columns=not comes_in_pickles(endpoint))
        self.give(self._all(endpoint))

    def loads(self, segment: Any, **options: Any) -> Any:
        """Return the rows of a segment."""
        if type(segment) is bytes:
            return cloudpickle.loads(segment, **options)
        return segment.rows()

    def _all(self, endpoint: Any) -> Iterator[Any]:
        for batch in transport.batches(endpoint):
            if batch.schema.names == [PICKLES]:
                yield from (value.as_py() for value in batch.column(0).drop_null())
            else:
                yield from self._of_columns(Columns(self._turns.bridge, batch))

    def _of_columns(self, columns: Columns) -> Iterator[Any]:
        turns, fast, done = self._turns, self._turns.fast, 0
        while done < columns.rows:
            known: list[list[Any]] = []
            end = min(done + turns.group, columns.rows)
            if fast:
                # Before single rows comes one that stands for none, so that they are one list.
                whole = Whole(turns, columns.lazy, done, columns.rows if columns.whole else done)
                if not columns.whole:
                    turns.singles = end - done
                yield whole
                done, known = whole.done, whole.rest
                if columns.whole and not known:
                    continue
                end = min(done + turns.group, columns.rows)
            yield Single(turns, functools.partial(columns.part, done, end), known)
            done = end
