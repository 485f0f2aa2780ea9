"""Trees grown in Spark: equal to plain Python's, and the same bits however rows are cut up."""

from dataclasses import replace

import numpy as np
import pytest
import reference
from perturbed import PERTURBED
from pyspark.sql import functions as F  # noqa: N812 (its usual name)

from ember.policy import (
    Counting,
    RowsError,
    Rules,
    best_splits,
    fit,
    grow_forest,
    grow_tree,
    read_forest,
    splits,
)
from ember.policy.criteria import Outcomes, gains
from ember.policy.draws import Draw
from ember.policy.trees import FlatTree, Leaf

FEATURES = ["zip", "history", "recency", "newbie"]
RULES = Rules(min_leaf=20)
FEW = Rules(min_leaf=1)


def counting(manifest, tree, nodes):
    flat = FlatTree.of(tree, manifest.features)
    opened = tuple((0, node) for node in nodes)
    arms = manifest.treatment.arms
    return Counting(manifest.features, arms, (flat,), (Draw(),), opened)


@pytest.fixture(scope="module")
def manifest(buyers):
    return fit(
        buyers, features=FEATURES, treatment="segment", outcome="spend", control="none", bins=12
    )


@pytest.mark.parametrize("rules", [RULES, Rules(min_leaf=1), Rules(min_leaf=5, min_uplift=1.5)])
@pytest.mark.parametrize(("max_depth", "in_a_task"), [(1, True), (3, True), (3, False)])
def test_a_tree_is_that_of_plain_python_bit_for_bit(buyers, manifest, rules, max_depth, in_a_task):
    rows = [row.asDict() for row in buyers.collect()]
    nodes = reference.grown(reference.counted(rows, manifest), manifest, max_depth, rules)
    expected = reference.tree_of(nodes, manifest)
    given = {"max_depth": max_depth, "rules": rules, "in_a_task": in_a_task}
    (tree,) = grow_tree(buyers, manifest, **given).trees
    assert tree == expected
    assert not isinstance(tree, Leaf)


@pytest.mark.parametrize("how", PERTURBED)
@pytest.mark.parametrize(("criterion", "in_a_task"), [("euclidean", False), ("ipw", True)])
def test_the_same_rows_give_the_same_bits(buyers, manifest, how, criterion, in_a_task):
    rules = replace(RULES, criterion=criterion)
    expected = grow_tree(buyers, manifest, rules=rules, in_a_task=not in_a_task)
    found = grow_tree(PERTURBED[how](buyers), manifest, rules=rules, in_a_task=in_a_task)
    assert found.text() == expected.text()
    assert len(FlatTree.of(expected.trees[0], manifest.features).feature) >= 7


def test_whether_features_are_searched_at_once_or_by_turns_changes_no_bit(
    buyers, manifest, monkeypatch
):
    given = {"max_depth": 3, "rules": RULES, "in_a_task": False}
    expected = grow_tree(buyers, manifest, **given).text()
    widths = []
    counted_rows = splits.counted_rows

    def watched(*args, features, **more):
        widths.append(len(features))
        return counted_rows(*args, features=features, **more)

    monkeypatch.setattr(splits, "counted_rows", watched)
    monkeypatch.setattr(splits, "FEATURES_AT_ONCE", 2)
    assert grow_tree(buyers.repartition(5), manifest, **given).text() == expected
    assert widths[:2] == [2, 2]  # of a root; by turns until a tree splits by too many features
    assert widths[-1] == 4


@pytest.mark.parametrize("limit", ["ONE_TASK_BYTES", "ONE_TASK_VALUES"])
def test_whether_one_task_adds_what_was_counted_or_several_changes_no_bit(
    buyers, manifest, monkeypatch, limit
):
    given = {"max_depth": 3, "rules": RULES, "in_a_task": False}
    one = grow_tree(buyers, manifest, **given)
    monkeypatch.setattr(splits, limit, 0)
    assert grow_tree(buyers.repartition(5), manifest, **given).text() == one.text()


@pytest.mark.parametrize("criterion", ["kl", "chi2"])
def test_shares_are_split_by_their_divergence(buyers, criterion):
    bought = buyers.withColumn("spend", (F.col("spend") > 4).cast("int"))
    manifest = fit(
        bought, features=FEATURES, treatment="segment", outcome="spend", control="none", digits=0
    )
    rules = replace(RULES, criterion=criterion, prior_rows=20)
    found = grow_tree(bought, manifest, rules=rules)
    spread = grow_tree(bought.repartition(5), manifest, rules=rules, in_a_task=False)
    assert found.text() == spread.text()
    assert found.text() != grow_tree(bought, manifest, rules=replace(rules, prior_rows=0)).text()
    assert found.trees[0].feature in {"zip", "history"}


