"""Rows and manifests that are locked: what is the same however they come, and what is found out."""

import json
import math
import re
from bisect import bisect_left
from dataclasses import replace

import pytest
from pyspark.sql import functions as F  # noqa: N812 (its usual name)

from ember.policy import (
    DriftError,
    ManifestError,
    Numeric,
    RowsError,
    Treatment,
    changes_since,
    fingerprint,
    fit,
    lock,
    read_lock,
    verify,
)

FEATURES = ["recency", "history", "zip", "newbie"]
COLUMNS = [*FEATURES, "segment", "spend"]
PERTURBED = {
    "repartitioned": lambda df: df.repartition(7),
    "repartitioned by a column": lambda df: df.repartition(5, "zip"),
    "coalesced": lambda df: df.coalesce(1),
    "sorted": lambda df: df.orderBy(F.col("recency").desc()),
    "shuffled": lambda df: df.orderBy(F.rand(11)),
    "columns turned around": lambda df: df.select(*reversed(df.columns)),
    "with other columns": lambda df: df.withColumn("more", F.array(F.lit(1))),
    "of two parts": lambda df: df.where("recency >= 900").union(df.where("recency < 900")),
}


@pytest.fixture(scope="module")
def manifest(customers):
    return fitted(customers)


@pytest.fixture(scope="module")
def locked(customers, manifest):
    return lock(customers, manifest)


def fitted(df, **wanted):
    given = {"features": FEATURES, "treatment": "segment", "outcome": "spend", "control": "none"}
    return fit(df, **(given | wanted))


def test_rows_without_any_of_the_columns_lack_each_of_them(customers, locked):
    with pytest.raises(DriftError) as found:
        verify(customers.toDF(*map(str.upper, customers.columns)), locked)
    for name in COLUMNS:
        assert f"column {name!r}" in str(found.value)


def words_of(changes):
    return [change.what for change in changes]


@pytest.mark.parametrize("how", PERTURBED)
def test_what_does_not_change_the_rows_changes_neither_manifest_nor_lock(
    customers, manifest, locked, how
):
    there = PERTURBED[how](customers)
    assert fitted(there).canonical() == manifest.canonical()
    assert lock(there, manifest).text() == locked.text()
    verify(there, locked)


def test_batches_and_modes_of_spark_do_not_change_it(spark, customers, locked):
    for key, value in {
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.shuffle.partitions": "11",
        "spark.sql.execution.arrow.maxRecordsPerBatch": "7",
        "spark.sql.ansi.enabled": "false",
    }.items():
        before = spark.conf.get(key)
        spark.conf.set(key, value)
        try:
            verify(customers.repartition(4), locked)
        finally:
            spark.conf.set(key, before)


def test_the_lock_reads_back_as_the_same(customers, locked):
    again = read_lock(locked.text())
    assert again == locked
    verify(customers, again)


def test_without_the_lock_the_boundaries_drift(customers, manifest):
    fewer = fitted(customers.where("recency % 3 != 0"))
    assert fewer.digest() != manifest.digest()


CHANGED = {
    "rows": lambda df: df.where("recency != 5"),
    "values of column 'history'": lambda df: df.withColumn(
        "history", F.when(F.col("recency") == 1, 0.5).otherwise(F.col("history"))
    ),
    "values of column 'zip'": lambda df: df.replace("Rural", "rural", "zip"),
    "values of column 'newbie'": lambda df: df.fillna({"newbie": False}),
    "type of column 'recency'": lambda df: df.withColumn("recency", F.col("recency").cast("long")),
    "column 'spend'": lambda df: df.withColumnRenamed("spend", "spent"),
}


@pytest.mark.parametrize("what", CHANGED)
def test_what_changed_in_the_rows_is_named(customers, locked, what):
    with pytest.raises(DriftError, match="since the lock") as drift:
        verify(CHANGED[what](customers), locked)
    assert what in words_of(drift.value.changes)


def test_only_what_changed_is_named(customers, locked):
    there = CHANGED["values of column 'zip'"](customers)
    assert words_of(changes_since(locked, there)) == ["values of column 'zip'"]


def test_fewer_rows_are_fewer_rows_and_not_other_values(customers, locked):
    changes = changes_since(locked, customers.where("recency != 5"))
    assert [str(change) for change in changes] == ["rows: locked 2,000, here 1,999"]


def test_values_that_changed_rows_are_found_out(spark, locked, customers):
    first, *rows = customers.collect()
    second = next(row for row in rows if row.segment != first.segment)
    rest = customers.where(~F.col("recency").isin(first.recency, second.recency))
    swapped = [
        (*first[:4], second.segment, *first[5:]),
        (*second[:4], first.segment, *second[5:]),
    ]
    there = rest.union(spark.createDataFrame(swapped, customers.schema))
    assert words_of(changes_since(locked, there)) == ["which values stand in a row together"]


def test_a_null_is_neither_another_value_nor_in_another_column(spark):
    schema = "a int, b int"
    rows = [[(1, None)], [(None, 1)], [(1, 0)], [(0, 1)], [(1, 1)], [(None, None)]]
    found = [fingerprint(spark.createDataFrame(each, schema), ["a", "b"]) for each in rows]
    assert len({each.whole for each in found}) == len(rows)


