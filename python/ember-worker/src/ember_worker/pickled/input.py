"""The input of a session: columns, or the pickles that Spark made."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark import cloudpickle
from pyspark.serializers import SpecialLengths

from ember_worker import transport
from ember_worker.pickled.columns import Columns, Unpickled
from ember_worker.pickled.turns import Single, Turns, Whole
from ember_worker.rowfn.names import LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The one column of an input that is made of pickles: each stands in the first row of its group.
#: Its second name is that of an input whose results leave in pickles alone.
PICKLES, PICKLES_BOTH_WAYS = "pickles", "pickles both ways"


def are_pickles(schema: pa.Schema) -> bool:
    """Tell whether what comes are Spark's own pickles."""
    return schema.names in ([PICKLES], [PICKLES_BOTH_WAYS])


def pickles_both_ways(endpoint: Any) -> bool:
    """Tell whether nothing but pickles comes and goes, and so the loop is PySpark's."""
    return bool(_schema(endpoint).names == [PICKLES_BOTH_WAYS])


def _schema(endpoint: Any) -> pa.Schema:
    return pa.ipc.read_schema(pa.py_buffer(endpoint.input_schema))


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
        #: What stands for the rows of the pickle that was read last.
        self._whole: tuple[Unpickled, Whole] | None = None

    def attach(self, endpoint: Any) -> None:
        """Read what comes to ``endpoint``."""
        types = enumerate(_schema(endpoint).types)
        changeable = [index for index, kind in types if pa.types.is_nested(kind)]
        self._turns.begin(changeable, levels=0 if pickles_both_ways(endpoint) else LEVELS)
        self.give(self._all(endpoint))

    def loads(self, segment: Any, **options: Any) -> Any:
        """Return the rows of a segment."""
        if type(segment) is not bytes:
            return segment.rows()
        rows = cloudpickle.loads(segment, **options)
        if not self._turns.fast:
            return rows
        unpickled = Unpickled(rows)
        whole = Whole(self._turns, unpickled.lazy, 0, unpickled.rows)
        self._whole = unpickled, whole
        return whole.rows()

    def _all(self, endpoint: Any) -> Iterator[Any]:
        for batch in transport.batches(endpoint):
            if are_pickles(batch.schema):
                for pickle in batch.column(0).drop_null():
                    yield from self._of_pickle(pickle.as_py())
            else:
                yield from self._of_columns(Columns(self._turns.bridge, batch))

    def _of_pickle(self, pickle: bytes) -> Iterator[Any]:
        yield pickle
        if self._whole is not None:
            unpickled, whole = self._whole
            if whole.rest:
                part = functools.partial(unpickled.part, whole.done, unpickled.rows)
                yield Single(self._turns, part, whole.rest)

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
