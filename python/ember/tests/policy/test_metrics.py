"""Values of policies and rankings by uplift: equal to plain Python with fractions."""

import itertools
import math
import random
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from ember.policy import RowsError
from ember.policy.metrics import Estimate, auuc, qini, qini_curve, uplift_curve, values_by_arm


@pytest.mark.parametrize("measure", [auuc, qini, qini_curve, uplift_curve])
def test_treated_by_numbers_is_refused(ranked, measure):
    outcome, uplift, treated = ranked
    with pytest.raises(RowsError, match="treated is int64"):
        measure(outcome, uplift, treated.astype(np.int64))


@pytest.fixture(scope="module")
def ranked():
    """500 rows of which many have the same uplift."""
    draw = random.Random(5)
    uplift = [draw.choice([0.5, draw.random(), -draw.random()]) for _ in range(500)]
    treated = [draw.random() < 0.6 for _ in uplift]
    outcome = [
        float(draw.random() < 0.2 + 0.3 * u * t) for u, t in zip(uplift, treated, strict=True)
    ]
    return np.array(outcome), np.array(uplift), np.array(treated)


def curve(outcome, uplift, treated, gained):
    """Return the points of a curve, one for each uplift where rows may end."""
    rows = list(zip(map(Fraction, outcome), uplift, treated, strict=True))
    points = [(0, Fraction(0))]
    for end in sorted(set(uplift), reverse=True):
        first = [row for row in rows if row[1] >= end]
        sides = [[y for y, _, t in first if t == side] for side in (True, False)]
        points.append((len(first), gained(*sides)))
    return points


def mean(values):
    return sum(values, Fraction(0)) / max(len(values), 1)


GAINED = {
    qini_curve: lambda ours, others: sum(ours, Fraction(0)) - mean(others) * len(ours),
    uplift_curve: lambda ours, others: (mean(ours) - mean(others)) * (len(ours) + len(others)),
}


def area(points):
    under = sum((x2 - x1) * (y1 + y2) / 2 for (x1, y1), (x2, y2) in pairwise(points))
    return under - points[-1][0] * points[-1][1] / 2


@pytest.mark.parametrize("of", [qini_curve, uplift_curve])
def test_curves_are_those_of_plain_python(ranked, of):
    points = curve(*ranked, GAINED[of])
    found = of(*ranked)
    assert found.rows.tolist() == [rows for rows, _ in points]
    assert found.gained == pytest.approx([float(gained) for _, gained in points], abs=1e-12)
    assert found.area() == pytest.approx(float(area(points)))


def test_coefficients_are_those_of_plain_python(ranked):
    outcome, _, treated = ranked
    best = np.where(treated, outcome, -outcome)
    points = [curve(outcome, ranks, treated, GAINED[qini_curve]) for ranks in (ranked[1], best)]
    assert qini(*ranked) == pytest.approx(float(area(points[0]) / area(points[1])))
    whole = area(curve(*ranked, GAINED[uplift_curve])) / len(outcome) ** 2
    assert auuc(*ranked) == pytest.approx(float(whole))


def test_the_best_ranking_has_the_coefficient_1_and_none_has_0(ranked):
    outcome, _, treated = ranked
    assert qini(outcome, np.where(treated, outcome, -outcome), treated) == 1.0
    assert qini(outcome, np.zeros(len(outcome)), treated) == 0.0
    assert qini(np.zeros(len(outcome)), outcome, treated) == 0.0


def best_area(outcome, treated):
    """Walk all rankings: rows of a side come by their outcome, so each is a path through a grid.

    Rows that are taken together are a step of several.
    """
    ours = np.array([0.0, *np.cumsum(sorted(outcome[treated], reverse=True))])
    others = np.array([0.0, *np.cumsum(sorted(outcome[~treated]))])
    ends = list(itertools.product(range(len(ours)), range(len(others))))
    gained = {(i, j): ours[i] - i * others[j] / max(j, 1) for i, j in ends}
    best = {(0, 0): 0.0}
    for i, j in ends[1:]:
        best[i, j] = max(
            best[a, b] + (i - a + j - b) * (gained[i, j] + gained[a, b]) / 2
            for a, b in itertools.product(range(i + 1), range(j + 1))
            if (a, b) != (i, j)
        )
    return best[ends[-1]] - len(outcome) * gained[ends[-1]] / 2


@pytest.mark.parametrize("seed", range(6))
def test_no_ranking_has_more_than_the_coefficient_1(seed):
    rng = np.random.default_rng(seed)
    treated = np.arange(24) % 2 == 0
    outcome = (rng.random(24) < np.where(treated, 0.4, 0.2)) * 1.0
    uplift = rng.random(24)
    most = best_area(outcome, treated)
    assert qini(outcome, uplift, treated) == pytest.approx(
        qini_curve(outcome, uplift, treated).area() / most
    )


