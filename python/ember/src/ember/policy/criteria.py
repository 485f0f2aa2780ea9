"""What a split is worth, computed from whole numbers in one written order.

The divergences are those of Rzepakowski and Jaroszewicz, "Decision trees for uplift modeling with
single and multiple treatments" (2012): the sum over the arms other than the control of how far the
arm's outcomes are from the control's, in the children by their share of the rows, less the
parent's. Every operation is one that IEEE 754 rounds the same everywhere, logarithms included, so
that gains are the same bits here, in the native kernel (``gains.rs``) and on any processor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from ember.policy.logarithm import log

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Cells = NDArray[np.int64]
    Values = NDArray[np.float64]

Criterion = Literal["euclidean", "kl", "chi2", "ipw", "dr"]

#: Shares of 0 and 1 are moved inwards by it, where logarithms and quotients are taken of them.
_EDGE: Final = 2.0**-20

#: How much of the fineness is how unevenly a split cuts all treated rows together.
_TOGETHER: Final = 0.9


@dataclass(frozen=True)
class Outcomes:
    """What cells are made of: the place of the control among the arms, and the digits of units.

    :param valued: each arm's units are those of all rows, and not of the rows that got it
    """

    control: int
    digits: int
    valued: bool = False


@dataclass(frozen=True)
class Prior:
    """Rows that each arm of a child has more, whose outcomes are the means of the node."""

    rows: int
    means: Values


def gains(
    criterion: Criterion, left: Cells, right: Cells, of: Outcomes, prior: Prior | None = None
) -> Values:
    """Return what splits gain: larger is better.

    :param left: shape (..., arms, 2): rows and sum of units of each arm in the left child
    :param right: the same of the right child; every arm has rows in both
    """
    total = left + right
    if criterion in ("ipw", "dr"):
        of_all = total[..., 0] if criterion == "ipw" else _rows(total)[..., None]
        best = (total[..., 1] / of_all).argmax(axis=-1)[..., None]
        more = [_beyond(each[..., 1] / of_all, best) for each in (left, right)]
        gained: Values = (more[0] + more[1]) / 10**of.digits
        return gained
    if prior is None:
        found = [means(each, of) for each in (left, right, total)]
    else:
        found = [*(drawn(each, prior, of.digits) for each in (left, right)), prior.means]
    parts = [_uplift(_DIVERGENCES[criterion], each, of.control) for each in found]
    weights = [_rows(each) / _rows(total) for each in (left, right)]
    return weights[0] * (parts[0] - parts[2]) + weights[1] * (parts[1] - parts[2])


def means(cells: Cells, of: Outcomes) -> Values:
    """Return the mean outcome of each arm, and 0 of an arm without rows."""
    rows = _rows(cells)[..., None] if of.valued else cells[..., 0]
    found: Values = cells[..., 1] / (np.maximum(rows, 1) * float(10**of.digits))
    return found


def drawn(cells: Cells, prior: Prior, digits: int) -> Values:
    """Return the mean outcome of each arm, drawn towards the node's."""
    units: Values = cells[..., 1] / 10**digits + prior.rows * prior.means
    return units / (cells[..., 0] + prior.rows)


def fineness(left: Cells, right: Cells, control: int) -> Values:
    """Return what gains are divided by, so that splits into uneven or many parts have no advantage.

    It grows with how differently a split cuts treated and control rows, and with how evenly it cuts
    both: the normalisation that the paper has for "kl", of two parts. Of the other divergences the
    paper has one by Gini's index; here all have this one.
    """
    total = left + right
    rows, less = total[..., 0], left[..., 0]
    everyone, of_control = rows.sum(axis=-1), rows[..., control]
    treated = everyone - of_control
    cut = less[..., control] / of_control
    together = (less.sum(axis=-1) - less[..., control]) / treated
    found: Values = (
        _TOGETHER * _entropy(treated / everyone) * _kl(together, cut)
        + of_control / everyone * _entropy(cut)
        + 0.5
    )
    for arm in range(rows.shape[-1]):
        if arm != control:
            of_arm = rows[..., arm]
            each = less[..., arm] / of_arm
            apart = (1 - _TOGETHER) * _entropy(of_arm / (of_arm + of_control)) * _kl(each, cut)
            found = found + (apart + of_arm / everyone * _entropy(each))
    return found


def uplift_of_all(cells: Cells, total: Cells, of: Outcomes) -> Values:
    """Return how far the mean of all arms but the control is from the control's.

    :param total: what the cells are a part of: its means stand for those of no rows
    """
    control = cells[..., of.control, :]
    others = cells.sum(axis=-2) - control
    if of.valued:
        rows, scale = np.maximum(_rows(cells), 1), 10**of.digits
        valued: Values = others[..., 1] / (rows * float(scale * (cells.shape[-2] - 1)))
        return valued - control[..., 1] / (rows * float(scale))
    both, of_all = np.stack([others, control], axis=-2), total[..., of.control, :]
    all_ = np.stack([total.sum(axis=-2) - of_all, of_all], axis=-2)
    found = np.where(both[..., 0] > 0, means(both, of), means(all_, of))
    uplift: Values = found[..., 0] - found[..., 1]
    return uplift


def largest_uplift(cells: Cells, of: Outcomes) -> Values:
    """Return how far the mean of any arm is from the control's."""
    found = means(cells, of)
    apart: Values = np.abs(found - found[..., of.control, None]).max(axis=-1)
    return apart


def _rows(cells: Cells) -> Cells:
    rows: Cells = cells[..., 0].sum(axis=-1)
    return rows


def _uplift(divergence: Callable[[Values, Values], Values], found: Values, control: int) -> Values:
    total = np.zeros(found.shape[:-1])
    for arm in range(found.shape[-1]):
        if arm != control:
            total += divergence(found[..., arm], found[..., control])
    return total


def _beyond(values: Values, best: NDArray[np.intp]) -> Values:
    """Return what a child's best arm brings beyond that of all: nothing at all if it is the same.

    Values are in units for each row, quotients that are rounded once, so that equal ones are equal.
    """
    more: Values = values.max(axis=-1) - np.take_along_axis(values, best, axis=-1)[..., 0]
    return more


def _euclidean(treated: Values, control: Values) -> Values:
    apart = treated - control
    return apart * apart


def _kl(treated: Values, control: Values) -> Values:
    p, q = _inside(treated), _inside(control)
    apart: Values = p * log(p / q) + (1 - p) * log((1 - p) / (1 - q))
    return apart


def _chi2(treated: Values, control: Values) -> Values:
    q = _inside(control)
    apart = (treated - q) * (treated - q)
    return apart / q + apart / (1 - q)


def _entropy(share: Values) -> Values:
    p = _inside(share)
    found: Values = -(p * log(p) + (1 - p) * log(1 - p))
    return found


def _inside(share: Values) -> Values:
    return np.clip(share, _EDGE, 1 - _EDGE)


_DIVERGENCES: Final = {"euclidean": _euclidean, "kl": _kl, "chi2": _chi2}

#: Criteria that compare outcomes of arms with the control's.
DIVERGENCES: Final = tuple(_DIVERGENCES)
