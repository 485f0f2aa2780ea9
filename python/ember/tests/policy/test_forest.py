"""Forests, honest trees, doubly robust values: plain Python's bits, and the same in any order."""

from collections import Counter, defaultdict

import pytest
import reference
from perturbed import PERTURBED
from pyspark.errors import PySparkException
from pyspark.sql import functions as F  # noqa: N812 (its usual name)

from ember.policy import RowsError, Rules, doubly_robust, fit, grow_forest, grow_tree, score
from ember.policy.fingerprint import row_hash, types_of

FEATURES = ["zip", "history", "recency", "newbie"]
RULES = Rules(min_leaf=8)
GIVEN = {"n_trees": 3, "seed": 4, "max_depth": 2, "rules": RULES}


@pytest.fixture(scope="module")
def manifest(buyers):
    return fit(
        buyers, features=FEATURES, treatment="segment", outcome="spend", control="none", bins=12
    )


@pytest.fixture(scope="module")
def drawn(buyers, manifest):
    return drawn_of(buyers, manifest)


def drawn_of(df, manifest):
    """Return the rows that plain Python counts, with the hash that each is drawn by."""
    hash_ = row_hash("draws", types_of(df, manifest.columns))
    rows = df.withColumn("hash", hash_).collect()
    ranks, ranked = Counter(), []
    for row in rows:
        ranks[row.hash] += 1
        ranked.append((row.hash, ranks[row.hash]))
    with_ranks = df.sparkSession.createDataFrame(ranked, "hash long, rank long")
    words = [row[0] for row in with_ranks.select(F.xxhash64("hash", "rank")).collect()]
    counted = reference.counted([row.asDict() for row in rows], manifest)
    return [(word % 2**64, each) for word, each in zip(words, counted, strict=True)]


def rows_of(drawn, seed, share, half=None):
    found = []
    for hash_, row in drawn:
        word = reference.mixed(hash_ ^ seed)
        if word >> 32 < round(share * 2**32) and (half is None or word % 2 == half):
            found.append(row)
    return found


@pytest.mark.parametrize("honest", [False, True])
@pytest.mark.parametrize("features", [None, 2])
def test_a_forest_is_that_of_plain_python_bit_for_bit(buyers, manifest, drawn, honest, features):
    def features_of(tree):
        def of_node(node):
            seed = reference.seed_of(4, tree, node, 1)
            ranks = sorted(range(4), key=lambda at: reference.mixed(at ^ seed))
            return sorted(ranks[: features or 4])

        return of_node

    expected = []
    for tree in range(3):
        seed = reference.seed_of(4, tree)
        some = rows_of(drawn, seed, 0.6, 0 if honest else None)
        nodes = reference.grown(some, manifest, 2, RULES, features_of(tree))
        others = rows_of(drawn, seed, 0.6, 1) if honest else some
        expected.append(reference.scored_anew(nodes, others, manifest, RULES.min_leaf))
    given = GIVEN | {"honest": honest, "rows_per_tree": 0.6, "features_per_node": features}
    found = grow_forest(buyers, manifest, **given, in_a_task=True)
    assert found.trees == tuple(expected)
    assert grow_forest(buyers, manifest, **given, in_a_task=False) == found
    assert len(set(found.trees)) == 3


@pytest.mark.parametrize("how", PERTURBED)
def test_the_same_rows_give_the_same_forest(buyers, manifest, how):
    given = GIVEN | {"features_per_node": "sqrt", "honest": True}
    expected = grow_forest(buyers, manifest, **given, in_a_task=True).text()
    found = grow_forest(PERTURBED[how](buyers), manifest, **given, in_a_task=False)
    assert found.text() == expected


def test_another_seed_is_another_forest(buyers, manifest):
    one, other = (grow_forest(buyers, manifest, **GIVEN | {"seed": seed}) for seed in (1, 2))
    assert one.text() != other.text()