def test_outcomes_whose_best_ranking_is_not_known_have_no_coefficient():
    treated = np.array([True, False] * 4)
    signed = np.array([1.0, -2.0, 3.0, 0.0, -1.0, -4.0, 0.0, 2.0])
    known = np.where(treated, signed, -signed)
    assert best_area(signed, treated) > qini_curve(signed, known, treated).area()
    with pytest.raises(RowsError, match="3 outcomes are negative: no ranking is known"):
        qini(signed, known, treated)
    harmed, treated = np.array([0.0, 10.0, 10.1, 10.2]), np.array([True, False, False, False])
    assert best_area(harmed, treated) > 0
    with pytest.raises(RowsError, match="so much harm"):
        qini(harmed, np.arange(4.0), treated)


@pytest.mark.parametrize("measure", [qini, auuc])
def test_the_order_of_rows_does_not_show_in_a_bit(ranked, measure):
    spend = ranked[0] * np.random.default_rng(1).random(500)
    order = np.random.default_rng(2).permutation(500)
    there = measure(spend, *ranked[1:])
    assert measure(spend[order], *(each[order] for each in ranked[1:])) == there
    assert math.isfinite(there)


def test_values_are_those_of_plain_python():
    draw = random.Random(9)
    arms = [draw.randrange(3) for _ in range(200)]
    gave = [draw.random() for _ in arms]
    expected = [[draw.random() for _ in range(3)] for _ in arms]
    shares = [0.5, 0.2, 0.3]
    plain = [
        [(y / shares[a] if a == each else 0.0) for each in range(3)]
        for a, y in zip(arms, gave, strict=True)
    ]
    robust = [
        [m + ((y - m) / shares[a] if a == each else 0.0) for each, m in enumerate(models)]
        for a, y, models in zip(arms, gave, expected, strict=True)
    ]
    given = np.array(arms), np.array(gave), np.array(shares)
    assert values_by_arm(*given) == pytest.approx(np.array(plain))
    assert values_by_arm(*given, np.array(expected)) == pytest.approx(np.array(robust))


def test_both_estimates_find_the_value_of_a_known_policy():
    rng = np.random.default_rng(4)
    rows = 20_000
    good = rng.integers(0, 2, rows)
    arm = rng.integers(0, 2, rows)
    outcome = (arm == good) * 1.0 + rng.normal(0, 1, rows)
    expected = np.stack([good == 0, good == 1], axis=1).astype(float)
    widths = []
    for model in (None, expected):
        by_arm = values_by_arm(arm, outcome, np.array([0.5, 0.5]), model)
        found = Estimate.of(by_arm[np.arange(rows), good])
        assert found.low < 1.0 < found.high
        widths.append(found.high - found.low)
    assert widths[1] < widths[0]


def test_the_interval_is_that_of_the_normal_law():
    found = Estimate.of(np.array([1.0, 2.0, 3.0, 6.0]))
    reach = 1.959963984540054 * math.sqrt((4 + 1 + 0 + 9) / 3 / 4)
    assert found == Estimate(3.0, pytest.approx(3 - reach), pytest.approx(3 + reach))


@pytest.mark.parametrize("measure", [auuc, qini, qini_curve, uplift_curve])
def test_what_has_no_rank_or_nothing_to_compare_with_is_refused(ranked, measure):
    outcome, uplift, treated = ranked
    for wrong in (math.nan, math.inf):
        some = np.where(np.arange(500) < 3, wrong, uplift)
        with pytest.raises(RowsError, match="3 values of uplift are not finite"):
            measure(outcome, some, treated)
        with pytest.raises(RowsError, match="3 values of outcome are not finite"):
            measure(np.where(np.arange(500) < 3, wrong, outcome), uplift, treated)
    with pytest.raises(RowsError, match="all of the rows are treated"):
        measure(outcome, uplift, treated | True)
    with pytest.raises(RowsError, match="none of the rows are treated"):
        measure(outcome, uplift, treated & False)


def test_values_that_are_not_finite_or_of_no_arm_are_refused():
    with pytest.raises(RowsError, match="1 values of what is to be estimated are not finite"):
        Estimate.of(np.array([1.0, math.nan]))
    for arm in (-1, 2):
        with pytest.raises(RowsError, match="1 rows have an arm that is no place of 2 shares"):
            values_by_arm(np.array([0, arm]), np.ones(2), np.array([0.5, 0.5]))


def test_rows_that_do_not_fit_one_another_are_refused():
    one = np.ones(1)
    with pytest.raises(RowsError, match="have no interval"):
        Estimate.of(one)
    with pytest.raises(RowsError, match="not of the same rows"):
        values_by_arm(np.zeros(2, int), one, one)
    with pytest.raises(RowsError, match="not of the same rows"):
        values_by_arm(np.zeros(1, int), one, one, np.ones((1, 2)))
    with pytest.raises(RowsError, match="an arm has no share"):
        values_by_arm(np.zeros(1, int), one, np.array([1.0, 0.0]))
    with pytest.raises(RowsError, match="not of the same rows"):
        qini(one, np.ones(2), one > 0)
    with pytest.raises(RowsError, match="or of none"):
        qini(one[:0], one[:0], one[:0] > 0)
