"""Sufficient statistics of rows: exact, and the same however the rows are cut up.

For each open node, feature, code and arm they are the number of rows and the sum of their outcomes
in whole units. Both are integers, so adding them is associative, and no order of it shows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ember.policy.codes import codes_of, width
from ember.policy.errors import RowsError
from ember.policy.kernel import Kernel, RefusedError, plan_of
from ember.policy.manifest import Numeric
from ember.policy.trees import leaves_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from ember.policy.draws import Draw
    from ember.policy.manifest import Feature
    from ember.policy.search import Search
    from ember.policy.trees import FlatTree

    Cells = NDArray[np.int64]

#: Sums of whole doubles are exact below the first, and no sum of longs may come near their end.
_EXACT: Final = 2**52
_MOST: Final = 2**62
_TOO_LARGE: Final = "outcomes are too large to be summed exactly: fewer digits, or scale them"

#: Numbers that a batch of cells has, about.
_NUMBERS: Final = 2**19

#: The columns of :meth:`Statistics.rows`; a node is its number among the open ones.
SCHEMA: Final = "feature int, node int, cells array<bigint>"

#: In the place of a feature: the cell is what the units of rows add up to without their signs.
_MAGNITUDE: Final = -1


@dataclass(frozen=True)
class Counting:
    """What is counted: rows of some trees, in their open nodes, by each feature's codes.

    :param draws: which rows each tree has
    :param opened: tree and node of each open node
    :param wanted: the open nodes that count a feature, for each feature; None if all do
    :param valued: rows bring an outcome for each arm, which counts for that arm whatever the row
        got; without it the outcome counts for the arm that the row got
    :param shares: units of one, if outcomes are shares of it: others are refused
    """

    features: tuple[Feature, ...]
    arms: tuple[str, ...]
    trees: tuple[FlatTree, ...]
    draws: tuple[Draw, ...]
    opened: tuple[tuple[int, int], ...]
    wanted: tuple[tuple[int, ...], ...] | None = None
    valued: bool = False
    shares: int | None = None

    def shape(self, feature: int) -> tuple[int, int, int, int]:
        """Return the shape of a feature's cells: its open nodes, codes, arms, rows and units."""
        return len(self.nodes(feature)), width(self.features[feature]), len(self.arms), 2

    def nodes(self, feature: int) -> Sequence[int]:
        """Return the open nodes that count a feature."""
        return range(len(self.opened)) if self.wanted is None else self.wanted[feature]

    def places(self) -> list[NDArray[np.intp]]:
        """For each tree, the number of each of its nodes among the open ones, or -1."""
        found = [np.full(len(tree.feature), -1) for tree in self.trees]
        for at, (tree, node) in enumerate(self.opened):
            found[tree][node] = at
        return found

    def part(self, first: int, end: int) -> Counting:
        """Return what is counted in some of the open nodes, which are numbered anew."""
        wanted: Sequence[Sequence[int]] | None = self.wanted
        if wanted is not None:
            wanted = tuple(tuple(at - first for at in each if first <= at < end) for each in wanted)
        return replace(self, opened=self.opened[first:end], wanted=wanted)

    def of_features(self, first: int, end: int) -> Counting:
        """Return what is counted by some of the features.

        Those that trees split by stay, for rows to find their nodes, and are not counted by.
        """
        kept = sorted({*range(first, end), *self.split_by()})
        moved = np.zeros(len(self.features), np.intp)
        moved[kept] = np.arange(len(kept))
        return replace(
            self,
            features=tuple(self.features[at] for at in kept),
            trees=tuple(replace(tree, feature=moved[tree.feature]) for tree in self.trees),
            wanted=tuple(tuple(self.nodes(at)) if first <= at < end else () for at in kept),
        )

    def split_by(self) -> set[int]:
        """Return the features that trees split by."""
        return {feature for tree in self.trees for feature in tree.split_by().tolist()}

    def document(self) -> dict[str, Any]:
        """Return it as the native kernel reads it."""
        return {
            "opened": len(self.opened),
            "places": [each.tolist() for each in self.places()],
            "draws": [
                {"seed": each.seed, "below": each.below, "half": each.half} for each in self.draws
            ],
            "wanted": self.wanted,
            "valued": self.valued,
            "shares": self.shares,
        }


