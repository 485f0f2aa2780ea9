"""The search of splits without Spark: natively and by numpy the same bits, and what rules do."""

import random
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from listed import listed

from ember.policy import Categorical, Counting, Leaf, Numeric, RowsError, Rules
from ember.policy.criteria import Outcomes, Prior, fineness, gains
from ember.policy.draws import Draw
from ember.policy.kernel import library
from ember.policy.logarithm import log
from ember.policy.search import Search
from ember.policy.splits import Best
from ember.policy.statistics import Merged, Statistics, kernel_of
from ember.policy.trees import FlatTree, Split

ARMS = ("none", "mens", "womens")
FEATURES = (
    Numeric("a", (0.1, 0.2, 0.3, 0.5, 0.8)),
    Categorical("b", ("", "Rural", "Surburban", "Urban")),
    Numeric("c", ()),
    Categorical("d", ()),
    Numeric("e", tuple(at / 40 for at in range(1, 40))),
    Numeric("f", (0.1, 0.2, 0.3, 0.5, 0.8)),
)
LEAF = Leaf((0.0,) * 3)
TREE = Split("a", (0, 1, 6), LEAF, Split("b", (0, 2), LEAF, LEAF))
RULES = {
    "euclidean": Rules(min_leaf=2),
    "euclidean, normalized": Rules(min_leaf=2, normalized=True),
    "kl": Rules("kl", min_leaf=2),
    "kl, not normalized": Rules("kl", min_leaf=2, normalized=False),
    "kl, with a prior": Rules("kl", min_leaf=2, prior_rows=100),
    "chi2, with a prior and an uplift": Rules("chi2", 3, 0.05, prior_rows=7),
    "ipw": Rules("ipw", min_leaf=2),
    "nothing": Rules(min_leaf=10**6),
}


@pytest.fixture(scope="module")
def path():
    found = library()
    assert found is not None, "ci/build --native-only makes it"
    return str(found)


def searching(rules, *, valued=False, priors=None, wanted=None):
    """A search in the three leaves of a tree."""
    flat = FlatTree.of(TREE, FEATURES)
    opened = tuple((0, at) for at, left in enumerate(flat.left.tolist()) if at == left)
    counting = Counting(FEATURES, ARMS, (flat,), (Draw(),), opened, wanted, valued)
    return Search(counting, 1, 2, rules, priors)


def batches(outcomes, rows=900, parts=3):
    """Rows of which some are missing or unseen, and whose outcomes are between 0 and 1."""
    draw = random.Random(outcomes)
    for _ in range(parts):
        arm = draw.choices(ARMS, k=rows)
        first = [draw.choice([None, *np.linspace(0, 1, 21).tolist()]) for _ in range(rows)]
        most = [
            50 + 50 * (one == "mens" and (a or 0) > 0.4) for one, a in zip(arm, first, strict=True)
        ]
        whole = [pa.array([0] * rows)]
        whole += [pa.array([draw.randint(0, each) for each in most]) for _ in range(outcomes)]
        columns = [
            pa.array([draw.choice([None, draw.random()]) for _ in range(rows)], pa.float64())
            if isinstance(each, Numeric)
            else pa.array(draw.choices([None, "x", *each.categories], k=rows), pa.string())
            for each in FEATURES
        ]
        columns[0] = columns[-1] = pa.array(first, pa.float64())
        given = [pa.array(arm), *whole, *listed(columns, FEATURES)]
        yield pa.RecordBatch.from_arrays(given, [str(at) for at in range(len(given))])


def counted(search, kernel, outcomes):
    """What each of some partitions counts."""
    for batch in batches(outcomes):
        found = Statistics(search.counting, kernel)
        found.add(batch)
        yield found


def found_by(search, kernel, outcomes=1):
    merged = Merged(search, kernel)
    for partition in counted(search, kernel, outcomes):
        for batch in partition.rows():
            merged.add(batch)
    return merged.best()


def bits(batch):
    """A batch as what no two splits share."""
    rows = batch.to_pylist()
    return [row | {"gain": row["gain"] and row["gain"].hex()} for row in rows]


@pytest.mark.parametrize("rules", RULES)
def test_the_best_splits_are_those_of_numpy_bit_for_bit(path, rules):
    search = searching(RULES[rules])
    expected = found_by(search, None)
    found = found_by(search, kernel_of(search.counting, path, search))
    assert bits(found) == bits(expected)
    assert found.num_rows == 3
    assert (found.column("gain").null_count == 3) == (rules == "nothing")


@pytest.mark.parametrize("rules", [Rules("kl", 2, prior_rows=30), Rules("dr", 2)])
def test_priors_values_and_drawn_features_are_those_of_numpy(path, rules):
    valued, draw = rules.criterion == "dr", random.Random(2)
    priors = tuple(tuple(0.25 + draw.random() / 50 for _ in ARMS) for _ in range(3))
    search = searching(
        rules,
        valued=valued,
        priors=None if valued else priors,
        wanted=((0, 2), (1,), (), (), (0, 1, 2), (0,)),
    )
    kernel = kernel_of(search.counting, path, search)
    expected = found_by(search, None, len(ARMS) if valued else 1)
    assert bits(found_by(search, kernel, len(ARMS) if valued else 1)) == bits(expected)
    assert expected.column("gain").null_count < 3


def test_what_one_task_counted_needs_no_merging(path):
    search = searching(RULES["kl"])
    expected = bits(found_by(search, None))
    for kernel in (None, kernel_of(search.counting, path, search)):
        held = Statistics(search.counting, kernel)
        for batch in batches(1):
            held.add(batch)
        assert bits(held.best(search)) == expected


