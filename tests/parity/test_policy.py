"""Signatures of scores, splits and decisions: the same wherever they are computed."""

import hashlib
import math
import random
import struct
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from parity.evidence import Evidence
from pyspark.sql import functions as F

EMBER = Path(__file__).resolve().parents[2] / "python" / "ember"
sys.path.insert(0, str(EMBER / "src"))
from ember.policy import (  # noqa: E402 (not installed here, nor on executors)
    DriftError,
    Numeric,
    Rules,
    decide,
    fit,
    grow_forest,
    grow_tree,
    lock,
    score,
    verify,
)
from ember.policy.evaluation.ladder import KINDS  # noqa: E402
from ember.policy.evaluation.lanes import LANES, on  # noqa: E402

FEATURES = ["zip", "history", "newbie"]
BATCH = "spark.sql.execution.arrow.maxRecordsPerBatch"
PERTURBED = {
    "repartitioned": lambda df: df.repartition(7),
    "coalesced": lambda df: df.coalesce(1),
    "shuffled": lambda df: df.orderBy(F.rand(5)),
    "sorted": lambda df: df.orderBy("zip", "key"),
    "columns turned around": lambda df: df.select(*reversed(df.columns)),
    "in batches of 97": lambda df: df,
}
BACKENDS = {
    "pandas": ("pandas", "spark"),
    "Arrow": ("arrow", "spark"),
    "embedded": ("arrow", "embedded"),
    "process": ("arrow", "process"),
    "Spark": ("row", "spark"),
}
RULES = Rules(min_leaf=20)


@pytest.fixture(scope="module")
def buyers(spark):
    """3,000 rows with missing values, whose arms do different things to them."""
    draw = random.Random(9)
    rows = []
    for key in range(3000):
        zip_, arm = draw.choice([None, "a", "b", "c"]), draw.choice(["mens", "none", "womens"])
        history = draw.choice([None, 0.0, -0.0, float("nan"), *(draw.gauss(0, 1),) * 4])
        more = (arm == "mens" and zip_ == "b") * 3 + (arm == "womens" and (history or 0) > 0) * 2
        spend = round(draw.random() * 5 + more, 2)
        rows.append((key, zip_, history, draw.choice([True, None]), arm, spend))
    schema = "key int, zip string, history double, newbie boolean, arm string, spend double"
    return spark.createDataFrame(rows, schema)


@pytest.fixture(scope="module")
def manifest(buyers):
    return fit(buyers, features=FEATURES, treatment="arm", outcome="spend", control="none", bins=16)


@pytest.fixture(scope="module")
def forest(buyers, manifest):
    return grow_forest(buyers, manifest, n_trees=3, max_depth=2, rules=RULES)


def signatures(df, forest, backend):
    """Sign the bits of each row's scores and its decision; and say what ran."""
    frame = decide(score(df, forest, backend=backend), forest.manifest, out="best")
    frame = frame.select("key", "scores", "best")
    rows = sorted(frame.collect())
    packed = b"".join(struct.pack("i3d", row.key, *row.scores) for row in rows)
    words = "".join(row.best for row in rows).encode()
    return sign(packed), sign(words), Evidence(frame)


def sign(text):
    return hashlib.sha256(text).hexdigest()[:16]


@pytest.mark.parametrize("where", BACKENDS)
def test_six_perturbations_have_one_signature(parity_legs, buyers, forest, expected, where):
    backend, lane = BACKENDS[where]
    for how, perturb in PERTURBED.items():
        batch = "97" if "97" in how else "10000"
        with parity_legs.conf({"spark.ember.lane": lane, BATCH: batch}):
            scores, decisions, evidence = signatures(perturb(buyers), forest, backend)
        print(f"{where:8} | {how:22} | scores {scores} | decisions {decisions}")
        assert (scores, decisions) == expected
        ran = (evidence.embedded_sessions > 0, evidence.process_sessions > 0)
        assert ran == (lane != "spark", lane == "process")


@pytest.fixture(scope="module")
def expected(parity_legs, buyers, forest):
    with parity_legs.conf({"spark.ember.lane": "spark"}):
        scores, decisions, _ = signatures(buyers, forest, "row")
    assert decisions != sign(b"")
    return scores, decisions


@pytest.mark.parametrize("where", ["spark", "embedded", "process"])
def test_splits_have_one_signature(parity_legs, buyers, manifest, where):
    given = {"max_depth": 2, "rules": RULES}
    with parity_legs.conf({"spark.ember.lane": "spark"}):
        expected = sign(grow_tree(buyers, manifest, **given, in_a_task=False).text().encode())
    for how in ("repartitioned", "coalesced", "columns turned around"):
        in_a_task = how == "coalesced"
        with parity_legs.conf({"spark.ember.lane": where}):
            tree = grow_tree(PERTURBED[how](buyers), manifest, **given, in_a_task=in_a_task)
        print(f"{where:8} | {how:22} | splits {sign(tree.text().encode())}")
        assert sign(tree.text().encode()) == expected


@pytest.mark.parametrize("where", LANES)
def test_the_evaluation_proves_where_functions_ran(spark, buyers, forest, where):
    with on(spark, where) as ran:
        for backend in KINDS.values():
            score(buyers, forest, backend=backend).write.format("noop").mode("overwrite").save()
        grow_tree(buyers, forest.manifest, max_depth=2, rules=RULES, in_a_task=True)
    ran.proven()
    assert ran.nodes == len(KINDS) + 1
    assert (ran.sessions > 0) == (where != "Spark")


def test_one_bit_of_drift_fails(parity_legs, buyers, manifest, forest):
    locked = lock(buyers, manifest)
    value = buyers.where("NOT isnan(history)").agg(F.max("history")).collect()[0][0]
    moved = F.when(F.col("history") == value, math.nextafter(value, 9.0)).otherwise(
        F.col("history")
    )
    with pytest.raises(DriftError, match="values of column 'history'"):
        score(buyers.withColumn("history", moved), forest, locked=locked)
    zip_, history, newbie = manifest.features
    boundaries = list(history.boundaries)
    boundaries[4] = math.nextafter(boundaries[4], math.inf)
    other = replace(manifest, features=(zip_, Numeric("history", tuple(boundaries)), newbie))
    with pytest.raises(DriftError, match=r"features.history.boundaries\[4\]"):
        verify(buyers, locked, other)
    one = replace(forest, trees=forest.trees[:1])
    with parity_legs.conf({"spark.ember.lane": "spark"}):
        was, *_ = signatures(buyers, one, "arrow")
        now, *_ = signatures(buyers, replace(one, trees=(nudged(one.trees[0]),)), "arrow")
    assert was != now


def nudged(node):
    """Return a tree one of whose scores is the next double."""
    if hasattr(node, "left"):
        return replace(node, left=nudged(node.left))
    return replace(node, scores=(math.nextafter(node.scores[0], 99.0), *node.scores[1:]))


def test_without_the_lock_boundaries_drift_with_the_partitions(buyers, manifest):
    parts = [at / 16 for at in range(1, 16)]
    drifting, locked = set(), set()
    for perturb in PERTURBED.values():
        rows = perturb(buyers)
        drifting.add(tuple(rows.approxQuantile("history", parts, 0.02)))
        again = fit(
            rows, features=FEATURES, treatment="arm", outcome="spend", control="none", bins=16
        )
        locked.add(again.canonical())
    assert len(drifting) > 1
    assert locked == {manifest.canonical()}
