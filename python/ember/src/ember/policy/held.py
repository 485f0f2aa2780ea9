"""Rows that one task holds, and trees that are grown there: one query for all levels of all trees.

Statistics are whole numbers, so what is grown there is what is grown level by level from rows that
are spread, bit for bit. The driver gets the trees, and no row.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from ember.policy.errors import RowsError
from ember.policy.splits import Best, by_turns
from ember.policy.statistics import Statistics, kernel_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pyspark.sql import DataFrame

    from ember.policy.search import Search

    Grow = Callable[["Held"], list[dict[str, Any]]]

#: Values of features that a task holds, at most: 128 MiB of doubles.
MOST_VALUES: Final = 2**24

#: Values times trees above which growing takes more seconds than spreading the rows does.
MOST_WORK: Final = 2**28

_TOLD: Final = "trees string, error string"


def fits(rows: int, features: int, trees: int) -> bool:
    """Tell whether growing is best done in one task, as far as numbers tell."""
    return rows * features <= MOST_VALUES and rows * features * trees <= MOST_WORK


class Held:
    """Rows in the memory of a task, as they are counted."""

    def __init__(self, batches: Sequence[pa.RecordBatch], library: str | None) -> None:
        self._batches = batches
        self._library = library

    def best(self, search: Search) -> list[Best]:
        """Find the best split of each open node that has rows."""
        return by_turns(search, self._of)

    def _of(self, search: Search) -> list[Best]:
        found = Statistics(search.counting, kernel_of(search.counting, self._library, search))
        for batch in self._batches:
            found.add(batch)
        return [Best.of(row, search.counting) for row in found.best(search).to_pylist()]


def grown_in_a_task(
    rows: DataFrame, grow: Grow, library: str | None, most: int | None
) -> list[dict[str, Any]] | None:
    """Grow trees in one task, as documents; None if there are more values than ``most``.

    :param rows: as they are counted: see :func:`ember.policy.inputs.counted_rows`
    :raises RowsError: whatever ``grow`` raises of it
    """

    def work(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        trees, error = None, None
        try:
            held = _within(batches, most)
            trees = None if held is None else json.dumps(grow(Held(held, library)))
        except RowsError as refused:
            error = str(refused)
        told = [pa.array([each], pa.string()) for each in (trees, error)]
        yield pa.RecordBatch.from_arrays(told, ["trees", "error"])

    told = rows.repartition(1).mapInArrow(work, _TOLD).collect()
    if not told:  # Spark runs nothing over rows that it knows to be none
        return grow(Held([], library))
    if told[0].error is not None:
        raise RowsError(told[0].error)
    trees: list[dict[str, Any]] | None = json.loads(told[0].trees or "null")
    return trees


def _within(batches: Iterator[pa.RecordBatch], most: int | None) -> list[pa.RecordBatch] | None:
    """Return batches that together have no more values; None if they have."""
    found, values = [], 0
    for batch in batches:
        found.append(batch)
        values += sum(len(lists.flatten()) for lists in batch.columns[-2:])
        if most is not None and values > most:
            return None
    return found