class Statistics:
    """What is counted over some rows, natively where a library is, and else by numpy."""

    def __init__(self, counting: Counting, kernel: Kernel | None = None) -> None:
        self._counting = counting
        self._kernel = None if kernel is None else kernel.anew()
        self._magnitude = 0
        self._cells: list[Cells] = []
        if self._kernel is None:
            self._cells = [np.zeros(counting.shape(at), np.int64) for at in self._features]
            self._locals = [self._local(at) for at in self._features]
            self._places = counting.places()

    def add(self, batch: pa.RecordBatch) -> None:
        """Count the rows of a batch.

        :param batch: the arm as text, the row's hash, the outcome in units (for each arm, if they
            are valued), then a list of the features that are numbers, and one of the others
        :raises RowsError: for an arm out of the vocabulary, or no outcome, or one that is no share
            where others are refused
        """
        if self._kernel is None:
            self._add(batch)
            return
        self._magnitude += sum(map(_magnitude, self._outcomes(batch)))
        try:
            self._kernel.add(batch)
        except RefusedError:
            Statistics(self._counting)._add(batch)  # noqa: SLF001 (which says why)
            raise

    def rows(self) -> Iterator[pa.RecordBatch]:
        """Give the cells away, a row for each feature and node that any row was counted for.

        Before them comes what all units add up to without their signs: no sum is larger.
        """
        if self._magnitude:
            yield _batch([(_MAGNITUDE, _MAGNITUDE, np.array([self._magnitude]))])
        rows: list[tuple[int, int, Cells]] = []
        numbers = 0
        for feature, cells in enumerate(self.cells()):
            for node, each in zip(self._counting.nodes(feature), cells, strict=True):
                if each.any():
                    rows.append((feature, node, each.ravel()))
                    numbers += each.size
            if numbers > _NUMBERS:
                yield _batch(rows)
                rows, numbers = [], 0
        if rows:
            yield _batch(rows)

    def best(self, search: Search) -> pa.RecordBatch:
        """Return the best split of each open node, as :meth:`Search.best` does.

        :param search: the one that the kernel was made for, if there is one
        """
        if self._kernel is None:
            return search.best(dict(enumerate(self._cells)))
        return self._kernel.search()

    def cells(self) -> list[Cells]:
        """Return each feature's cells: see :meth:`Counting.shape`."""
        if self._kernel is None:
            return self._cells
        shapes = [self._counting.shape(at) for at in self._features]
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
        flat = np.split(self._kernel.cells(int(ends[-1])), ends[:-1])
        return [part.reshape(shape) for part, shape in zip(flat, shapes, strict=True)]

    @property
    def _features(self) -> range:
        return range(len(self._counting.features))

    def _local(self, feature: int) -> NDArray[np.intp]:
        """Return where each open node's cells are among those of a feature, or -1."""
        found = np.full(len(self._counting.opened), -1)
        nodes = list(self._counting.nodes(feature))
        found[nodes] = np.arange(len(nodes))
        return found

    def _outcomes(self, batch: pa.RecordBatch) -> list[pa.Array]:
        """Return the columns of outcomes."""
        end = 2 + (len(self._counting.arms) if self._counting.valued else 1)
        found: list[pa.Array] = batch.columns[2:end]
        return found

    def _add(self, batch: pa.RecordBatch) -> None:
        counting, outcomes = self._counting, self._outcomes(batch)
        arm = _arm_codes(batch.column(0), counting.arms)
        hashes = batch.column(1).to_numpy()
        units = np.stack([_units(each) for each in outcomes])
        self._watch(outcomes)
        if counting.shares is not None:
            _shares_only(units, counting.shares)
        lists = batch.columns[2 + len(outcomes) :]
        codes = codes_of(_columns(lists, counting), counting.features)
        for tree, draw, places in zip(counting.trees, counting.draws, self._places, strict=True):
            if (places < 0).all():
                continue
            node = places[leaves_of(tree, codes)]
            counted = node >= 0
            if not draw.takes_all:
                counted &= draw.takes(hashes)
            some = np.flatnonzero(counted)
            self._count(node[some], arm[some], units[:, some], codes[:, some])

    def _count(
        self,
        node: NDArray[np.intp],
        arm: NDArray[np.int64],
        units: NDArray[np.int64],
        codes: NDArray[np.int16],
    ) -> None:
        for cells, local, code in zip(self._cells, self._locals, codes, strict=True):
            at = local[node]
            some = slice(None) if self._counting.wanted is None else np.flatnonzero(at >= 0)
            first = (at[some] * cells.shape[1] + code[some]) * cells.shape[2]
            flat = cells.reshape(-1, 2)
            flat[:, 0] += np.bincount(first + arm[some], minlength=len(flat))
            if not self._counting.valued:
                flat[:, 1] += _sums(first + arm[some], units[0, some], len(flat))
                continue
            for each, values in enumerate(units):
                flat[:, 1] += _sums(first + each, values[some], len(flat))

    def _watch(self, outcomes: list[pa.Array]) -> None:
        """Refuse sums that a long may not hold."""
        self._magnitude += sum(map(_magnitude, outcomes))
        if self._magnitude > _MOST:
            raise RowsError(_TOO_LARGE)


def _batch(rows: list[tuple[int, int, Cells]]) -> pa.RecordBatch:
    features, nodes, cells = zip(*rows, strict=True)
    ends = np.cumsum([0, *map(len, cells)], dtype=np.int32)
    lists = pa.ListArray.from_arrays(pa.array(ends), pa.array(np.concatenate(cells)))
    columns = [pa.array(features, pa.int32()), pa.array(nodes, pa.int32()), lists]
    return pa.RecordBatch.from_arrays(columns, ["feature", "node", "cells"])