def test_all_nans_are_one_and_both_zeros_are(spark):
    def whole(values):
        frame = spark.createDataFrame([(each,) for each in values], "a double")
        return fingerprint(frame, ["a"]).whole

    assert whole([0.0, math.nan]) == whole([-math.nan, -0.0])
    assert whole([0.0]) != whole([math.nan])


def test_the_same_row_twice_is_not_no_row(spark):
    def found(times):
        return fingerprint(spark.createDataFrame([(5,)] * times, "a int"), ["a"])

    assert len({found(times).whole for times in (1, 2, 3)}) == 3
    assert found(2).rows == 2


def test_no_rows_have_a_fingerprint(customers):
    none = fingerprint(customers.where("false"), COLUMNS)
    assert (none.rows, none.whole) == (0, "0" * 32)


def test_a_boundary_that_moved_by_one_ulp_is_named(customers, manifest, locked):
    first, *rest = manifest.features
    moved = list(first.boundaries)
    moved[3] = math.nextafter(moved[3], math.inf)
    other = replace(manifest, features=(Numeric("recency", tuple(moved)), *rest))
    (change,) = changes_since(locked, customers, other)
    assert change.what == "features.recency.boundaries[3]"
    assert float(change.now) == moved[3]
    assert change.was != change.now


def test_a_treatment_with_another_name_is_named(customers, manifest, locked):
    other = replace(manifest, treatment=Treatment("segment", ("men", "none", "womens"), "none"))
    changes = changes_since(locked, customers, other)
    assert words_of(changes) == ["treatment.arms[0]"]


def test_features_in_another_order_are_named(customers, manifest, locked):
    other = replace(manifest, features=manifest.features[::-1])
    assert words_of(changes_since(locked, customers, other)) == ["order of features"]


def test_a_feature_that_is_gone_is_named(customers, manifest, locked):
    other = replace(manifest, features=manifest.features[1:])
    changes = changes_since(locked, customers, other)
    assert [(change.what, change.now) for change in changes] == [("features.recency", "absent")]


def test_another_version_of_a_library_is_named(customers, manifest):
    other = replace(manifest, libraries=manifest.libraries | {"numpy": "1.0"})
    (change,) = changes_since(lock(customers, other), customers)
    assert change.what == "installed.numpy"


def test_a_lock_that_was_changed_is_refused(locked):
    document = json.loads(locked.text())
    document["rows"]["rows"] += 1
    with pytest.raises(ManifestError, match="what stands beside it makes"):
        read_lock(json.dumps(document))
    del document["lock"]
    with pytest.raises(ManifestError, match="a lock has the keys lock, manifest, rows"):
        read_lock(json.dumps(document))


def test_a_lock_of_other_columns_is_refused(locked):
    document = json.loads(locked.text())
    del document["rows"]["columns"]["zip"]
    with pytest.raises(ManifestError, match="no fingerprint of the manifest's columns"):
        read_lock(json.dumps(document))


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"features": ["recency", "age"]}, "column 'age' is absent; the columns are recency"),
        ({"outcome": "zip"}, "column 'zip' is string, and no number"),
        ({"treatment": "newbie"}, "has rows without an arm"),
        ({"control": "women"}, "'women' is none of the arms"),
        ({"features": ["zip", "zip"]}, "'zip' comes twice"),
        ({"features": ["zip", "segment"]}, "'segment' comes twice"),
        ({"digits": -1}, "digits is -1, and not between 0 and 9"),
        ({"digits": 10}, "digits is 10, and not between 0 and 9"),
        ({"digits": 1.5}, "digits is 1.5, and no whole number"),
        ({"bins": 0}, "bins is 0, and not between 1 and 32,000"),
        ({"bins": 2.5}, "bins is 2.5, and no whole number"),
        ({"outcome": "newbie"}, "column 'newbie' is boolean, and no number: cast it"),
        ({"features": "zip"}, "features is 'zip', and is to be a list of names"),
    ],
)
def test_rows_that_fit_no_manifest_are_refused_by_name(customers, wanted, words):
    with pytest.raises((RowsError, ManifestError)) as refused:
        fitted(customers, **wanted)
    assert words in str(refused.value)


def test_rows_that_nothing_can_be_learnt_of_are_refused_by_what_they_lack(customers):
    with pytest.raises(RowsError, match="there are no rows"):
        fitted(customers.where("false"))
    with pytest.raises(RowsError, match="column 'segment' has the arm 'none' alone"):
        fitted(customers.where("segment = 'none'"))


@pytest.mark.parametrize("of", ["double", "float", "decimal(38, 20)"])
def test_outcomes_that_digits_leave_nothing_of_are_refused(customers, of):
    rates = customers.withColumn("spend", F.expr(f"CAST(recency % 2 / 1000D AS {of})"))
    with pytest.raises(RowsError, match="'spend' with digits=2: all of its values round to 0"):
        fitted(rates)
    assert fitted(rates, digits=3).outcome.digits == 3
    assert fitted(rates.withColumn("spend", F.lit(0.0).cast(of))).rows == customers.count()


