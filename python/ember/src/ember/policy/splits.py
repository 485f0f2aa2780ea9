"""The best split of every open node of some trees, found on executors; the driver gets a row each.

Partitions count, and what they counted meets by feature. There every candidate is tried: all
boundaries of a numeric feature, and all prefixes of a categorical one's categories in the order of
their uplift, with missing values to the left and to the right; and missing values against all
others. Of those that gain the same, the first feature of the manifest wins, then the fewest known
codes on the left, then missing values to the left.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from pyspark.sql import functions as F  # noqa: N812 (its usual name)

from ember.policy.codes import width
from ember.policy.inputs import arm, drawn_by, encoded_sql, units, values
from ember.policy.kernel import shipped
from ember.policy.search import FOUND, Search
from ember.policy.statistics import SCHEMA, Merged, Statistics, kernel_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray
    from pyspark.sql import DataFrame

    from ember.policy.manifest import Manifest
    from ember.policy.search import Rules
    from ember.policy.statistics import Counting

    Cells = NDArray[np.int64]
    Batches = Iterator[pa.RecordBatch]

#: What the cells of one pass may take in a task; more open nodes than that are counted by turns.
PASS_BYTES: Final = 256 * 2**20


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


def best_splits(
    df: DataFrame, manifest: Manifest, counting: Counting, rules: Rules, outcomes: str | None = None
) -> list[Best]:
    """Find the best split of each open node that has rows, in one pass over the rows or a few.

    :param outcomes: the column that has an outcome for each arm, if they are valued
    :raises RowsError: if the rows do not fit the manifest
    """
    found: list[Best] = []
    for first, end in _passes(counting):
        some = _part(counting, first, end)
        counted = counts(df, manifest, some, outcomes)
        control = manifest.treatment.arms.index(manifest.treatment.control)
        search = Search(some, control, manifest.outcome.digits, rules)
        found += [replace(each, opened=each.opened + first) for each in _best(counted, search)]
    return found


def counts(
    df: DataFrame, manifest: Manifest, counting: Counting, outcomes: str | None = None
) -> DataFrame:
    """Return the statistics of each partition: see :data:`ember.policy.statistics.SCHEMA`."""
    kernel = kernel_of(counting, shipped(df))

    def count(batches: Batches) -> Batches:
        found = Statistics(counting, kernel)
        for batch in batches:
            found.add(batch)
        yield from found.rows()

    none = all(draw.takes_all for draw in counting.draws)
    hashes = F.lit(0).cast("bigint") if none else drawn_by(df, manifest)
    of = [units(df, manifest)] if outcomes is None else values(df, manifest, outcomes)
    known = [arm(df, manifest), hashes, *of]
    names = [f"_ember_known_{at}" for at in range(len(known))]
    features = encoded_sql(df, counting.features)
    named = [*names, *(f"{each} AS _{at}" for at, each in enumerate(features))]
    rows = df.withColumns(dict(zip(names, known, strict=True))).selectExpr(*named)
    return rows.mapInArrow(count, SCHEMA)


def _best(counted: DataFrame, search: Search) -> list[Best]:
    counting = search.counting
    best = (
        counted.repartition("feature")
        .mapInArrow(_searching(search), FOUND)
        .groupBy("node")
        .agg(F.max_by(F.struct("*"), F.struct("gain", -F.col("feature"))).alias("best"))
        .select("best.*")
        .collect()
    )
    shape = len(counting.arms), 2
    return [
        Best(
            opened=row.node,
            gain=row.gain,
            feature=counting.features[row.feature].name,
            left_codes=tuple(row.left_codes),
            left=np.array(row.left, np.int64).reshape(shape),
            total=np.array(row.total, np.int64).reshape(shape),
        )
        for row in sorted(best, key=lambda row: row.node)
    ]


def _searching(search: Search) -> Callable[[Batches], Batches]:
    def best(batches: Batches) -> Batches:
        merged = Merged(search.counting)
        for batch in batches:
            merged.add(batch)
        yield search.best(merged.cells)

    return best


def _passes(counting: Counting) -> Iterator[tuple[int, int]]:
    """Cut the open nodes into runs whose cells fit a task."""
    taken = np.zeros(len(counting.opened), np.int64)
    for at, feature in enumerate(counting.features):
        taken[list(counting.nodes(at))] += width(feature) * len(counting.arms) * 16
    first, bytes_ = 0, 0
    for at, each in enumerate(taken.tolist()):
        if at > first and bytes_ + each > PASS_BYTES:
            yield first, at
            first, bytes_ = at, 0
        bytes_ += each
    yield first, len(taken)


def _part(counting: Counting, first: int, end: int) -> Counting:
    if (first, end) == (0, len(counting.opened)):
        return counting
    wanted: Sequence[Sequence[int]] | None = counting.wanted
    if wanted is not None:
        wanted = tuple(tuple(at - first for at in each if first <= at < end) for each in wanted)
    return replace(counting, opened=counting.opened[first:end], wanted=wanted)