def test_divergences_are_those_of_their_formulas():
    left, right = np.array([[10, 4], [20, 15]]), np.array([[30, 3], [10, 2]])
    p, q, n = [0.75, 0.2, 17 / 30], [0.4, 0.1, 7 / 40], [30 / 70, 40 / 70, -1]
    formulas = {
        "euclidean": lambda p, q: (p - q) ** 2,
        "kl": lambda p, q: p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q)),
        "chi2": lambda p, q: (p - q) ** 2 / q + (p - q) ** 2 / (1 - q),
    }
    for criterion, formula in formulas.items():
        expected = sum(w * formula(a, b) for w, a, b in zip(n, p, q, strict=True))
        assert gains(criterion, left, right, Outcomes(0, 0)) == pytest.approx(expected)
    values = [max(4 / (40 / 70), 15 / (30 / 70)), max(3 / (40 / 70), 2 / (30 / 70)), 17 / (30 / 70)]
    expected = (values[0] + values[1] - values[2]) / 70
    assert gains("ipw", left, right, Outcomes(0, 0)) == pytest.approx(expected)


def test_of_equal_splits_the_first_feature_and_the_fewest_codes_win(spark):
    rows = [(x, x, arm, float(x > 2 and arm == "t")) for x in (1, 2, 3, 4) for arm in "ct"] * 10
    df = spark.createDataFrame(rows, "b int, a int, arm string, y double")
    given = {"treatment": "arm", "outcome": "y", "control": "c", "bins": 4}
    for features in (["b", "a"], ["a", "b"]):
        manifest = fit(df, features=features, **given)
        (best,) = best_splits(df, manifest, counting(manifest, Leaf((0.0, 0.0)), [0]), FEW)
        assert best.feature == features[0]
        # nothing is missing: to which side that goes is the last rule
        assert best.left_codes == (0, 1, len(manifest.features[0].boundaries) + 1)


def test_the_driver_gets_a_row_for_each_node(buyers, manifest):
    tree = grow_tree(buyers, manifest, max_depth=2, rules=RULES).trees[0]
    flat = FlatTree.of(tree, manifest.features)
    leaves = [at for at, left in enumerate(flat.left) if left == at]
    best = best_splits(buyers, manifest, counting(manifest, tree, leaves), RULES)
    assert [each.opened for each in best] == list(range(len(leaves)))
    assert sum(each.total[:, 0].sum() for each in best) == 1500
    assert all((each.left + each.right == each.total).all() for each in best)


def test_missing_values_may_make_a_child_of_their_own(spark):
    rows = [(x, arm, float(x is None and arm == "t")) for x in (None, 1.0, 2.0) for arm in "ct"]
    df = spark.createDataFrame(rows * 30, "x double, arm string, y double")
    manifest = fit(df, features=["x"], treatment="arm", outcome="y", control="c", bins=4)
    tree = grow_tree(df, manifest, rules=Rules(min_leaf=10)).trees[0]
    missing = len(manifest.features[0].boundaries) + 1
    assert tree.left_codes == (missing,)
    assert tree.left == Leaf((0.0, 1.0))


@pytest.mark.parametrize("nothing", ["1.0", "CAST(NULL AS DOUBLE)", "CAST(NULL AS STRING)", "'x'"])
def test_a_feature_that_says_nothing_splits_nothing(buyers, nothing):
    flat = buyers.withColumn("history", F.expr(nothing))
    manifest = fit(flat, features=["history"], treatment="segment", outcome="spend", control="none")
    (tree,) = grow_tree(flat, manifest, rules=RULES).trees
    assert isinstance(tree, Leaf)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda df: df.where("false"), "no rows"),
        (lambda df: df.where("segment != 'mens'"), "no row has the arm 'mens'"),
        (lambda df: df.replace("mens", "Mens", "segment"), "'Mens' is none of the arms mens, none"),
        (
            lambda df: df.withColumn("segment", F.lit(None).cast("string")),
            "rows of a batch have no arm",
        ),
        (
            lambda df: df.replace(float("nan"), None).withColumn("spend", F.lit(None).cast("int")),
            "no outcome",
        ),
        (lambda df: df.withColumn("spend", F.lit(9e15)), "too large to be summed exactly"),
        (lambda df: df.withColumn("spend", F.lit(float("nan"))), "no outcome"),
        (lambda df: df.drop("zip"), "column 'zip' is absent"),
    ],
)
def test_rows_that_do_not_fit_are_refused_by_name(buyers, manifest, change, words):
    with pytest.raises(RowsError) as refused:
        grow_tree(change(buyers), manifest, rules=RULES)
    assert words in str(refused.value)
    with pytest.raises(RowsError) as spread:
        grow_tree(change(buyers).coalesce(1), manifest, rules=RULES, in_a_task=False)
    assert str(spread.value) == str(refused.value)