def test_nodes_that_are_searched_by_turns_are_the_same(path):
    search = searching(
        Rules("kl", 2, prior_rows=30),
        priors=((0.1, 0.2, 0.3), (0.2, 0.3, 0.4), (0.5, 0.4, 0.3)),
        wanted=((0, 2), (1,), (), (), (0, 1, 2), (0,)),
    )
    expected = bits(found_by(search, None))
    for at in range(3):
        part = search.part(at, at + 1)
        (found,) = bits(found_by(part, kernel_of(part.counting, path, part)))
        assert found | {"node": at} == expected[at]


@pytest.mark.parametrize("wanted", [None, ((0, 2), (1,), (), (), (0, 1, 2), (0,))])
def test_features_that_are_searched_by_turns_are_the_same(path, wanted):
    search = searching(Rules("kl", 2), wanted=wanted)
    expected = [row["gain"] and row["gain"].hex() for row in found_by(search, None).to_pylist()]
    rows = [batch.columns for batch in batches(1)]
    best = {}
    for first, end in ((0, 2), (2, 3), (3, 6)):
        part = search.of_features(first, end)
        kept = [FEATURES.index(each) for each in part.counting.features]
        assert kept == sorted({0, 1, *range(first, end)})  # the tree splits by the first two
        for kernel in (None, kernel_of(part.counting, path, part)):
            found = Statistics(part.counting, kernel)
            for columns in rows:
                found.add(only(columns, kept))
            for row in found.best(part).to_pylist():
                each = Best.of(row, part.counting)
                if each.beats(best.get(each.opened)):
                    best[each.opened] = each
    assert [best[at].gain and best[at].gain.hex() for at in sorted(best)] == expected


def only(columns, kept):
    """The rows of a batch with some of their features."""
    lists = [(columns[-2], Numeric), (columns[-1], Categorical)]
    given = list(columns[:-2])
    for each, kind in lists:
        every = [at for at, feature in enumerate(FEATURES) if isinstance(feature, kind)]
        places = [every.index(at) for at in kept if at in every]
        values = [[row[place] for place in places] for row in each.to_pylist()]
        given.append(pa.array(values, each.type))
    return pa.RecordBatch.from_arrays(given, [str(at) for at in range(len(given))])


def test_of_equal_gains_the_first_feature_wins(path):
    search = searching(Rules(min_leaf=2))  # the last feature has the values of the first
    found = found_by(search, kernel_of(search.counting, path, search))
    assert 0 in found.column("feature").to_pylist()
    assert 5 not in found.column("feature").to_pylist()


def test_outcomes_that_are_no_shares_are_refused_in_the_words_of_numpy(path):
    search = searching(RULES["kl"])
    many = replace(search, digits=1)
    for kernel in (None, kernel_of(many.counting, path, many)):
        with pytest.raises(RowsError, match="kl and chi2 are for outcomes between 0 and 1"):
            found_by(many, kernel)


def test_sums_that_a_long_may_not_hold_are_refused(path):
    search = searching(RULES["ipw"])
    for kernel in (None, kernel_of(search.counting, path, search)):
        merged = Merged(search, kernel)
        size = 7 * len(ARMS) * 2
        cells = pa.array([[2**61, *[0] * (size - 1)]] * 3)
        ints = [pa.array(each, pa.int32()) for each in ([0, 0, 0], [0, 1, 2])]
        with pytest.raises(RowsError, match="too large to be summed exactly"):
            merged.add(pa.RecordBatch.from_arrays([*ints, cells], ["feature", "node", "cells"]))


def test_logarithms_are_near_those_of_the_library():
    values = np.exp(np.random.default_rng(0).uniform(-30, 30, 10_000))
    assert np.allclose(log(values), np.log(values), rtol=1e-15, atol=0)
    assert log(np.array([1.0, 2.0, 0.5])).tolist() == [0.0, np.log(2), -np.log(2)]


def test_a_prior_is_rows_of_the_parents_means():
    left, right = np.array([[10, 4], [20, 15]]), np.array([[30, 3], [10, 2]])
    prior = Prior(50, np.array([0.1, 0.5]))
    more = np.array([[50, 5], [50, 25]])
    drawn = gains("euclidean", left, right, Outcomes(0, 0), prior)
    apart = [
        (each[1, 1] / each[1, 0] - each[0, 1] / each[0, 0]) ** 2
        for each in (left + more, right + more)
    ]
    assert drawn == pytest.approx(3 / 7 * apart[0] + 4 / 7 * apart[1] - 0.16)


def test_fineness_is_that_of_its_formula():
    left, right = np.array([[10, 4], [20, 15], [6, 0]]), np.array([[30, 3], [10, 2], [2, 0]])

    def entropy(p):
        return -p * np.log(p) - (1 - p) * np.log(1 - p)

    def kl(p, q):
        return p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))

    expected = 0.9 * entropy(38 / 78) * kl(26 / 38, 1 / 4) + 40 / 78 * entropy(1 / 4) + 0.5
    for rows, less in ((30, 20), (8, 6)):
        expected += 0.1 * entropy(rows / (rows + 40)) * kl(less / rows, 1 / 4)
        expected += rows / 78 * entropy(less / rows)
    assert fineness(left, right, 0) == pytest.approx(expected)


@pytest.mark.parametrize(
    "wanted",
    [
        {"prior_rows": -1},
        {"prior_rows": 2**31},
        {"criterion": "ipw", "prior_rows": 1},
        {"criterion": "dr", "normalized": True},
    ],
)
def test_regularisation_that_means_nothing_is_refused(wanted):
    with pytest.raises(RowsError):
        Rules(**wanted)
