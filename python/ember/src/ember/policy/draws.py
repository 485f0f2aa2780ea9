"""Which rows a tree is grown on, and which features a node may split by: drawn by hashes.

Nothing is drawn from a stream of random numbers, whose order would show. A row's hash (see
:func:`ember.policy.inputs.drawn_by`) is of its values and of its rank among the rows that equal it,
which are interchangeable; so equal rows are drawn each for itself. It is mixed with the tree's
seed: its upper half says whether the tree has the row, its lowest bit to which half of an honest
tree it belongs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WORD: Final = 2**64
_GOLDEN: Final = 0x9E3779B97F4A7C15


@dataclass(frozen=True)
class Draw:
    """The rows of a tree: of all, those whose upper half is below; and of them a half, or both."""

    seed: int = 0
    below: int = 2**32
    half: int | None = None

    @property
    def takes_all(self) -> bool:
        """Tell whether no row is left out."""
        return self.below == 2**32 and self.half is None

    def takes(self, hashes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell of each row whether it is drawn."""
        mixed = _mixed(hashes.view(np.uint64) ^ np.uint64(self.seed))
        taken: NDArray[np.bool_] = (mixed >> np.uint64(32)) < np.uint64(self.below)
        if self.half is not None:
            taken &= (mixed & np.uint64(1)) == np.uint64(self.half)
        return taken


def seed_of(*numbers: int) -> int:
    """Make one seed of some numbers, whose order counts."""
    found = 0
    for number in numbers:
        word = np.array([(found + _GOLDEN + number) % _WORD], np.uint64)
        found = int(_mixed(word)[0])
    return found


def features_of(seed: int, features: int, wanted: int) -> list[int]:
    """Draw features, ascending."""
    ranks = _mixed(np.arange(features, dtype=np.uint64) ^ np.uint64(seed))
    return sorted(np.argsort(ranks, kind="stable")[:wanted].tolist())


def _mixed(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Mix the bits of words (the finisher of splitmix64), modulo 2**64."""
    words = words + np.uint64(_GOLDEN)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