def test_who_grows_one_tree_many_times_is_told_so(buyers, manifest):
    with pytest.warns(UserWarning, match="all 3 trees are the same: they have all rows") as told:
        same = grow_forest(buyers, manifest, **GIVEN, honest=False, rows_per_tree=1.0)
    assert told[0].filename == __file__
    assert same.trees[0] == same.trees[1] == same.trees[2]
    others = {"rows_per_tree": 1.0, "features_per_node": 2}
    drawn = grow_forest(buyers, manifest, **GIVEN, honest=False, **others)
    assert drawn.trees[0] != drawn.trees[1]
    grow_forest(buyers, manifest, **GIVEN | {"n_trees": 1}, honest=False, rows_per_tree=1.0)


def test_without_the_library_the_forest_is_the_same(buyers, manifest, monkeypatch):
    expected = grow_forest(buyers, manifest, **GIVEN).text()
    monkeypatch.setenv("EMBER_POLICY_LIBRARY", "")
    for in_a_task in (True, False):
        assert grow_forest(buyers, manifest, **GIVEN, in_a_task=in_a_task).text() == expected


def test_what_does_not_fit_a_task_is_counted_by_turns(buyers, manifest, monkeypatch):
    expected = grow_forest(buyers, manifest, **GIVEN, features_per_node=2).text()
    monkeypatch.setattr("ember.policy.splits.PASS_BYTES", 4000)
    for in_a_task in (True, False):
        given = GIVEN | {"features_per_node": 2, "in_a_task": in_a_task}
        assert grow_forest(buyers, manifest, **given).text() == expected


@pytest.mark.parametrize("min_leaf", [1, 2])
def test_honest_trees_whose_splits_leave_an_arm_without_rows_are_those_of_plain_python(
    buyers, manifest, drawn, min_leaf
):
    rules = Rules(min_leaf=min_leaf)
    seed = reference.seed_of(4, 0)
    nodes = reference.grown(rows_of(drawn, seed, 1.0, 0), manifest, 4, rules)
    expected = reference.scored_anew(nodes, rows_of(drawn, seed, 1.0, 1), manifest, min_leaf)
    assert leaves(expected) < len([split for _, split in nodes if split is None])
    for in_a_task in (True, False):
        given = {"max_depth": 4, "rules": rules, "honest": True, "seed": 4}
        assert grow_tree(buyers, manifest, **given, in_a_task=in_a_task).trees == (expected,)


def test_an_honest_tree_keeps_min_leaf_in_both_halves(buyers, manifest):
    deep = grow_tree(buyers, manifest, max_depth=6, rules=RULES, honest=True)
    greedy = grow_tree(buyers, manifest, max_depth=6, rules=RULES)
    assert leaves(deep.trees[0]) < leaves(greedy.trees[0])
    assert leaves(deep.trees[0]) > 1


def test_both_ways_bear_the_same_sums(buyers, manifest):
    given = GIVEN | {"n_trees": 8, "rows_per_tree": 0.9, "honest": False}
    large = buyers.withColumn("spend", F.col("spend") + F.lit(2e13))
    expected = grow_forest(large, manifest, **given, in_a_task=True)
    assert grow_forest(large.repartition(5), manifest, **given, in_a_task=False) == expected


@pytest.mark.parametrize("spend", ["spend + 4e13", "IF(recency % 2 = 0, 4e13D, -4e13D)"])
def test_both_ways_refuse_the_same_sums(buyers, manifest, spend):
    large = buyers.withColumn("spend", F.expr(spend))
    for df, in_a_task in ((large, True), (large.coalesce(1), False), (large.repartition(7), False)):
        with pytest.raises(RowsError, match="too large to be summed exactly"):
            grow_tree(df, manifest, max_depth=1, rules=RULES, in_a_task=in_a_task)


def leaves(node):
    return leaves(node.left) + leaves(node.right) if hasattr(node, "left") else 1


SHARES = {("a", "t"): 15, ("a", "c"): 10, ("b", "t"): 10, ("b", "c"): 20}


@pytest.fixture(scope="module")
def converted(spark):
    """8,000 rows of two features' values, two arms and two outcomes: all of them have equals."""
    rows = [
        (at, cell, arm, int(at % 100 < share), cell)
        for (cell, arm), share in SHARES.items()
        for at in range(2000)
    ]
    schema = "spend int, zip string, segment string, y int, other string"
    return spark.createDataFrame(rows, schema)


