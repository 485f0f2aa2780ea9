"""The best split of every open node of a tree, found on executors; the driver gets a row a node.

Candidates are all boundaries of a numeric feature, and all prefixes of a categorical one's
categories in the order of their uplift, with missing values to the left and to the right; and
missing values against all others. Of those that gain the same, the first feature of the manifest
wins, then the fewest known codes on the left, then missing values to the left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
from pyspark.sql import functions as F  # noqa: N812 (its usual name)

from ember.policy.codes import width
from ember.policy.criteria import Outcomes, gains, largest_uplift, means
from ember.policy.errors import RowsError
from ember.policy.inputs import arm, encoded, units
from ember.policy.manifest import Numeric
from ember.policy.statistics import SCHEMA, Statistics, merged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray
    from pyspark.sql import DataFrame

    from ember.policy.criteria import Criterion
    from ember.policy.manifest import Feature, Manifest
    from ember.policy.trees import FlatTree

    Cells = NDArray[np.int64]

#: A candidate as executors compare it. ``gain`` is null where a feature splits nothing.
_FOUND: Final = (
    "feature int, node int, gain double, left_codes array<int>, left array<bigint>, "
    "total array<bigint>"
)


_CRITERIA: Final = ("euclidean", "kl", "chi2", "policy")
_OF_SHARES: Final = ("kl", "chi2")


@dataclass(frozen=True)
class Rules:
    """What a split is to be.

    :param min_leaf: rows of every arm in each child, at least 1
    :param min_uplift: in one child at least, some arm's mean outcome is so far from the control's
    """

    criterion: Criterion = "euclidean"
    min_leaf: int = 100
    min_uplift: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no split could keep."""
        if self.criterion not in _CRITERIA:
            message = f"criterion {self.criterion!r} is none of {', '.join(_CRITERIA)}"
            raise RowsError(message)
        if self.min_leaf < 1 or not self.min_uplift >= 0.0:
            message = "min_leaf is at least 1, and min_uplift at least 0"
            raise RowsError(message)


@dataclass(frozen=True)
class Best:
    """The best split of a node, or none; and what was counted: shape (arms, 2), rows and units."""

    node: int
    gain: float | None
    feature: str
    left_codes: tuple[int, ...]
    left: Cells
    total: Cells

    @property
    def right(self) -> Cells:
        """What was counted in the other child."""
        return self.total - self.left


def best_splits(
    df: DataFrame, manifest: Manifest, tree: FlatTree, nodes: Sequence[int], rules: Rules
) -> list[Best]:
    """Find the best split of some leaves of a tree over the rows of a frame, in one pass over them.

    :param nodes: the leaves' numbers; one that no row ends in has no answer
    :raises RowsError: if the rows do not fit the manifest
    """
    arms = manifest.treatment.arms
    of = Outcomes(arms.index(manifest.treatment.control), manifest.outcome.digits)
    search = Search(manifest.features, tuple(nodes), len(arms), of, rules)
    best = (
        counted(df, manifest, tree, nodes)
        .groupBy("feature")
        .applyInArrow(_by_feature(search), _FOUND)
        .groupBy("node")
        .agg(F.max_by(F.struct("*"), F.struct("gain", -F.col("feature"))).alias("best"))
        .select("best.*")
        .collect()
    )
    return [
        Best(
            node=row.node,
            gain=row.gain,
            feature=manifest.features[row.feature].name,
            left_codes=tuple(row.left_codes),
            left=np.array(row.left, np.int64).reshape(len(arms), 2),
            total=np.array(row.total, np.int64).reshape(len(arms), 2),
        )
        for row in sorted(best, key=lambda row: row.node)
    ]


def _by_feature(search: Search) -> Callable[[pa.Table], pa.Table]:
    """Make it a function: PySpark counts the parameters of a method wrongly."""

    def search_feature(rows: pa.Table) -> pa.Table:
        return search.of_feature(rows)

    return search_feature


