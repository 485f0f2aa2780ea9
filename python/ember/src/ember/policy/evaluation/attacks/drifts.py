"""Locks that were changed, and rows and policies that are not what was locked."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final

from pyspark.sql import Window
from pyspark.sql import functions as F  # noqa: N812 (its usual name)

from ember.policy.evaluation.attacks.attack import Attack, Given, serve
from ember.policy.evaluation.rows import KEY

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import DataFrame


def _lock(name: str, edit: Callable[[dict[str, Any]], object], *words: str) -> Attack:
    return Attack(f"lock: {name}", serve, lambda given: given.with_lock(edit), words)


def _policy(name: str, edit: Callable[[dict[str, Any]], object], *words: str) -> Attack:
    def changed(given: Given) -> Given:
        return given.with_forest(lambda forest: edit(forest["manifest"]))

    return Attack(f"policy: {name}", serve, changed, words)


def _rows(name: str, change: Callable[[DataFrame], DataFrame], *words: str) -> Attack:
    return Attack(f"rows: {name}", serve, lambda given: given.with_rows(change), words)


def _up(boundaries: list[float]) -> None:
    boundaries[2] = math.nextafter(boundaries[2], math.inf)


def _renamed(manifest: dict[str, Any]) -> None:
    treatment = manifest["treatment"]
    treatment["arms"] = json.loads(json.dumps(treatment["arms"]).replace("mens", "Mens", 1))


def _of_first(column: str, value: str) -> Callable[[DataFrame], DataFrame]:
    """Change a column in one row."""
    there = f"CASE WHEN {KEY} = 17 THEN {value} ELSE {column} END"
    return lambda df: df.withColumn(column, F.expr(there))


def _moved(df: DataFrame) -> DataFrame:
    """Give each row the outcome of the next: every column keeps its own values."""
    order = Window.orderBy(KEY)
    following = F.lead("outcome").over(order)
    return df.withColumn("outcome", F.coalesce(following, F.first("outcome").over(order)))


ATTACKS: Final = (
    _lock("another digest", lambda d: d.update(lock="0" * 64), "lock", "0000"),
    _lock("a key less", lambda d: d.pop("rows"), "a lock has the keys"),
    _lock("a column less", lambda d: d["rows"]["columns"].pop("f0"), "rows", "fingerprint"),
    _lock(
        "a boundary that was moved by one ulp",
        lambda d: _up(d["manifest"]["features"][0]["boundaries"]),
        "lock",
        "makes",
    ),
    _lock("other rows", lambda d: d["rows"].update(whole="f" * 32), "lock", "makes"),
    _policy(
        "a boundary moved by one ulp",
        lambda d: _up(d["features"][0]["boundaries"]),
        "features.f0.boundaries[2]",
    ),
    _policy("features in another order", lambda d: d["features"].reverse(), "order of features"),
    _policy("an arm of another name", _renamed, "treatment.arms"),
    _policy("arms in another order", lambda d: d["treatment"]["arms"].reverse(), "treatment.arms"),
    _policy("another control", lambda d: d["treatment"].update(control="mens"), "control"),
    _policy(
        "a category more", lambda d: d["features"][3]["categories"].append("x"), "f3.categories"
    ),
    _policy(
        "another rule for what is missing",
        lambda d: d["features"][0].update(missing="error"),
        "features.f0.missing",
    ),
    _policy(
        "another library", lambda d: d["libraries"].update(numpy="1.0"), "libraries.numpy", "1.0"
    ),
    _rows("one less", lambda df: df.where(F.col(KEY) != F.lit(17)), "rows: locked 400, here 399"),
    _rows(
        "one twice",
        lambda df: df.union(df.where(F.col(KEY) == F.lit(17))),
        "rows: locked 400, here 401",
    ),
    _rows(
        "a value that was moved by one ulp",
        _of_first("outcome", "outcome * 1.0000000000000002D"),
        "values of column 'outcome'",
    ),
    _rows(
        "NaN where there was null",
        lambda df: df.withColumn("f0", F.coalesce("f0", F.lit(float("nan")))),
        "values of column 'f0'",
    ),
    _rows("an infinite value", _of_first("f0", "double('inf')"), "values of column 'f0'"),
    _rows("another arm", lambda df: df.replace("mens", "Mens", ["arm"]), "values of column 'arm'"),
    _rows("outcomes of other rows", _moved, "which values stand in a row together"),
    _rows(
        "another type",
        lambda df: df.withColumn("f0", F.col("f0").cast("float")),
        "type of column 'f0'",
        "float",
    ),
    _rows("a column less", lambda df: df.drop("f1"), "column 'f1'", "absent"),
    _rows("a column twice", lambda df: df.select("*", F.col("f1")), "column 'f1' is there 2 times"),
    _rows("none", lambda df: df.where("false"), "rows: locked 400, here 0"),
)
