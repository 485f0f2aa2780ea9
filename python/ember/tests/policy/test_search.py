"""The search of splits without Spark: natively and by numpy the same bits, and what rules do."""

import random
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from listed import listed

from ember.policy import Categorical, Counting, Leaf, Numeric, RowsError, Rules
from ember.policy.criteria import Outcomes, Prior, fineness, gains, means, uplift_of_all
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


def test_sums_are_refused_for_what_rows_bring_and_not_for_how_they_are_cut_up(path):
    search = searching(RULES["ipw"])
    (batch,) = batches(1, parts=1)
    twice = batch.take(pa.array([0, 0]))  # in one cell, where they are nothing together
    given = twice.set_column(2, "2", pa.array([2**60, -(2**60)]))
    for kernel in (None, kernel_of(search.counting, path, search)):
        held, merged = Statistics(search.counting, kernel), Merged(search, kernel)
        for _ in range(2):
            held.add(given)
            partition = Statistics(search.counting, kernel)
            partition.add(given)
            for each in partition.rows():
                merged.add(each)
        assert bits(merged.best()) == bits(held.best(search))
        with pytest.raises(RowsError, match="too large to be summed exactly"):
            held.add(given)
        first = next(partition.rows())
        with pytest.raises(RowsError, match="too large to be summed exactly"):
            merged.add(first)


def test_how_many_trees_count_a_row_is_not_how_large_it_is(path):
    search = searching(RULES["ipw"])
    counting = search.counting
    trees = 8
    many = replace(
        search,
        counting=replace(
            counting,
            trees=counting.trees * trees,
            draws=counting.draws * trees,
            opened=tuple((tree, at) for tree in range(trees) for _, at in counting.opened),
        ),
    )
    (batch,) = batches(1, parts=1)
    given = batch.slice(0, 4).set_column(2, "2", pa.array([2**59] * 4))
    for kernel in (None, kernel_of(many.counting, path, many)):
        held, merged = Statistics(many.counting, kernel), Merged(many, kernel)
        held.add(given)
        for each in held.rows():
            merged.add(each)
        assert bits(merged.best()) == bits(held.best(many))


def filled(search, feature, cells, kernel):
    """What is found in cells of one feature, in the first open node."""
    merged = Merged(search, kernel)
    ints = [pa.array([each], pa.int32()) for each in (feature, 0)]
    columns = [*ints, pa.array([np.ravel(cells).tolist()], pa.list_(pa.int64()))]
    merged.add(pa.RecordBatch.from_arrays(columns, ["feature", "node", "cells"]))
    return merged.best()


def test_more_rows_than_a_long_has_units_for_have_means(path):
    rows, digits = 10**10, 9
    assert means(np.array([[rows, rows * 10**8]]), Outcomes(0, digits)).tolist() == [0.1]
    values = Outcomes(0, digits, valued=True)
    cells = np.array([[rows, rows * 10**8], [rows, 2 * rows * 10**8]])
    assert means(cells, values) == pytest.approx([0.05, 0.1])
    assert uplift_of_all(cells, cells, values) == pytest.approx(0.05)
    assert uplift_of_all(cells, cells, Outcomes(0, digits)) == pytest.approx(0.1)
    search = replace(searching(Rules(min_leaf=1)), digits=digits)
    counted = np.full((7, 3, 2), (rows, rows * 10**7))
    counted[2:, 2, 1] += rows * 10**7
    expected = bits(filled(search, 0, counted, None))
    assert bits(filled(search, 0, counted, kernel_of(search.counting, path, search))) == expected
    (found,) = expected
    assert found["left_codes"] == [0, 1]
    assert 0 < float.fromhex(found["gain"]) < 1e-3


def test_a_category_that_lacks_an_arm_is_not_thought_to_get_nothing_from_it(path):
    search = searching(Rules(min_leaf=1))
    cells = np.zeros((5, 3, 2), np.int64)
    cells[:, :, 0] = 100
    cells[:, :, 1] = 100 * 100  # all bring 1
    cells[0, 1] = 0  # no row of the control: of the treated nothing is known to be better
    cells[1, [0, 2], 1] += 600
    cells[2, [0, 2], 1] -= 500
    cells[4] = 0
    found = [
        filled(search, 1, cells, kernel)
        for kernel in (None, kernel_of(search.counting, path, search))
    ]
    assert bits(found[0]) == bits(found[1])
    (row,) = found[0].to_pylist()
    assert row["left_codes"] == [0, 2, 3, 4]  # and the one that gains by it for itself
    of = Outcomes(1, 2)
    assert uplift_of_all(cells[0], cells.sum(axis=0), of) == pytest.approx(0)


def drawn_cells(rng, means_of_arms, digits):
    """Children of 1,000 splits whose arms bring the same in both, to the last unit."""
    rows = rng.integers(3, 5000, (1000, 3))
    units = rows * (np.array(means_of_arms) * 10**digits).round().astype(np.int64)
    return np.stack([rows, units], axis=-1)


@pytest.mark.parametrize("criterion", ["euclidean", "kl", "chi2"])
def test_a_split_that_changes_nothing_gains_nothing_at_all(criterion):
    rng = np.random.default_rng(6)
    left, right = (drawn_cells(rng, (0.17, 0.4, 0.09), 2) for _ in range(2))
    assert (gains(criterion, left, right, Outcomes(0, 2)) == 0).all()


@pytest.mark.parametrize("criterion", ["ipw", "dr"])
def test_where_one_arm_is_best_in_both_children_nothing_is_gained(criterion):
    rng = np.random.default_rng(8)
    left, right = (
        np.stack([rng.integers(90, 110, (1000, 3)), np.zeros((1000, 3), int)], -1) for _ in "lr"
    )
    for each in (left, right):
        each[..., 1] = rng.integers(0, 3000, (1000, 3)) + np.array([0, 9000, 0])
    assert (gains(criterion, left, right, Outcomes(0, 2, valued=criterion == "dr")) == 0).all()
    right[..., 1] = rng.integers(0, 3000, (1000, 3)) + np.array([9000, 0, 0])
    assert (gains(criterion, left, right, Outcomes(0, 2, valued=criterion == "dr")) > 0).all()


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
