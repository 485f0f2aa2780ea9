"""The search of splits in cells that are complete: every candidate of every node and feature."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from ember.policy.codes import width
from ember.policy.criteria import (
    DIVERGENCES,
    Outcomes,
    Prior,
    fineness,
    gains,
    largest_uplift,
    means,
    uplift_of_all,
)
from ember.policy.errors import RowsError, whole
from ember.policy.kernel import bits
from ember.policy.manifest import Numeric

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ember.policy.criteria import Criterion
    from ember.policy.statistics import Counting

    Cells = NDArray[np.int64]

#: A split as executors compare it. ``gain`` is null where nothing splits a node.
FOUND: Final = (
    "feature int, node int, gain double, left_codes array<int>, left array<bigint>, "
    "total array<bigint>"
)

CRITERIA: Final = ("euclidean", "kl", "chi2", "ipw", "dr")
_OF_SHARES: Final = ("kl", "chi2")

#: Candidates are tried so many bytes of cells at a time, about what a cache holds.
_AT_ONCE: Final = 2**20


@dataclass(frozen=True)
class Rules:
    """What a split is to be.

    :param min_leaf: rows of every arm in each child, at least 1
    :param min_uplift: in one child at least, some arm's mean outcome is so far from the control's
    :param prior_rows: the means of a child are drawn towards its parent's as if each arm had so
        many rows more; scores of leaves are not. For divergences
    :param normalized: gains are divided by how finely and unevenly a split cuts the arms, as the
        paper of the divergences does for "kl". For them only; if None, for "kl" and "chi2"
    """

    criterion: Criterion = "euclidean"
    min_leaf: int = 100
    min_uplift: float = 0.0
    prior_rows: int = 0
    normalized: bool | None = None

    def __post_init__(self) -> None:
        """Refuse what no split could keep."""
        for name in ("min_leaf", "prior_rows"):
            object.__setattr__(self, name, whole(name, getattr(self, name)))
        if self.criterion not in CRITERIA:
            message = f"criterion {self.criterion!r} is none of {', '.join(CRITERIA)}"
            raise RowsError(message)
        if self.min_leaf < 1 or not self.min_uplift >= 0.0:
            message = "min_leaf is at least 1, and min_uplift at least 0"
            raise RowsError(message)
        if not 0 <= self.prior_rows < 2**31:
            message = "prior_rows is at least 0, and less than 2**31"
            raise RowsError(message)
        if (self.prior_rows or self.normalized) and self.criterion not in DIVERGENCES:
            message = f"prior_rows and normalized are for {', '.join(DIVERGENCES)}"
            raise RowsError(message)

    @property
    def normalizes(self) -> bool:
        """Whether gains are divided."""
        return self.criterion in _OF_SHARES if self.normalized is None else self.normalized


@dataclass(frozen=True)
class _Lines:
    """Cells of nodes and features that have the same kind and width; gains come beside them."""

    features: NDArray[np.intp]
    nodes: NDArray[np.intp]
    cells: Cells
    numeric: bool


@dataclass(frozen=True)
class _Found:
    """The best split of a node so far. Greater is better: gain, then the first feature."""

    gain: float
    feature: int
    left_codes: list[int]
    left: list[int]
    total: list[int]

    @property
    def rank(self) -> tuple[float, int]:
        """What is compared."""
        return self.gain, -self.feature


@dataclass(frozen=True)
class Search:
    """What is searched, and by which rules.

    :param priors: for each open node each arm's mean, towards which those of children are drawn; if
        None, those are the node's own, as of a root
    """

    counting: Counting
    control: int
    digits: int
    rules: Rules
    priors: tuple[tuple[float, ...], ...] | None = None

    def __post_init__(self) -> None:
        """Have outcomes refused that the criterion is not for."""
        shares = 10**self.digits if self.rules.criterion in _OF_SHARES else None
        object.__setattr__(self, "counting", replace(self.counting, shares=shares))

    def part(self, first: int, end: int) -> Search:
        """Return the search of some open nodes, which are numbered anew."""
        if (first, end) == (0, len(self.counting.opened)):
            return self
        priors = None if self.priors is None else self.priors[first:end]
        return replace(self, counting=self.counting.part(first, end), priors=priors)

    def of_features(self, first: int, end: int) -> Search:
        """Return the search by some of the features."""
        if (first, end) == (0, len(self.counting.features)):
            return self
        return replace(self, counting=self.counting.of_features(first, end))

    def document(self) -> dict[str, Any]:
        """Return it as the native kernel reads it."""
        rules, priors = self.rules, self.priors or ()
        return {
            "control": self.control,
            "digits": self.digits,
            "criterion": rules.criterion,
            "min_leaf": rules.min_leaf,
            "min_uplift": bits(np.array([rules.min_uplift]))[0],
            "prior_rows": rules.prior_rows,
            "normalized": rules.normalizes,
            "priors": bits(np.array(priors, np.float64).ravel()) if priors else None,
        }

    @property
    def _of(self) -> Outcomes:
        return Outcomes(self.control, self.digits, self.counting.valued)

    def best(self, cells: dict[int, Cells]) -> pa.RecordBatch:
        """Return a row for each open node that has rows here, as :data:`FOUND` says."""
        best: dict[int, _Found] = {}
        for lines in self._lines(cells):
            for node, found in self._of_lines(lines):
                if node not in best or found.rank > best[node].rank:
                    best[node] = found
        longs, rows = pa.list_(pa.int64()), sorted(best.items())
        gain = np.array([each.gain for _, each in rows])
        return pa.record_batch(
            {
                "feature": pa.array([each.feature for _, each in rows], pa.int32()),
                "node": pa.array([node for node, _ in rows], pa.int32()),
                "gain": pa.array(gain, pa.float64(), mask=~(gain > 0)),
                "left_codes": pa.array([each.left_codes for _, each in rows], pa.list_(pa.int32())),
                "left": pa.array([each.left for _, each in rows], longs),
                "total": pa.array([each.total for _, each in rows], longs),
            }
        )

    def _lines(self, cells: dict[int, Cells]) -> Iterator[_Lines]:
        """Put features of the same kind and width together, as many as are tried at once."""
        alike: dict[tuple[bool, int], list[int]] = {}
        for at in sorted(at for at, each in cells.items() if len(each)):
            feature = self.counting.features[at]
            alike.setdefault((isinstance(feature, Numeric), width(feature)), []).append(at)
        for (numeric, _), features in alike.items():
            stacked = np.concatenate([cells[at] for at in features])
            nodes = np.concatenate([np.array(self.counting.nodes(at), np.intp) for at in features])
            whose = np.repeat(features, [len(cells[at]) for at in features])
            some = np.flatnonzero(stacked.any(axis=(1, 2, 3)))
            step = max(1, _AT_ONCE // stacked[0].nbytes)
            for first in range(0, len(some), step):
                part = some[first : first + step]
                yield _Lines(whose[part], nodes[part], stacked[part], numeric)

    def _of_lines(self, lines: _Lines) -> Iterator[tuple[int, _Found]]:
        """Give the best candidate of each node, of whichever of these features."""
        cells = lines.cells
        total, missing = cells.sum(axis=1), cells[:, -1:]
        order = self._order(cells[:, :-1], total, numeric=lines.numeric)
        known = np.take_along_axis(cells[:, :-1], order[..., None, None], axis=1)
        fewer = np.concatenate([np.zeros_like(missing), known[:, :-1].cumsum(axis=1)], axis=1)
        left = np.stack([fewer + missing, fewer], axis=2).reshape(len(cells), -1, *total.shape[1:])
        gain = self._gains(left, total[:, None] - left, self._prior(lines.nodes, total))
        place = gain.argmax(axis=1)
        gain = gain[np.arange(len(cells)), place]
        ranked = np.lexsort((lines.features, -gain, lines.nodes))
        _, firsts = np.unique(lines.nodes[ranked], return_index=True)
        for at in ranked[firsts].tolist():
            codes = sorted(order[at, : place[at] // 2].tolist())
            yield (
                int(lines.nodes[at]),
                _Found(
                    gain=float(gain[at]),
                    feature=int(lines.features[at]),
                    left_codes=codes + [cells.shape[1] - 1] * (1 - int(place[at]) % 2),
                    left=left[at, place[at]].ravel().tolist(),
                    total=total[at].ravel().tolist(),
                ),
            )

    def _prior(self, nodes: NDArray[np.intp], total: Cells) -> Prior | None:
        if not self.rules.prior_rows:
            return None
        own = means(total, self._of) if self.priors is None else np.array(self.priors)[nodes]
        return Prior(self.rules.prior_rows, own[:, None])

    def _gains(self, left: Cells, right: Cells, prior: Prior | None) -> NDArray[np.float64]:
        """Return what each candidate gains, less than nothing where a rule forbids it."""
        rules = self.rules
        with np.errstate(divide="ignore", invalid="ignore"):  # of candidates that are forbidden
            large = [(each[..., 0] >= rules.min_leaf).all(axis=-1) for each in (left, right)]
            far = [largest_uplift(each, self._of) >= rules.min_uplift for each in (left, right)]
            found = gains(rules.criterion, left, right, self._of, prior)
            if rules.normalizes:
                found = found / fineness(left, right, self.control)
        return np.where(large[0] & large[1] & (far[0] | far[1]), found, -np.inf)

    def _order(self, cells: Cells, total: Cells, *, numeric: bool) -> NDArray[np.intp]:
        """Order the codes of each node: those of numbers as they are, categories by uplift."""
        if numeric:
            return np.broadcast_to(np.arange(cells.shape[1]), cells.shape[:2])
        uplift = uplift_of_all(cells, total[:, None], self._of)
        return np.where(cells.any(axis=(2, 3)), uplift, np.inf).argsort(axis=1, kind="stable")