class Merged:
    """The cells that partitions counted, added natively where a library is, and else by numpy."""

    def __init__(self, search: Search, kernel: Kernel | None = None) -> None:
        self._search = search
        self._kernel = None if kernel is None else kernel.anew()
        self._places: dict[int, dict[int, int]] = {}
        self._magnitude = 0
        self._cells: dict[int, Cells] = {}

    def add(self, batch: pa.RecordBatch) -> None:
        """Add what :meth:`Statistics.rows` gave.

        :raises RowsError: if a sum may exceed a long, of whatever rows in whatever partitions
        """
        batch = self._watched(batch)
        if self._kernel is not None:
            self._kernel.merge(batch)
            return
        features, nodes = (batch.column(at).to_pylist() for at in (0, 1))
        column = batch.column(2)
        flat, ends = (
            column.flatten().to_numpy(),
            column.offsets.to_numpy() - column.offsets[0].as_py(),
        )
        for feature, node, first, end in zip(features, nodes, ends, ends[1:], strict=False):
            cells = self._of(feature)
            cells[self._places[feature][node]] += flat[first:end].reshape(cells.shape[1:])

    def best(self) -> pa.RecordBatch:
        """Return the best split of each open node that has rows here."""
        return self._search.best(self._cells) if self._kernel is None else self._kernel.search()

    def _watched(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Take out what units add up to without their signs; refuse what a long may not hold."""
        is_cells = pc.not_equal(batch.column(0), _MAGNITUDE)
        if is_cells.false_count == 0:
            return batch
        magnitudes = batch.filter(pc.invert(is_cells)).column(2).flatten()
        self._magnitude += sum(magnitudes.to_pylist())
        if self._magnitude > _MOST:
            raise RowsError(_TOO_LARGE)
        found: pa.RecordBatch = batch.filter(is_cells)
        return found

    def _of(self, feature: int) -> Cells:
        if feature not in self._cells:
            counting = self._search.counting
            self._cells[feature] = np.zeros(counting.shape(feature), np.int64)
            self._places[feature] = {node: at for at, node in enumerate(counting.nodes(feature))}
        return self._cells[feature]


def kernel_of(
    counting: Counting, library: str | None, search: Search | None = None
) -> Kernel | None:
    """Return the library's kernel for what is counted, and searched if it is."""
    if library is None:
        return None
    plan = plan_of(counting.features, counting.arms, counting.trees, counting, search)
    return Kernel(library, plan)


def _columns(lists: list[pa.Array], counting: Counting) -> list[pa.Array]:
    """Return a column for each feature."""
    flat = [each.flatten() for each in lists]
    numeric = [isinstance(each, Numeric) for each in counting.features]
    steps = [sum(numeric), len(numeric) - sum(numeric)]
    seen, found = [0, 0], []
    for of in (0 if each else 1 for each in numeric):
        places = np.arange(seen[of], len(flat[of]), steps[of])
        found.append(flat[of].take(pa.array(places)))
        seen[of] += 1
    return found


def _arm_codes(arms: pa.Array, vocabulary: Sequence[str]) -> NDArray[np.int64]:
    if arms.null_count:
        message = f"{arms.null_count:,} rows of a batch have no arm"
        raise RowsError(message)
    codes = pc.index_in(arms, value_set=pa.array(vocabulary, arms.type))
    if codes.null_count:
        value = arms[codes.is_null().index(True).as_py()].as_py()
        message = f"{value!r} is none of the arms {', '.join(vocabulary)}"
        raise RowsError(message)
    found: NDArray[np.int64] = codes.to_numpy().astype(np.int64)
    return found


def _units(units: pa.Array) -> NDArray[np.int64]:
    if units.null_count:
        message = f"{units.null_count:,} rows of a batch have no outcome"
        raise RowsError(message)
    found: NDArray[np.int64] = units.to_numpy()
    return found


def _magnitude(units: pa.Array) -> int:
    """Add up whole numbers without their signs, in halves that a long holds the sums of."""
    sizes = np.abs(units.drop_null().to_numpy()).view(np.uint64)
    high, low = sizes >> np.uint64(32), sizes & np.uint64(2**32 - 1)
    return (int(high.sum()) << 32) + int(low.sum())


def _shares_only(units: NDArray[np.int64], one: int) -> None:
    """Refuse outcomes that are no shares, whatever their sums are."""
    others = ((units < 0) | (units > one)).any(axis=0)
    if others.any():
        message = (
            "the criteria kl and chi2 are for outcomes between 0 and 1: "
            f"{int(others.sum()):,} rows of a batch have others"
        )
        raise RowsError(message)


def _sums(place: NDArray[np.int64], units: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """Add units by place, by way of doubles as long as these are exact."""
    if float(np.abs(units).sum(dtype=np.float64)) < _EXACT:
        return np.bincount(place, units, length).astype(np.int64)
    sums = np.zeros(length, np.int64)
    np.add.at(sums, place, units)
    return sums
