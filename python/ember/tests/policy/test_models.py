"""Models by a user's function, the choice of a backend, and decisions."""

import math
import sys
from dataclasses import replace

import numpy as np
import pytest
from pyspark import cloudpickle
from pyspark.errors import PythonException
from pyspark.sql import functions as F  # noqa: N812 (its usual name)

from ember.policy import (
    DriftError,
    Forest,
    Leaf,
    ManifestError,
    Model,
    RowsError,
    Split,
    choose,
    decide,
    fit,
    lock,
    score,
)

FEATURES = ["recency", "zip"]

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # as a notebook's functions are


@pytest.fixture(scope="module")
def manifest(customers):
    return fit(customers, features=FEATURES, treatment="segment", outcome="spend", control="none")


@pytest.fixture(scope="module")
def forest(manifest):
    return Forest(manifest, (Split("zip", (1,), Leaf((0.0, 2.0, 2.0)), Leaf((3.0, 2.0, 3.0))),))


def by_arrow(batch):
    recency, zip_ = (batch.column(name).to_pylist() for name in FEATURES)
    rural = [name == "Rural" for name in zip_]
    return np.column_stack([recency, np.negative(recency), rural])


def by_pandas(frame):
    return np.column_stack([frame["recency"], -frame["recency"], frame["zip"] == "Rural"])


@pytest.mark.parametrize("backend", ["auto", "arrow", "pandas", "map_arrow", "map_pandas"])
@pytest.mark.parametrize(("function", "takes"), [(by_arrow, "arrow"), (by_pandas, "pandas")])
def test_a_function_scores_rows_on_every_backend(customers, manifest, function, takes, backend):
    rows = score(customers, Model(manifest, function, takes), backend=backend).collect()
    assert len(rows) == 2000
    for row in rows:
        assert row.scores == [row.recency, -row.recency, float(row.zip == "Rural")]


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda batch: np.zeros((batch.num_rows, 2)), "for .* rows and 3 arms"),
        (lambda _: np.zeros((1, 3)), r"the model gave \(1, 3\)"),
        (lambda batch: np.full((batch.num_rows, 3), math.nan), "scores that are not finite"),
    ],
)
def test_what_a_function_gives_is_checked(customers, manifest, function, words):
    with pytest.raises(PythonException, match=words):
        score(customers, Model(manifest, function), backend="arrow").collect()


def test_the_manifests_rules_are_kept_before_a_function_is_asked(customers, manifest):
    strict = replace(
        manifest, features=(manifest.features[0], replace(manifest.features[1], unseen="error"))
    )
    model = Model(strict, by_arrow)
    other = customers.replace("Rural", "rural", "zip")
    with pytest.raises(PythonException, match="'rural' is not in the vocabulary"):
        score(other, model, backend="arrow").collect()


def test_what_is_no_model_is_refused(manifest):
    with pytest.raises(ManifestError, match="is no function"):
        Model(manifest, "f")
    with pytest.raises(ManifestError, match="neither arrow nor pandas"):
        Model(manifest, by_arrow, "polars")


def test_auto_measures_both_and_says_so(customers, forest):
    choice = choose(customers, forest)
    assert set(choice.seconds) == {"arrow", "pandas"}
    assert choice.backend == min(choice.seconds, key=choice.seconds.get)
    assert "measured on 2,000 rows" in choice.reason
    assert choose(customers.where("false"), forest).reason == "no rows to measure"
    scored = score(customers, forest, backend="auto")
    assert scored.exceptAll(score(customers, forest, backend="row")).count() == 0


def test_the_arm_of_the_highest_score_is_decided_for_and_of_equals_the_first(customers, forest):
    manifest = forest.manifest
    assert manifest.treatment.arms == ("mens", "none", "womens")
    rows = decide(score(customers, forest), manifest).collect()
    zips = manifest.features[1].categories
    for row in rows:
        assert row.arm == ("none" if row.zip == zips[1] else "mens")


def test_rows_that_drifted_are_not_scored(customers, forest):
    locked = lock(customers, forest.manifest)
    assert score(customers.repartition(3), forest, locked=locked).count() == 2000
    with pytest.raises(DriftError, match="values of column 'zip'"):
        score(customers.replace("Rural", "rural", "zip"), forest, locked=locked)


def test_what_cannot_be_scored_is_refused(customers, forest, manifest):
    with pytest.raises(RowsError, match="a column 'zip' already"):
        score(customers, forest, out="zip")
    with pytest.raises(RowsError, match="backend 'arow' is none of"):
        score(customers, forest, backend="arow")
    with pytest.raises(RowsError, match="is for forests"):
        score(customers, Model(manifest, by_arrow), backend="row")


def test_nested_and_binary_columns_pass_through_every_backend(customers, forest):
    nested = customers.replace(float("nan"), None).select(  # pandas has one for both
        "*",
        F.struct(F.array("zip"), F.create_map("segment", "spend")).alias("n"),
        F.encode("segment", "utf-8").alias("b"),
        F.when(F.col("recency") > 5, F.expr("TIMESTAMP'2024-02-29 01:02:03'")).alias("t"),
        F.col("spend").cast("decimal(20,4)").alias("d"),
    )
    expected = sorted(map(str, nested.collect()))
    for backend in ("arrow", "pandas", "map_arrow", "map_pandas"):
        found = score(nested, forest, backend=backend)
        assert found.columns == [*nested.columns, "scores"]
        assert sorted(map(str, found.drop("scores").collect())) == expected