@pytest.fixture(scope="module")
def converted_manifest(converted):
    given = {"features": ["zip"], "treatment": "segment", "outcome": "y", "control": "c"}
    return fit(converted, **given, digits=0)


@pytest.mark.parametrize("honest", [False, True])
def test_equal_rows_are_drawn_each_for_itself(converted, converted_manifest, honest):
    given = {"n_trees": 20, "max_depth": 1, "rules": Rules(min_leaf=10), "honest": honest}
    forest = grow_forest(converted, converted_manifest, **given, in_a_task=True)
    scores = {row.zip: row.scores for row in score(converted, forest).collect()}
    for (cell, arm), share in SHARES.items():
        at = converted_manifest.treatment.arms.index(arm)
        assert scores[cell][at] == pytest.approx(share / 100, abs=0.015)
    for how in PERTURBED.values():
        assert grow_forest(how(converted), converted_manifest, **given, in_a_task=False) == forest


def test_a_forest_of_equal_rows_is_that_of_plain_python_bit_for_bit(converted, converted_manifest):
    drawn, rules = drawn_of(converted, converted_manifest), Rules(min_leaf=10)
    expected = []
    for tree in range(2):
        nodes = reference.grown(
            rows_of(drawn, reference.seed_of(4, tree), 0.5), converted_manifest, 1, rules
        )
        expected.append(reference.tree_of(nodes, converted_manifest))
    given = {"n_trees": 2, "seed": 4, "max_depth": 1, "rules": rules, "honest": False}
    assert grow_forest(converted, converted_manifest, **given).trees == tuple(expected)


def test_equal_rows_are_in_folds_each_for_itself(converted, converted_manifest):
    given = {"n_trees": 4, "max_depth": 1, "rules": Rules(min_leaf=10)}
    found = doubly_robust(converted, converted_manifest, **given).localCheckpoint()
    values = defaultdict(list)
    for row in found.collect():
        values[row.zip].append(row["values"])
    for (cell, arm), share in SHARES.items():
        at = converted_manifest.treatment.arms.index(arm)
        of_arm = [value[at] for value in values[cell]]
        assert sum(of_arm) / len(of_arm) == pytest.approx(share / 100, abs=0.015)
    dealt = found.groupBy("zip", "segment", "y").agg(F.count_distinct("values").alias("folds"))
    assert {row.folds for row in dealt.collect()} == {2}
    again = doubly_robust(converted.orderBy(F.rand(3)).repartition(5), converted_manifest, **given)
    assert again.exceptAll(found).count() == 0
    rules = Rules("dr", min_leaf=10)
    trees = [
        grow_forest(
            df,
            converted_manifest,
            n_trees=3,
            max_depth=1,
            rules=rules,
            values="values",
            in_a_task=how,
        )
        for df, how in ((found, True), (again, False))
    ]
    assert trees[0] == trees[1]


@pytest.fixture(scope="module")
def valued(buyers, manifest):
    return doubly_robust(
        buyers, manifest, n_trees=2, max_depth=2, rules=Rules(min_leaf=10)
    ).localCheckpoint()


def test_values_of_an_arm_are_near_its_mean(buyers, manifest, valued):
    means = {row[0]: row[1] for row in buyers.groupBy("segment").agg(F.avg("spend")).collect()}
    values = valued.agg(*(F.avg(F.col("values")[at]) for at in range(3))).collect()[0]
    for arm, value in zip(manifest.treatment.arms, values, strict=True):
        assert value == pytest.approx(means[arm], abs=0.2)
    assert valued.drop("values").columns == buyers.columns


def test_values_and_their_tree_are_the_same_bits_in_any_order(buyers, manifest, valued):
    rules = Rules("dr", min_leaf=20)
    expected = grow_tree(valued, manifest, rules=rules, values="values")
    again = doubly_robust(
        buyers.repartition(7), manifest, n_trees=2, max_depth=2, rules=Rules(min_leaf=10)
    )
    assert grow_tree(again, manifest, rules=rules, values="values").text() == expected.text()
    assert leaves(expected.trees[0]) > 1