def counted(df: DataFrame, manifest: Manifest, tree: FlatTree, nodes: Sequence[int]) -> DataFrame:
    """Return the statistics of each partition: see :data:`ember.policy.statistics.SCHEMA`."""
    features, treatment, leaves = manifest.features, manifest.treatment, tuple(nodes)

    def count(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        found = Statistics(features, treatment, tree, leaves)
        for batch in batches:
            found.add(batch)
        yield from found.rows()

    chosen = [arm(df, manifest), units(df, manifest), *encoded(df, features)]
    named = [each.alias(f"_{at}") for at, each in enumerate(chosen)]
    return df.select(*named).mapInArrow(count, SCHEMA)


@dataclass(frozen=True)
class Search:
    """The search of each node's best split by one feature, where that feature's cells meet."""

    features: tuple[Feature, ...]
    nodes: tuple[int, ...]
    arms: int
    of: Outcomes
    rules: Rules

    def of_feature(self, rows: pa.Table) -> pa.Table:
        """Return a row for each node, as :data:`_FOUND` says."""
        at = rows.column("feature")[0].as_py()
        cells = merged(rows, self.nodes, (width(self.features[at]), self.arms))
        some = np.flatnonzero(cells.any(axis=(1, 2, 3)))
        cells = cells[some]
        total, missing = cells.sum(axis=1), cells[:, -1:]
        order = self._order(cells[:, :-1], self.features[at])
        known = np.take_along_axis(cells[:, :-1], order[..., None, None], axis=1)
        fewer = np.concatenate([np.zeros_like(missing), known[:, :-1].cumsum(axis=1)], axis=1)
        left = np.stack([fewer + missing, fewer], axis=2).reshape(len(some), -1, self.arms, 2)
        gain = self._gains(left, total[:, None] - left)
        best = gain.argmax(axis=1)
        lines = np.arange(len(some))
        codes = [
            sorted(each[: place // 2].tolist()) + [cells.shape[1] - 1] * (1 - place % 2)
            for each, place in zip(order, best.tolist(), strict=True)
        ]
        gain = gain[lines, best]
        longs = pa.list_(pa.int64())
        return pa.table(
            {
                "feature": pa.array([at] * len(some), pa.int32()),
                "node": pa.array([self.nodes[place] for place in some], pa.int32()),
                "gain": pa.array(gain, mask=~(gain > 0)),
                "left_codes": pa.array(codes, pa.list_(pa.int32())),
                "left": pa.array(left[lines, best].reshape(len(some), -1).tolist(), longs),
                "total": pa.array(total.reshape(len(some), -1).tolist(), longs),
            }
        )

    def _gains(self, left: Cells, right: Cells) -> NDArray[np.float64]:
        """Return what each candidate gains, less than nothing where a rule forbids it."""
        rules = self.rules
        if rules.criterion in _OF_SHARES:
            _shares_only(left + right, self.of.digits)
        with np.errstate(divide="ignore", invalid="ignore"):  # of candidates that are forbidden
            large = [(each[..., 0] >= rules.min_leaf).all(axis=-1) for each in (left, right)]
            far = [largest_uplift(each, self.of) >= rules.min_uplift for each in (left, right)]
            found = gains(rules.criterion, left, right, self.of)
        return np.where(large[0] & large[1] & (far[0] | far[1]), found, -np.inf)

    def _order(self, cells: Cells, feature: Feature) -> NDArray[np.intp]:
        """Order the codes of each node: those of numbers as they are, categories by uplift."""
        if isinstance(feature, Numeric):
            return np.broadcast_to(np.arange(cells.shape[1]), cells.shape[:2])
        control = cells[:, :, self.of.control]
        both = means(np.stack([cells.sum(axis=2) - control, control], axis=2), self.of.digits)
        uplift = both[..., 0] - both[..., 1]
        return np.where(cells.any(axis=(2, 3)), uplift, np.inf).argsort(axis=1, kind="stable")


def _shares_only(total: Cells, digits: int) -> None:
    most = total[..., 0] * 10**digits
    if (total[..., 1] < 0).any() or (total[..., 1] > most).any():
        message = f"the criteria {' and '.join(_OF_SHARES)} are for outcomes between 0 and 1"
        raise RowsError(message)
