"""Sufficient statistics of rows: exact, and the same however the rows are cut up.

For each open node, feature, code and arm they are the number of rows and the sum of their outcomes
in whole units. Both are integers, so adding them is associative, and no order of it shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ember.policy.codes import codes_of, width
from ember.policy.errors import RowsError
from ember.policy.trees import leaves_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from ember.policy.manifest import Feature, Treatment
    from ember.policy.trees import FlatTree

#: Sums of whole doubles are exact below the first, and no sum of longs may come near their end.
_EXACT: Final = 2**53
_MOST: Final = 2**62
_TOO_LARGE: Final = "outcomes are too large to be summed exactly: ask for fewer digits"

#: The columns of :meth:`Statistics.rows`.
SCHEMA: Final = "feature int, node int, cells array<bigint>"


class Statistics:
    """What is counted over some rows, for the rows that end in some leaves of a tree.

    ``cells[feature]`` has the shape (nodes, codes, arms, 2): numbers of rows, and sums of units.
    """

    def __init__(
        self,
        features: Sequence[Feature],
        treatment: Treatment,
        tree: FlatTree,
        nodes: Sequence[int],
    ) -> None:
        self._features = tuple(features)
        self._arms = treatment.arms
        self._tree = tree
        self._nodes = tuple(nodes)
        self._place = np.full(len(tree.feature), -1)
        self._place[list(nodes)] = np.arange(len(nodes))
        self._at_most = 0
        self.cells = [
            np.zeros((len(nodes), width(feature), len(treatment.arms), 2), np.int64)
            for feature in features
        ]

    def add(self, batch: pa.RecordBatch) -> None:
        """Count the rows of a batch.

        :param batch: the arm as text, the outcome in units, then the features as they are encoded
        :raises RowsError: for an arm out of the vocabulary, or no outcome
        """
        arms, units, *columns = batch.columns
        arm, unit = _arm_codes(arms, self._arms), _units(units)
        codes = codes_of(columns, self._features)
        node = self._place[leaves_of(self._tree, codes)]
        counted = node >= 0
        self._watch(unit)
        if not counted.all():
            node, arm, unit, codes = node[counted], arm[counted], unit[counted], codes[:, counted]
        for cells, code in zip(self.cells, codes, strict=True):
            place = (node * cells.shape[1] + code) * cells.shape[2] + arm
            flat = cells.reshape(-1, 2)
            flat[:, 0] += np.bincount(place, minlength=len(flat))
            flat[:, 1] += _sums(place, unit, len(flat))

    def rows(self) -> Iterator[pa.RecordBatch]:
        """Give the cells away, a row for each feature and node that any row was counted for."""
        for at, cells in enumerate(self.cells):
            flat = cells.reshape(len(self._nodes), -1)
            some = flat.any(axis=1)
            ends = np.arange(some.sum() + 1, dtype=np.int32) * flat.shape[1]
            nodes = np.array(self._nodes, np.int32)[some]
            yield pa.RecordBatch.from_arrays(
                [
                    pa.array(np.full(len(nodes), at, np.int32)),
                    pa.array(nodes),
                    pa.ListArray.from_arrays(pa.array(ends), pa.array(flat[some].ravel())),
                ],
                ["feature", "node", "cells"],
            )

    def _watch(self, units: NDArray[np.int64]) -> None:
        """Refuse sums that a long may not hold."""
        self._at_most += int(np.abs(units.astype(np.float64)).sum())
        if self._at_most > _MOST:
            raise RowsError(_TOO_LARGE)


def merged(rows: pa.Table, nodes: Sequence[int], shape: tuple[int, int]) -> NDArray[np.int64]:
    """Add the cells that partitions gave for one feature: shape (nodes, codes, arms, 2).

    :param shape: codes and arms
    :raises RowsError: if a sum may exceed a long
    """
    place = {node: at for at, node in enumerate(nodes)}
    found = np.zeros((len(nodes), *shape, 2), np.int64)
    at_most = 0.0
    for batch in rows.to_batches():
        cells = batch.column("cells").flatten().to_numpy().reshape(-1, *shape, 2)
        at_most += np.abs(cells.astype(np.float64)).sum()
        np.add.at(found, [place[node] for node in batch.column("node").to_pylist()], cells)
    if at_most > _MOST:
        raise RowsError(_TOO_LARGE)
    return found


def _arm_codes(arms: pa.Array, vocabulary: Sequence[str]) -> NDArray[np.int64]:
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


def _sums(place: NDArray[np.int64], units: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """Add units by place, by way of doubles as long as these are exact."""
    if float(np.abs(units).sum(dtype=np.float64)) < _EXACT:
        return np.bincount(place, units, length).astype(np.int64)
    sums = np.zeros(length, np.int64)
    np.add.at(sums, place, units)
    return sums