def test_divergences_of_shares_refuse_other_outcomes(buyers, manifest):
    for in_a_task in (True, False):
        with pytest.raises(RowsError, match="for outcomes between 0 and 1"):
            grow_tree(buyers, manifest, rules=Rules("kl"), in_a_task=in_a_task)


@pytest.mark.parametrize("in_a_task", [True, False])
@pytest.mark.parametrize(("criterion", "outcome"), [("kl", 2), ("chi2", -1)])
def test_one_row_that_is_no_share_is_refused_whatever_the_mean_is(
    buyers, criterion, outcome, in_a_task
):
    spend = F.when(F.col("recency") == 5, outcome).otherwise((F.col("spend") > 2).cast("int"))
    bought = buyers.withColumn("spend", spend)
    manifest = fit(
        bought, features=FEATURES, treatment="segment", outcome="spend", control="none", digits=0
    )
    words = r"outcomes between 0 and 1: \d+ rows of a batch have others"
    with pytest.raises(RowsError, match=words):
        grow_tree(bought, manifest, rules=Rules(criterion, 20), in_a_task=in_a_task)


@pytest.mark.parametrize("in_a_task", [True, False])
def test_where_one_arm_is_best_for_all_a_policy_splits_nothing(buyers, manifest, in_a_task):
    better = F.col("spend") + (F.col("segment") == "mens").cast("int") * 50
    found = grow_tree(
        buyers.withColumn("spend", better), manifest, rules=Rules("ipw", 20), in_a_task=in_a_task
    )
    assert isinstance(found.trees[0], Leaf)


def test_numbers_of_numpy_are_numbers(buyers, manifest):
    given = {"features": FEATURES, "treatment": "segment", "outcome": "spend", "control": "none"}
    found = fit(buyers, **given, bins=np.int64(12), digits=np.int32(2))
    assert found.canonical() == manifest.canonical()
    asked = {"n_trees": 2, "seed": 7, "max_depth": 2, "features_per_node": 2}
    expected = grow_forest(buyers, manifest, rules=Rules(min_leaf=8), **asked)
    numbers = {name: np.int64(value) for name, value in asked.items()}
    rules = Rules(min_leaf=np.int64(8))
    for in_a_task in (True, False):
        forest = grow_forest(buyers, manifest, rules=rules, **numbers, in_a_task=in_a_task)
        assert forest == expected


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"seed": 1.5}, "seed is 1.5, and no whole number"),
        ({"max_depth": "4"}, "max_depth is '4', and no whole number"),
    ],
)
def test_numbers_that_are_not_whole_are_refused_by_name(buyers, manifest, wanted, words):
    with pytest.raises(RowsError, match=words):
        grow_tree(buyers, manifest, **wanted)


def test_more_rows_than_a_task_is_to_hold_stay_where_they_are(buyers, manifest, monkeypatch):
    expected = grow_tree(buyers, manifest, rules=RULES).text()
    few = replace(manifest, rows=1)  # as if most rows had come since
    monkeypatch.setattr("ember.policy.grow.MOST_VALUES", 1000)
    assert grow_tree(buyers, few, rules=RULES).trees == read_forest(expected).trees


def test_a_tree_that_a_task_holds_is_one_query_and_else_one_for_each_level(spark, buyers, manifest):
    store = spark._jsparkSession.sharedState().statusStore()
    queries = []
    for in_a_task in (True, False):
        before = store.executionsCount()
        grow_tree(buyers, manifest, max_depth=3, rules=RULES, in_a_task=in_a_task)
        spark.sparkContext._jsc.sc().listenerBus().waitUntilEmpty()
        queries.append(store.executionsCount() - before)
    assert queries == [1, 3]


@pytest.mark.parametrize(
    "wanted",
    [{"criterion": "gini"}, {"min_leaf": 0}, {"min_uplift": -1}, {"min_uplift": float("nan")}],
)
def test_rules_that_nothing_keeps_are_refused(wanted):
    with pytest.raises(RowsError):
        Rules(**wanted)


@pytest.mark.parametrize("depth", [0, 17])
def test_depths_out_of_range_are_refused(buyers, manifest, depth):
    with pytest.raises(RowsError, match="not between 1 and 16"):
        grow_tree(buyers, manifest, max_depth=depth)