def test_a_split_by_values_gains_what_the_best_arms_of_its_children_are_worth(valued, manifest):
    tree = grow_tree(valued, manifest, max_depth=1, rules=Rules("dr", 20), values="values").trees[0]
    rows = valued.collect()
    at = [each.name for each in manifest.features].index(tree.feature)
    feature = manifest.features[at]

    def goes_left(row):
        return reference.code(row[tree.feature], feature) in tree.left_codes

    for node, side in ((tree.left, True), (tree.right, False)):
        some = [row["values"] for row in rows if goes_left(row) == side]
        for arm, found in enumerate(node.scores):
            units = sum(reference.units(each[arm], 6) for each in some)
            assert found == units / (len(some) * 10**6)


def test_values_are_counted_more_finely_than_the_outcomes_they_are_made_of(
    spark, converted_manifest
):
    rows = [("a", arm, at % 2, [0.4, 1.3 - at % 2]) for arm in "ct" for at in range(100)]
    df = spark.createDataFrame(rows, "zip string, segment string, y int, values array<double>")
    given = {"rules": Rules("dr", min_leaf=1), "values": "values"}
    for in_a_task in (True, False):
        forest = grow_tree(df, converted_manifest, **given, in_a_task=in_a_task)
        assert forest.trees[0].scores == (0.4, 0.8)


def test_propensities_of_a_column_are_used(buyers, manifest, valued):
    given = {"n_trees": 2, "max_depth": 2, "rules": Rules(min_leaf=10)}
    rows = buyers.count()
    counts = {row[0]: row[1] for row in buyers.groupBy("segment").count().collect()}
    shares = F.array(*(F.lit(counts[arm] / rows) for arm in manifest.treatment.arms))
    named = doubly_robust(
        buyers.withColumn("shares", shares), manifest, propensities="shares", **given
    )
    found = named.drop("shares").exceptAll(valued)
    assert found.count() == 0


@pytest.mark.parametrize(
    "likely",
    ["array(0.5D, 0.0D, 0.5D)", "array(1.5D, 0.5D, 0.5D)", "array(0.5D)", "array(0D/1, 1, 1)"],
)
def test_arms_that_were_not_likely_are_refused_by_name(buyers, manifest, likely):
    given = {"n_trees": 1, "max_depth": 1, "rules": Rules(min_leaf=10), "propensities": "likely"}
    found = doubly_robust(buyers.withColumn("likely", F.expr(likely)), manifest, **given)
    with pytest.raises(
        PySparkException, match=r"column 'likely': a row got '\w+', which was not l"
    ):
        found.collect()


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"n_trees": 0}, "n_trees is at least 1"),
        ({"rows_per_tree": 0.0}, "rows_per_tree above 0"),
        ({"rows_per_tree": 1.5}, "rows_per_tree above 0"),
        ({"features_per_node": 5}, "not between 1 and 4"),
        ({"features_per_node": 0}, "not between 1 and 4"),
        ({"max_depth": 17}, "not between 1 and 16"),
        ({"rules": Rules("dr")}, "is for a column of values"),
        ({"values": "spend"}, "is for a column of values"),
        ({"rules": Rules("dr"), "values": "spend"}, "no array<double>"),
    ],
)
def test_what_no_forest_can_be_grown_by_is_refused(buyers, manifest, wanted, words):
    with pytest.raises(RowsError, match=words):
        grow_forest(buyers, manifest, **GIVEN | wanted)


def test_values_that_are_missing_are_refused(valued, manifest):
    short = valued.withColumn("values", F.slice("values", 1, 2))
    for in_a_task in (True, False):
        with pytest.raises(RowsError, match="have no outcome"):
            grow_tree(short, manifest, rules=Rules("dr"), values="values", in_a_task=in_a_task)
    with pytest.raises(RowsError, match="folds is 1"):
        doubly_robust(valued.drop("values"), manifest, folds=1)
