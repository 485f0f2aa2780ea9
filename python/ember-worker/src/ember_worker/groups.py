"""The functions over groups: many groups cross in one batch, and are shown one at a time.

A batch has a column more than the function's: the rows of each *piece* of a group, negative while
the group goes on with the next piece, and zeroes behind the last. A piece is what Spark's worker
would have read as a batch of the group's own stream; here it is a slice.

Cogroups are pairs of such groups, whose rows have the columns of both sides. The count of a piece
is then twice its rows, and one more on the right; it is negative while the cogroup goes on.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ember_worker import transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    import pyarrow as pa

    #: How a batch of many groups is cut: from where, how many rows.
    Cut = Callable[[int, int], Any]
    #: How a side of cogroups is shown: all rows of its columns, and which of them are its own.
    ShowSide = Callable[[pa.RecordBatch, Callable[[], np.ndarray]], Cut]


def groups(endpoint: Any, show: Callable[[pa.RecordBatch], Cut]) -> Iterator[Iterator[Any]]:
    """Yield the batches of each group, one group after the other, as ``show`` shows them."""
    pieces = _pieces(endpoint, show)
    for batch, more in pieces:
        if more:
            rest = _with_the_next(batch, pieces)
            yield rest
            for _ in rest:  # what the function left unread
                pass
        else:
            yield iter((batch,))


def cogroups(endpoint: Any, show: ShowSide) -> Iterator[tuple[list[Any], list[Any]]]:
    """Yield the batches of both sides of each cogroup, as ``show`` shows them."""
    sides: tuple[list[Any], list[Any]] = ([], [])

    def taken(cuts: list[Cut]) -> tuple[list[Any], list[Any]]:
        """Return the batches of each side; one without rows has an empty one, as in a stream."""
        nonlocal sides
        (left, right), sides = sides, ([], [])
        return left or [cuts[0](0, 0)], right or [cuts[1](0, 0)]

    for batch in transport.batches(endpoint):
        cuts, counts = _of_sides(batch, show)
        start = 0
        for count in counts:
            if not count:
                break
            rows, side = divmod(abs(count), 2)
            sides[side].append(cuts[side](start, rows))
            start += rows
            if count > 0:
                yield taken(cuts)
        del batch, cuts, counts  # not to be kept while the next is waited for


def _of_sides(batch: pa.RecordBatch, show: ShowSide) -> tuple[list[Cut], memoryview]:
    """Return what cuts each side's columns, and the counts of the pieces."""
    left, last = int(batch.schema.metadata[b"left"]), batch.num_columns - 1
    columns, counts = batch.replace_schema_metadata(None), _counts(batch)
    sides = columns.select(range(left)), columns.select(range(left, last))
    shown = [show(side, partial(_own, counts, at)) for at, side in enumerate(sides)]
    return shown, counts


def _own(counts: memoryview, side: int) -> np.ndarray:
    """Tell of each row whether it is of this side."""
    import numpy as np

    pieces = np.abs(np.asarray(counts))
    return np.repeat(pieces & 1 == side, pieces >> 1)


def _counts(batch: pa.RecordBatch) -> memoryview:
    return memoryview(batch.column(batch.num_columns - 1).buffers()[1]).cast("i")


def slices(batch: pa.RecordBatch) -> Cut:
    """Show groups as what they are."""
    cut: Cut = batch.slice
    return cut


def as_slices(endpoint: Any) -> Iterator[Iterator[Any]]:
    """Yield the batches of each group as what they are."""
    return groups(endpoint, slices)


def sides_as_slices(endpoint: Any) -> Iterator[tuple[list[Any], list[Any]]]:
    """Yield the batches of both sides of each cogroup as what they are."""
    return cogroups(endpoint, lambda batch, _own: batch.slice)


def _with_the_next(batch: Any, pieces: Iterator[tuple[Any, bool]]) -> Iterator[Any]:
    yield batch
    del batch
    for following, more in pieces:
        yield following
        if not more:
            return


def _pieces(endpoint: Any, show: Callable[[pa.RecordBatch], Cut]) -> Iterator[tuple[Any, bool]]:
    """Yield each piece, and whether its group goes on with the next."""
    for batch in transport.batches(endpoint):
        last = batch.num_columns - 1
        cut = show(batch.select(range(last)))
        counts = _counts(batch)
        start = 0
        for count in counts:
            if count > 0:
                yield cut(start, count), False
                start += count
            elif count:
                yield cut(start, -count), True
                start -= count
            else:
                break
        del batch, cut, counts  # not to be kept while the next is waited for
