"""Missing values: from none to all of them, as nulls and as NaN, by every kind of function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from pyspark.sql import functions as F  # noqa: N812 (its usual name)

from ember.policy.evaluation.ladder import KINDS
from ember.policy.evaluation.part import Bench, Figure, Finding, Line, Part, Table
from ember.policy.evaluation.rows import KEY, fitted, generated, signature
from ember.policy.grow import grow_tree
from ember.policy.metrics import Estimate, values_by_arm
from ember.policy.score import score
from ember.policy.search import Rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import Column, DataFrame

    from ember.policy.trees import Forest

_SHARES: Final = (0, 10, 30, 50, 70, 90, 100)

#: Whether a tree is grown on a row, or judged by it.
_LEARNT: Final = f"pmod(xxhash64('half', {KEY}), 2) = 0"


def _run(bench: Bench) -> Finding:
    rows: list[tuple[str | float, ...]] = []
    wrong: list[str] = []
    whole = generated(bench, bench.sizes.compared, 6)
    for share in _SHARES:
        bench.say(f"{share} % of the values are missing")
        nulls = _without(whole, share, F.lit(None))
        tree = _grown(nulls)
        nans = _without(whole, share, F.lit(float("nan")))
        signs = _signs(bench, {"null": nulls, "NaN": nans}, tree)
        if len(set(signs.values())) > 1:
            wrong.append(f"{share} % missing: {signs}")
        if _grown(nans).trees != tree.trees:
            wrong.append(f"{share} % missing: the tree of NaN is not that of nulls")
        gain = _gain(nulls.where(f"NOT {_LEARNT}"), tree)
        rows.append((share, next(iter(signs.values())), len(signs), *gain))
    title = "A tree of rows of which a part is missing, and what it earns on others"
    columns = ("missing, %", "signature of the scores", "found equal", "beyond", "low", "high")
    shares = [float(share) for share in _SHARES]
    drawn = Figure(
        "missing",
        "What a tree earns beyond random arms",
        "values that are missing, %",
        "beyond, with its 95 % interval",
        [
            Line(label, shares, [float(row[at]) for row in rows])
            for at, label in ((3, "estimate"), (4, "low"), (5, "high"))
        ],
    )
    lost = f"{rows[0][3]} with all values, {rows[-1][3]} with none"
    return Finding(f"beyond random arms: {lost}", [Table(title, columns, rows)], [drawn], wrong)


def _grown(df: DataFrame) -> Forest:
    learnt = df.where(_LEARNT)
    return grow_tree(learnt, fitted(learnt), max_depth=3, rules=Rules(min_leaf=5))


def _without(df: DataFrame, share: int, nothing: Column) -> DataFrame:
    """Take so many of a hundred values away, the same ones each time."""
    columns = []
    for name in df.columns:
        drawn = F.pmod(F.xxhash64(F.lit(f"missing {name}"), F.col(KEY)), F.lit(100))
        kept = F.when(drawn >= share, F.col(name)).otherwise(nothing.cast("double"))
        columns.append(kept.alias(name) if name.startswith("f") else F.col(name))
    return df.select(columns)


def _signs(bench: Bench, frames: dict[str, DataFrame], tree: Forest) -> dict[str, str]:
    """Return the signature of the scores by each kind of function, on each lane, of each frame."""
    found = {}
    for lane in bench.lanes:
        with bench.on(lane) as ran:
            for kind, backend in KINDS.items():
                for nothing, df in frames.items():
                    scored = score(df, tree, backend=backend)
                    found[f"{kind}, {lane}, {nothing}"] = signature(scored, KEY, "scores")
        ran.proven()
    return found


def _gain(df: DataFrame, tree: Forest) -> Sequence[float]:
    arms = tree.manifest.treatment.arms
    found = (
        score(df, tree, backend="arrow").select("arm", "outcome", "scores").toArrow().to_pandas()
    )
    got = np.array([arms.index(arm) for arm in found["arm"]])
    shares = np.bincount(got, minlength=len(arms)) / len(got)
    by_arm = values_by_arm(got, found["outcome"].to_numpy(np.float64), shares)
    chosen = np.array(found["scores"].tolist()).argmax(axis=1)
    more = Estimate.of(by_arm[np.arange(len(got)), chosen] - by_arm.mean(axis=1))
    return [round(each, 4) for each in (more.value, more.low, more.high)]


PART: Final = Part("missing", "What do missing values do to scores, trees and gains?", _run)
