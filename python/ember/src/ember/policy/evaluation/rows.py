"""Generated rows, which are the same whenever and however often they are made; and forests."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

from pyspark.sql import functions as F  # noqa: N812 (its usual name)

from ember.policy.codes import width
from ember.policy.fit import fit
from ember.policy.trees import Forest, Leaf, Split

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from ember.policy.evaluation.part import Bench
    from ember.policy.manifest import Manifest
    from ember.policy.trees import Node

ARMS: Final = ("none", "mens", "womens")
KEY: Final = "id"

_TEXTS: Final = 12


def generated(bench: Bench, rows: int, features: int, *, mixed: bool = False) -> DataFrame:
    """Return rows with a key, features ``f0`` and so on, an arm and an outcome.

    :param mixed: every second feature is text, and a tenth of all values are missing
    """
    ids = bench.spark.range(0, rows, 1, bench.spark.sparkContext.defaultParallelism)
    chosen = [_feature(at, mixed=mixed).alias(f"f{at}") for at in range(features)]
    place = F.pmod(F.xxhash64(F.lit("arm"), F.col(KEY)), F.lit(len(ARMS)))
    arm = F.element_at(F.array(*map(F.lit, ARMS)), (place + 1).cast("int"))
    frame = ids.select(KEY, *chosen, arm.alias("arm"))
    first = F.col("f0")
    above = F.when((F.col("arm") == "mens") & (first > 0), 3).when(
        (F.col("arm") == "womens") & (first <= 0), 2
    )
    noise = F.pmod(F.xxhash64(F.lit("noise"), F.col(KEY)), F.lit(500)) / 100
    return frame.withColumn("outcome", F.round(noise + F.coalesce(above, F.lit(0)), 2))


def fitted(df: DataFrame, *, bins: int = 16) -> Manifest:
    """Return a manifest of generated rows."""
    names = sorted((each for each in df.columns if each.startswith("f")), key=lambda f: int(f[1:]))
    return fit(
        df, features=names, treatment="arm", outcome="outcome", control=ARMS[0], bins=bins, digits=2
    )


def random_forest(manifest: Manifest, *, trees: int, depth: int, seed: int = 7) -> Forest:
    """Return a forest of full trees, whose splits and scores are drawn."""
    draw = random.Random(seed)  # noqa: S311 (nobody is to be surprised)

    def node(levels: int) -> Node:
        if not levels:
            return Leaf(tuple(draw.random() for _ in manifest.treatment.arms))
        feature = draw.choice(manifest.features)
        codes = width(feature)
        left = tuple(sorted(draw.sample(range(codes), max(1, codes // 2))))
        return Split(feature.name, left, node(levels - 1), node(levels - 1))

    return Forest(manifest, tuple(node(depth) for _ in range(trees)))


def signature(df: DataFrame, *columns: str) -> str:
    """Return 64 bits of the rows' values, which no order of rows and no partition changes."""
    hashed = F.xxhash64(*map(F.col, columns)).cast("decimal(20,0)")
    total = df.agg(F.sum(hashed), F.count(F.lit(1))).collect()[0]
    return f"{int(total[0] or 0) % 2**64:016x}/{total[1]}"


def _feature(at: int, *, mixed: bool) -> Column:
    hashed = F.xxhash64(F.lit(at), F.col(KEY))
    number = F.round(F.pmod(hashed, F.lit(20_000)) / 1000 - 10, 3)
    if not mixed:
        return number
    text = F.concat(F.lit("category "), F.pmod(hashed, F.lit(_TEXTS)).cast("string"))
    value = text if at % 2 else number
    return F.when(F.pmod(F.shiftright(hashed, 32), F.lit(10)) != 0, value)