def test_outcomes_that_digits_change_are_told_with_their_number(customers):
    rates = customers.withColumn("spend", F.expr("IF(recency > 1, 0.017D, 'NaN')"))
    changed = f"{rates.where('recency > 1').count():,}"
    words = f"changes {changed} of its {changed} values beside 0 by more than 1 in 100: keep more"
    with pytest.warns(UserWarning, match=words) as told:
        fitted(rates)
    assert told[0].filename == __file__
    fitted(rates, digits=3)


def test_outcomes_that_are_too_large_for_digits_are_for_who_sums_them_to_refuse(customers):
    large = customers.withColumn("spend", F.expr("IF(recency > 1, 1e18D, -9223372036854775808L)"))
    assert fitted(large).outcome.digits == 2


def test_text_whose_equal_values_differ_is_refused(customers):
    collated = customers.withColumn("zip", F.expr("zip COLLATE UTF8_LCASE"))
    with pytest.raises(RowsError, match="column 'zip' is string collate UTF8_LCASE, whose equal"):
        fitted(collated)
    with pytest.raises(RowsError, match="cast it to string"):
        fingerprint(collated, ["zip"])


def test_columns_of_other_types_and_of_the_same_name_are_refused(customers):
    nested = customers.withColumn("zip", F.array("zip"))
    with pytest.raises(RowsError, match="neither number, text nor boolean"):
        fitted(nested)
    twice = customers.select("*", F.lit("x").alias("zip"))
    with pytest.raises(RowsError, match="is there 2 times"):
        fitted(twice)


def test_a_feature_of_too_many_categories_is_refused(customers):
    keys = customers.withColumn("zip", F.concat(F.lit("z"), "recency"))
    with pytest.raises(RowsError, match="at most 1,000 are categories"):
        fitted(keys)


def test_boundaries_are_values_that_occur(customers, manifest):
    occur = {row.recency for row in customers.select("recency").collect()}
    boundaries = manifest.features[0].boundaries
    assert len(boundaries) == 31
    assert occur.issuperset(boundaries)
    assert all(each == each + 0.0 for each in manifest.features[1].boundaries)


def test_more_rows_than_the_sample_give_the_same_boundaries_in_any_partitions(spark):
    many = spark.range(120_000).selectExpr(
        "hash(id) % 1000 AS a", "CAST(id % 2 AS STRING) AS arm", "id % 3 AS y"
    )
    wanted = {"features": ["a"], "treatment": "arm", "outcome": "y", "control": "0"}
    found = fit(many, **wanted)
    assert fit(many.repartition(9), **wanted).canonical() == found.canonical()
    assert len(found.features[0].boundaries) == 31


@pytest.mark.parametrize("features", [["age"], ["age", "paid"]])
def test_many_rows_of_few_values_have_the_quantiles_of_all_of_them(spark, features):
    many = spark.range(300_000).selectExpr(
        "18 + pmod(hash(id), 73) AS age",
        "CASE WHEN pmod(hash(id, 1), 20) < 11 THEN 0D ELSE pmod(hash(id, 2), 997) / 7D END AS paid",
        "CAST(id % 2 AS STRING) AS arm",
        "id % 3 AS y",
    )
    wanted = {"treatment": "arm", "outcome": "y", "control": "0", "bins": 10}
    found = fit(many, features=features, **wanted)
    assert fit(many.repartition(5), features=features, **wanted).features == found.features
    for feature in found.features:
        values = sorted(row[0] for row in many.select(feature.name).collect())
        quantiles = sorted({values[len(values) * at // 10] for at in range(1, 10)})
        assert len(feature.boundaries) == len(quantiles)
        for boundary, exact in zip(feature.boundaries, quantiles, strict=True):
            ranks = [bisect_left(values, each) for each in (boundary, exact)]
            assert abs(ranks[0] - ranks[1]) < 0.02 * len(values)


@pytest.mark.parametrize("of", ["int", "double", "decimal(3,1)"])
def test_arms_that_are_numbers_are_refused_by_name(spark, of):
    rows = spark.range(40).selectExpr("id AS x", f"CAST(id % 2 AS {of}) AS arm", "id % 3 AS y")
    words = rf"column 'arm' is {re.escape(of)}, and arms are text: cast it to string"
    with pytest.raises(RowsError, match=words):
        fit(rows, features=["x"], treatment="arm", outcome="y", control="0")


def test_an_arm_may_be_the_empty_text_or_a_boolean(spark):
    rows = spark.range(40).selectExpr(
        "id AS x", "IF(id % 2 = 0, '', 'mens') AS arm", "id % 3 = 0 AS sent", "id % 5 AS y"
    )
    given = {"features": ["x"], "outcome": "y"}
    assert fit(rows, treatment="arm", control="", **given).treatment.arms == ("", "mens")
    found = fit(rows, treatment="sent", control="false", **given)
    assert found.treatment.arms == ("false", "true")
