"""What a split is worth, computed from whole numbers in one written order.

The divergences are those of Rzepakowski and Jaroszewicz, "Decision trees for uplift modeling with
single and multiple treatments" (2012): the sum over the arms other than the control of how far the
arm's outcomes are from the control's, in the children by their share of the rows, less the
parent's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Cells = NDArray[np.int64]
    Values = NDArray[np.float64]

Criterion = Literal["euclidean", "kl", "chi2", "ipw", "dr"]

#: Shares of 0 and 1 are moved inwards by it, where logarithms and quotients are taken of them.
_EDGE: Final = 2.0**-20


@dataclass(frozen=True)
class Outcomes:
    """What cells are made of: the place of the control among the arms, and the digits of units.

    :param valued: each arm's units are those of all rows, and not of the rows that got it
    """

    control: int
    digits: int
    valued: bool = False


def gains(criterion: Criterion, left: Cells, right: Cells, of: Outcomes) -> Values:
    """Return what splits gain: larger is better.

    :param left: shape (..., arms, 2): rows and sum of units of each arm in the left child
    :param right: the same of the right child; every arm has rows in both
    """
    total = left + right
    if criterion in ("ipw", "dr"):
        share: Values | float = (
            _rows(total)[..., None] / total[..., 0] if criterion == "ipw" else 1.0
        )
        values = [_value(each, share, of.digits) for each in (left, right, total)]
        gained: Values = (values[0] + values[1] - values[2]) / _rows(total)
        return gained
    parts = [_uplift(_DIVERGENCES[criterion], each, of) for each in (left, right, total)]
    weights = [_rows(each) / _rows(total) for each in (left, right)]
    return weights[0] * parts[0] + weights[1] * parts[1] - parts[2]


def means(cells: Cells, of: Outcomes) -> Values:
    """Return the mean outcome of each arm, and 0 of an arm without rows."""
    rows = _rows(cells)[..., None] if of.valued else cells[..., 0]
    found: Values = cells[..., 1] / (np.maximum(rows, 1) * 10**of.digits)
    return found


def uplift_of_all(cells: Cells, of: Outcomes) -> Values:
    """Return how far the mean of all arms but the control is from the control's."""
    control = cells[..., of.control, :]
    others = cells.sum(axis=-2) - control
    if of.valued:
        rows = np.maximum(_rows(cells), 1) * 10**of.digits
        valued: Values = others[..., 1] / (rows * (cells.shape[-2] - 1)) - control[..., 1] / rows
        return valued
    both = means(np.stack([others, control], axis=-2), of)
    found: Values = both[..., 0] - both[..., 1]
    return found


def largest_uplift(cells: Cells, of: Outcomes) -> Values:
    """Return how far the mean of any arm is from the control's."""
    found = means(cells, of)
    apart: Values = np.abs(found - found[..., of.control, None]).max(axis=-1)
    return apart


def _rows(cells: Cells) -> Cells:
    rows: Cells = cells[..., 0].sum(axis=-1)
    return rows


def _uplift(divergence: Callable[[Values, Values], Values], cells: Cells, of: Outcomes) -> Values:
    found = means(cells, of)
    total = np.zeros(found.shape[:-1])
    for arm in range(found.shape[-1]):
        if arm != of.control:
            total += divergence(found[..., arm], found[..., of.control])
    return total


def _value(cells: Cells, inverse_share: Values | float, digits: int) -> Values:
    """Return the outcome if all rows got the arm that is best for all of them."""
    weighted: Values = (cells[..., 1] / 10**digits * inverse_share).max(axis=-1)
    return weighted


def _euclidean(treated: Values, control: Values) -> Values:
    return (treated - control) ** 2


def _kl(treated: Values, control: Values) -> Values:
    p, q = _inside(treated), _inside(control)
    apart: Values = p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))
    return apart


def _chi2(treated: Values, control: Values) -> Values:
    q = _inside(control)
    apart = (treated - q) ** 2
    return apart / q + apart / (1 - q)


def _inside(share: Values) -> Values:
    return np.clip(share, _EDGE, 1 - _EDGE)


_DIVERGENCES: Final = {"euclidean": _euclidean, "kl": _kl, "chi2": _chi2}
