"""The best split of every open node of some trees, found on executors; the driver gets a row each.

Partitions count, and what they counted meets by feature, or in one task where it is little. There
every candidate is tried: all boundaries of a numeric feature, and all prefixes of a categorical
one's categories in the order of their uplift, with missing values to the left and to the right; and
missing values against all others. Of those that gain the same, the first feature of the manifest
wins, then the fewest known codes on the left, then missing values to the left.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pyspark.errors import PythonException
from pyspark.sql import functions as F  # noqa: N812 (its usual name)

from ember.policy.codes import width
from ember.policy.errors import RowsError
from ember.policy.inputs import counted_rows
from ember.policy.kernel import shipped
from ember.policy.search import FOUND, Search
from ember.policy.statistics import SCHEMA, Counting, Merged, Statistics, kernel_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa
    from numpy.typing import NDArray
    from pyspark.sql import DataFrame, Row

    from ember.policy.kernel import Kernel
    from ember.policy.manifest import Manifest
    from ember.policy.search import Rules

    Cells = NDArray[np.int64]
    Batches = Iterator[pa.RecordBatch]

#: What the cells of one pass may take in a task; more open nodes than that are counted by turns.
PASS_BYTES: Final = 256 * 2**20

#: Features of one query. Spark writes Java for each column of a row, and beyond some thousands the
#: JVM leaves it uncompiled; queries of equal width share what was written and compiled.
FEATURES_AT_ONCE: Final = 1000

#: Values of features, and bytes of cells, up to which one task adds what the others counted: they
#: are few then, and one exchange more costs more than a search side by side gains.
ONE_TASK_VALUES: Final = 2**28
ONE_TASK_BYTES: Final = 8 * 2**20

#: The line of a task's traceback that says for what it refused rows.
_REFUSED: Final = re.compile(r"^\S*\bRowsError: (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Best:
    """The best split of a node, or none; and what was counted: shape (arms, 2), rows and units.

    :param opened: the number of the node among the open ones
    """

    opened: int
    gain: float | None
    feature: str
    left_codes: tuple[int, ...]
    left: Cells
    total: Cells

    @property
    def right(self) -> Cells:
        """What does not go left."""
        return self.total - self.left

    def beats(self, other: Best | None) -> bool:
        """Tell whether it is better than one by earlier features, which win of equal gains."""
        if other is None or self.gain is None:
            return other is None
        return other.gain is None or self.gain > other.gain

    @staticmethod
    def of(found: dict[str, Any], counting: Counting) -> Best:
        """Make one of a row of :data:`ember.policy.search.FOUND`."""
        shape = len(counting.arms), 2
        return Best(
            opened=found["node"],
            gain=found["gain"],
            feature=counting.features[found["feature"]].name,
            left_codes=tuple(found["left_codes"]),
            left=np.array(found["left"], np.int64).reshape(shape),
            total=np.array(found["total"], np.int64).reshape(shape),
        )


def best_splits(
    df: DataFrame, manifest: Manifest, counting: Counting, rules: Rules, outcomes: str | None = None
) -> list[Best]:
    """Find the best split of each open node that has rows, in one pass over the rows or a few.

    :param outcomes: the column that has an outcome for each arm, if they are valued
    :raises RowsError: if the rows do not fit the manifest
    """
    control = manifest.treatment.arms.index(manifest.treatment.control)
    drawn = not all(draw.takes_all for draw in counting.draws)
    rows = Spread(df, manifest, outcomes, drawn=drawn)
    digits = manifest.outcome.counted_digits(valued=counting.valued)
    return rows.best(Search(counting, control, digits, rules))


class Spread:
    """Rows wherever Spark has them: what is searched in them is a query, or some of features each.

    :param outcomes: the column that has an outcome for each arm, if they are valued
    :param drawn: some rows are left out, by their hashes
    """

    def __init__(
        self, df: DataFrame, manifest: Manifest, outcomes: str | None = None, *, drawn: bool
    ) -> None:
        self._df, self._manifest = df, manifest
        self._outcomes, self._drawn = outcomes, drawn
        self._library = shipped(df)

    def best(self, search: Search) -> list[Best]:
        """Find the best split of each open node that has rows."""
        return by_turns(search, self._of)

    def _of(self, search: Search) -> list[Best]:
        found: dict[int, Best] = {}
        for first, end in self._blocks(search.counting):
            for best in self._found(search.of_features(first, end)):
                if best.beats(found.get(best.opened)):
                    found[best.opened] = best
        return list(found.values())

    def _blocks(self, counting: Counting) -> Iterator[tuple[int, int]]:
        """Cut the features into runs of about the same width.

        A row that is drawn by its hash needs all of its columns. Trees that split by many features
        would have them read again with each run.
        """
        features = len(counting.features)
        runs = -(-features // FEATURES_AT_ONCE)
        if self._drawn or len(counting.split_by()) * 2 > FEATURES_AT_ONCE:
            runs = 1
        ends = [features * at // runs for at in range(runs + 1)]
        return pairwise(ends)

    def _found(self, search: Search) -> list[Best]:
        counting = search.counting
        kernel = kernel_of(counting, self._library, search)
        rows = counted_rows(
            self._df,
            self._manifest,
            self._outcomes,
            drawn=self._drawn,
            features=counting.features,
        )
        cells = rows.mapInArrow(_counting(counting, kernel), SCHEMA)
        searching = _searching(search, kernel)
        if self._few(counting):
            best = cells.repartition(1).mapInArrow(searching, FOUND)
        else:
            best = (
                cells.repartition("feature")
                .mapInArrow(searching, FOUND)
                .groupBy("node")
                .agg(F.max_by(F.struct("*"), F.struct("gain", -F.col("feature"))).alias("best"))
                .select("best.*")
            )
        return [Best.of(row.asDict(), counting) for row in _collected(best)]

    def _few(self, counting: Counting) -> bool:
        """Tell whether one task is enough to search, as far as numbers tell."""
        values = self._manifest.rows * len(counting.features)
        bytes_ = int(_cell_bytes(counting).sum())
        return values <= ONE_TASK_VALUES and bytes_ <= ONE_TASK_BYTES


def by_turns(search: Search, best_of: Callable[[Search], list[Best]]) -> list[Best]:
    """Search in runs of open nodes whose cells fit a task."""
    found: list[Best] = []
    for first, end in _passes(search.counting):
        some = best_of(search.part(first, end))
        found += [replace(each, opened=each.opened + first) for each in some]
    return sorted(found, key=lambda best: best.opened)


def _collected(best: DataFrame) -> list[Row]:
    """Collect rows.

    :raises RowsError: if a task did, as where one task holds the rows
    """
    try:
        return best.collect()
    except PythonException as error:
        refused = _REFUSED.search(str(error))
        if refused is None:
            raise
        raise RowsError(refused[1]) from error


def _counting(counting: Counting, kernel: Kernel | None) -> Callable[[Batches], Batches]:
    def count(batches: Batches) -> Batches:
        found = Statistics(counting, kernel)
        for batch in batches:
            found.add(batch)
        yield from found.rows()

    return count


def _searching(search: Search, kernel: Kernel | None) -> Callable[[Batches], Batches]:
    def best(batches: Batches) -> Batches:
        merged = Merged(search, kernel)
        for batch in batches:
            merged.add(batch)
        yield merged.best()

    return best


def _cell_bytes(counting: Counting) -> NDArray[np.int64]:
    """Return what the cells of each open node take."""
    taken = np.zeros(len(counting.opened), np.int64)
    for at, feature in enumerate(counting.features):
        taken[list(counting.nodes(at))] += width(feature) * len(counting.arms) * 16
    return taken


def _passes(counting: Counting) -> Iterator[tuple[int, int]]:
    """Cut the open nodes into runs whose cells fit a task."""
    taken = _cell_bytes(counting)
    first, bytes_ = 0, 0
    for at, each in enumerate(taken.tolist()):
        if at > first and bytes_ + each > PASS_BYTES:
            yield first, at
            first, bytes_ = at, 0
        bytes_ += each
    yield first, len(taken)
