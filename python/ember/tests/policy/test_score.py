"""Scores: the same bits on every backend, however rows are cut up; and what is refused."""

import json
import struct

import pytest
from pyspark.errors import PythonException
from pyspark.sql import functions as F  # noqa: N812 (its usual name)

from ember.policy import (
    Forest,
    Leaf,
    ManifestError,
    RowsError,
    Split,
    decide,
    doubly_robust,
    fit,
    read_forest,
    score,
)
from ember.policy.ml import PolicyModel

FEATURES = ["recency", "history", "zip", "newbie"]
BACKENDS = ["arrow", "pandas", "row", "map_arrow", "map_pandas"]
PERTURBED = {
    "as it is": lambda df: df,
    "repartitioned": lambda df: df.repartition(7),
    "coalesced": lambda df: df.coalesce(1),
    "shuffled": lambda df: df.orderBy(F.rand(3)),
    "sorted": lambda df: df.orderBy("zip", F.desc("recency")),
    "columns turned around": lambda df: df.select(*reversed(df.columns)),
}


@pytest.fixture(scope="module")
def manifest(customers):
    return fit(
        customers, features=FEATURES, treatment="segment", outcome="spend", control="none", bins=8
    )


@pytest.fixture(scope="module")
def forest(manifest):
    leaves = [Leaf((0.1 * at, 1 / 3, -at / 7)) for at in range(1, 8)]
    missing = len(manifest.features[1].boundaries) + 1
    young = Split("recency", (0, 1, 2), leaves[0], leaves[1])
    nested = Split("zip", (1, 3), young, Split("newbie", (2,), leaves[2], leaves[3]))
    return Forest(manifest, (nested, Split("history", (0, missing), leaves[4], nested), leaves[6]))


def signature(df):
    """Return each row's key with the bits of its scores."""
    rows = df.select("recency", "scores").collect()
    return sorted((row.recency, struct.pack("3d", *row.scores)) for row in rows)


@pytest.fixture(scope="module")
def expected(customers, forest):
    return signature(score(customers, forest, backend="row"))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("how", PERTURBED)
def test_scores_are_the_same_bits(customers, forest, expected, backend, how):
    assert signature(score(PERTURBED[how](customers), forest, backend=backend)) == expected
    assert len({scores for _, scores in expected}) >= 6


@pytest.fixture(params=[1, 7, 100_000])
def batches(spark, request):
    key = "spark.sql.execution.arrow.maxRecordsPerBatch"
    before = spark.conf.get(key)
    spark.conf.set(key, request.param)
    yield
    spark.conf.set(key, before)


@pytest.mark.usefixtures("batches")
@pytest.mark.parametrize("backend", ["arrow", "pandas"])
def test_batches_of_any_size_give_the_same_bits(customers, forest, expected, backend):
    few = customers.where("recency < 50")
    assert signature(score(few, forest, backend=backend)) == expected[:50]


def test_other_columns_pass_through(customers, forest):
    nested = customers.withColumn("n", F.struct(F.array("zip"), F.encode("segment", "utf-8")))
    found = score(nested, forest)
    assert found.drop("scores").schema == nested.schema
    assert found.drop("scores").exceptAll(nested).count() == 0


def test_a_stream_is_scored_too(spark, customers, forest, expected, tmp_path):
    source = str(tmp_path / "rows")
    customers.write.parquet(source)
    stream = spark.readStream.schema(customers.schema).parquet(source)
    query = score(stream, forest).writeStream.format("memory").queryName("scored").start()
    try:
        query.processAllAvailable()
    finally:
        query.stop()
    assert signature(spark.table("scored")) == expected


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_the_manifest_forbids_fails_by_name(customers, manifest, backend):
    document = manifest.document()
    document["features"][2] |= {"unseen": "error", "missing": "bin"}
    document["features"][1] |= {"missing": "error"}
    leaf = {"scores": [0, 0, 0]}
    strict = read_forest(json.dumps({"manifest": document, "trees": [leaf]}))
    good = customers.where("NOT isnan(history) AND history IS NOT NULL")
    assert score(good, strict, backend=backend).count() == good.count()
    with pytest.raises(PythonException, match=r"feature 'zip'.*'rural'"):
        score(good.replace("Rural", "rural", "zip"), strict, backend=backend).collect()
    with pytest.raises(PythonException, match="feature 'history'"):
        score(customers, strict, backend=backend).collect()


def test_a_forest_reads_back_as_the_same(forest):
    again = read_forest(forest.text())
    assert again == forest
    assert again.text() == forest.text()


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ({"scores": [1, 2]}, "are not 3 finite scores"),
        ({"scores": [1, 2, True]}, "is neither scores nor"),
        ({"scores": [1, 2, "3"]}, "is neither scores nor"),
        ({}, "is neither scores nor"),
        ({"scores": [1, 2, 3], "left": 1}, "is neither scores nor"),
        ([], "is neither scores nor"),
        ({"feature": "age", "left_codes": [1]}, "'age' is no feature"),
        ({"feature": "zip", "left_codes": [4]}, "are not ascending codes of 'zip', which has 4"),
        ({"feature": "zip", "left_codes": [1, 0]}, "are not ascending codes of 'zip'"),
        ({"feature": "zip", "left_codes": [-1]}, "are not ascending codes of 'zip'"),
    ],
)
def test_trees_that_do_not_fit_are_refused_by_their_place(manifest, tree, words):
    if isinstance(tree, dict) and "feature" in tree:
        tree = tree | {"left": {"scores": [1, 2, 3]}, "right": {"scores": [1, 2, 3]}}
    text = json.dumps({"manifest": manifest.document(), "trees": [{"scores": [1, 2, 3]}, tree]})
    with pytest.raises(ManifestError) as refused:
        read_forest(text)
    assert refused.value.where == "trees[1]"
    assert words in str(refused.value)


def test_a_forest_without_trees_is_refused(manifest):
    with pytest.raises(ManifestError, match="trees: are none"):
        Forest(manifest, ())
    with pytest.raises(ManifestError, match="has the keys manifest, trees"):
        read_forest("[]")


@pytest.mark.parametrize(
    "added",
    [
        lambda df, forest, out: score(df, forest, out=out, backend="arrow"),
        lambda df, forest, out: decide(
            score(df, forest, out="_scores"), forest.manifest, scores="_scores", out=out
        ),
        lambda df, forest, out: doubly_robust(df, forest.manifest, out=out),
        lambda df, forest, out: _model(forest, predictionCol=out).transform(df),
        lambda df, forest, out: _model(forest, scoresCol=out).transform(df),
    ],
)
def test_no_column_that_is_there_is_written_over(customers, forest, added):
    for out in ("spend", "Spend"):
        with pytest.raises(RowsError, match="there is a column 'spend' already: name another by"):
            added(customers, forest, out)


def test_names_that_differ_by_case_are_two_where_spark_says_so(spark, customers, forest):
    spark.conf.set("spark.sql.caseSensitive", "true")
    try:
        found = score(customers, forest, out="Spend", backend="arrow").columns
        with pytest.raises(RowsError, match="name another by predictionCol, or drop it"):
            _model(forest, predictionCol="spend").transform(customers)
    finally:
        spark.conf.unset("spark.sql.caseSensitive")
    assert found == [*customers.columns, "Spend"]


def _model(forest, **params):
    return PolicyModel(forest)._set(**params)
