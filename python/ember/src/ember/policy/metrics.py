"""What a policy would earn, and how well uplift is ranked, measured on rows of an experiment.

All sums over rows are correctly rounded, so that no order of the rows shows in any figure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from ember.policy.errors import RowsError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Values = NDArray[np.float64]

#: Standard errors to each side of a 95 % interval.
_Z: Final = 1.959963984540054


@dataclass(frozen=True)
class Estimate:
    """A mean over rows with its 95 % confidence interval."""

    value: float
    low: float
    high: float

    @staticmethod
    def of(values: Values) -> Estimate:
        """Return the mean of values that are independent of one another, by the normal law.

        :raises RowsError: if they are fewer than two, or one is not finite
        """
        if len(values) < 2:
            message = f"{len(values)} rows have no interval"
            raise RowsError(message)
        _finite("what is to be estimated", values)
        mean = math.fsum(values) / len(values)
        variance = math.fsum((values - mean) ** 2) / (len(values) - 1)
        reach = _Z * math.sqrt(variance / len(values))
        return Estimate(mean, mean - reach, mean + reach)


def values_by_arm(
    arm: NDArray[np.intp], outcome: Values, shares: Values, expected: Values | None = None
) -> Values:
    """Return for each row and arm an unbiased value of giving that row that arm.

    The mean over rows of the chosen arms' values is the policy's value: by inverse propensity
    without ``expected``, doubly robust with it. The difference of two policies is the mean of the
    rows' differences.

    :param arm: the place of the arm that each row got
    :param shares: of the rows that get each arm, all of them above nothing
    :param expected: a model's outcome for each row and arm, learnt from other rows
    :raises RowsError: if the columns do not fit one another
    """
    rows, arms = len(arm), len(shares)
    if len(outcome) != rows or (expected is not None and expected.shape != (rows, arms)):
        message = "arm, outcome and expected are not of the same rows"
        raise RowsError(message)
    if not (shares > 0).all():
        message = f"an arm has no share of the rows: {shares.tolist()}"
        raise RowsError(message)
    if strange := int(((arm < 0) | (arm >= arms)).sum()):
        message = f"{strange:,} rows have an arm that is no place of {arms} shares"
        raise RowsError(message)
    values = np.zeros((rows, arms)) if expected is None else expected.copy()
    every = np.arange(rows)
    values[every, arm] += (outcome - values[every, arm]) / shares[arm]
    return values


@dataclass(frozen=True)
class Curve:
    """What treating the first rows of a ranking gains, at each number of rows where it may end."""

    rows: NDArray[np.int64]
    gained: Values

    def area(self) -> float:
        """Return the area between it and the straight line to its end, that of no ranking."""
        steps = np.diff(self.rows)
        under = math.fsum(steps * (self.gained[1:] + self.gained[:-1]) / 2)
        return under - float(self.rows[-1]) * float(self.gained[-1]) / 2


def uplift_curve(outcome: Values, uplift: Values, treated: NDArray[np.bool_]) -> Curve:
    """Return the curve of AUUC: difference of both sides' means among the first rows, times them.

    Rows of the same ``uplift`` are taken together.
    """
    ends, (rows, sums), (others, other_sums) = _first(outcome, uplift, treated)
    gained = (_quotient(sums, rows) - _quotient(other_sums, others)) * ends
    return Curve(np.insert(ends, 0, 0), np.insert(gained, 0, 0.0))


def qini_curve(outcome: Values, uplift: Values, treated: NDArray[np.bool_]) -> Curve:
    """Return the Qini curve: what the treated among the first rows gave beyond as many controls."""
    ends, (rows, sums), (others, other_sums) = _first(outcome, uplift, treated)
    gained = sums - other_sums * _quotient(rows.astype(np.float64), others)
    return Curve(np.insert(ends, 0, 0), np.insert(gained, 0, 0.0))


def auuc(outcome: Values, uplift: Values, treated: NDArray[np.bool_]) -> float:
    """Return the area between the uplift curve and that of no ranking, for per row squared."""
    return uplift_curve(outcome, uplift, treated).area() / len(outcome) ** 2


def qini(outcome: Values, uplift: Values, treated: NDArray[np.bool_]) -> float:
    """Return the Qini coefficient: the area of the curve by that of the ranking that knows all.

    That one begins with treated rows by their outcome, and ends with the others by theirs. It is
    the best there is where outcomes are not negative and treating does not do harm on the whole;
    among few rows another may be better by chance.

    :raises RowsError: if an outcome is negative, or that ranking has no area to divide by
    """
    area = qini_curve(outcome, uplift, treated).area()
    if negative := int((outcome < 0).sum()):
        message = f"{negative:,} outcomes are negative: no ranking is known to be best; use auuc"
        raise RowsError(message)
    best = qini_curve(outcome, np.where(treated, outcome, -outcome), treated).area()
    if best < 0 or (best == 0 and area != 0):
        message = "treating does so much harm that no ranking is known to be best; use auuc"
        raise RowsError(message)
    return area / best if best else 0.0


def _first(
    outcome: Values, uplift: Values, treated: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], tuple[Values, Values], tuple[Values, Values]]:
    """Count the first rows of a ranking and sum their outcomes, of the treated and the others."""
    if not len(outcome) == len(uplift) == len(treated) or not len(outcome):
        message = "outcome, uplift and treated are not of the same rows, or of none"
        raise RowsError(message)
    if treated.dtype != np.bool_:
        message = (
            f"treated is {treated.dtype}, and not True or False for each row: use astype(bool)"
        )
        raise RowsError(message)
    if treated.all() or not treated.any():
        message = f"{'all' if treated.all() else 'none'} of the rows are treated: nothing compares"
        raise RowsError(message)
    _finite("outcome", outcome)
    _finite("uplift", uplift)
    order = np.argsort(-uplift, kind="stable")
    last = np.append(np.diff(uplift[order]) != 0, [True])
    ends = np.flatnonzero(last) + 1
    sides = []
    for side in (treated, ~treated):
        sums = map(math.fsum, np.split(np.where(side, outcome, 0.0)[order], ends[:-1]))
        sides.append((side[order].cumsum()[ends - 1], _running(sums)))
    return ends, sides[0], sides[1]


def _finite(name: str, values: Values) -> None:
    if wrong := int((~np.isfinite(values)).sum()):
        message = f"{wrong:,} values of {name} are not finite"
        raise RowsError(message)


def _running(sums: Iterable[float]) -> Values:
    return np.cumsum(np.fromiter(sums, np.float64))


def _quotient(sums: Values, rows: Values) -> Values:
    return np.divide(sums, rows, out=np.zeros(len(sums)), where=rows != 0)
