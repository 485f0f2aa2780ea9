"""End to end on people: learn from one half, and say what the policy would earn on the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from ember.policy.evaluation.part import Bench, Figure, Finding, Line, Part, Table
from ember.policy.evaluation.trials import Trial, trial
from ember.policy.fit import fit
from ember.policy.grow import grow_forest
from ember.policy.lock import lock, verify
from ember.policy.metrics import (
    Curve,
    Estimate,
    auuc,
    qini,
    qini_curve,
    uplift_curve,
    values_by_arm,
)
from ember.policy.score import score
from ember.policy.search import Rules

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import NDArray
    from pyspark.sql import DataFrame, SparkSession

    from ember.policy.trees import Forest

_DEPTH: Final = 4

#: Points of a curve that are drawn.
_POINTS: Final = 200


def _run(bench: Bench) -> Finding:
    data = trial(bench.hillstrom)
    tables, figures, wrong, said = [], [], [], []
    for outcome, digits in data.outcomes.items():
        bench.say(f"{data.name}: {outcome}")
        learnt = _Learnt(bench, data, outcome, digits)
        tables += [learnt.values(), learnt.rankings()]
        figures += learnt.figures()
        best, others = learnt.gain()
        said.append(f"{outcome}: {best.value:+.4f} [{best.low:+.4f}, {best.high:+.4f}] over random")
        if others.high < 0:
            wrong.append(f"{outcome}: the policy is worse than random arms")
    return Finding(f"{data.name}; {'; '.join(said)}", tables, figures, wrong)


class _Learnt:
    """A policy of one outcome, learnt from one half, with the rows of the other."""

    def __init__(self, bench: Bench, data: Trial, outcome: str, digits: int) -> None:
        first, second = data.halves()
        forest = learnt(bench, data, first, outcome, digits)
        self._outcome = outcome
        self._arms = forest.manifest.treatment.arms
        self._control = self._arms.index(data.control)
        self._got = np.array([self._arms.index(str(arm)) for arm in second[data.treatment]])
        self._gave = second[outcome].to_numpy(np.float64)
        self._scores = scores(bench.spark, second, forest)
        self._shares = np.bincount(self._got, minlength=len(self._arms)) / len(self._got)

    def values(self) -> Table:
        """Show what each policy earns on rows that it has not seen."""
        rows: list[tuple[str | float, ...]] = []
        ways = {"inverse propensity": None, "doubly robust": self._scores}
        for way, expected in ways.items():
            by_arm = values_by_arm(self._got, self._gave, self._shares, expected)
            policies = self._policies(by_arm)
            random = policies["random arms"]
            for name, earned in policies.items():
                found, more = Estimate.of(earned), Estimate.of(earned - random)
                rows.append((name, way, *_shown(found), *_shown(more)))
        return Table(
            f"{self._outcome}: mean on the other half, and beyond random arms; 95 % intervals",
            ("policy", "estimate", "value", "low", "high", "beyond", "low", "high"),
            rows,
        )

    def gain(self) -> tuple[Estimate, Estimate]:
        """Return what the policy earns beyond random arms, doubly robust and by propensity."""
        found = []
        for expected in (self._scores, None):
            by_arm = values_by_arm(self._got, self._gave, self._shares, expected)
            policies = self._policies(by_arm)
            found.append(Estimate.of(policies["the policy"] - policies["random arms"]))
        return found[0], found[1]

    def rankings(self) -> Table:
        """Show how well each arm's uplift ranks the rows that got that arm or the control."""
        rows: list[tuple[str | float, ...]] = [
            (name, len(gave), round(qini(*ranked), 4), round(auuc(*ranked), 6))
            for name, ranked in self._ranked().items()
            for gave in ranked[:1]
        ]
        return Table(
            f"{self._outcome}: rankings by uplift",
            ("arm", "rows", "Qini coefficient", "AUUC"),
            rows,
        )

    def figures(self) -> list[Figure]:
        """Return the curves of both measures."""
        kinds = {"qini": (qini_curve, "Qini curve"), "auuc": (uplift_curve, "uplift curve (AUUC)")}
        return [
            Figure(
                f"{name}-{self._outcome}",
                f"{self._outcome}: {words}",
                "share of the rows that are treated",
                "gained, for each row",
                self._lines(curve),
            )
            for name, (curve, words) in kinds.items()
        ]

    def _lines(self, curve: Callable[..., Curve]) -> list[Line]:
        lines = []
        for name, ranked in self._ranked().items():
            found, rows = curve(*ranked), len(ranked[0])
            some = np.unique(np.linspace(0, len(found.rows) - 1, _POINTS).astype(int))
            end = [0.0, float(found.gained[-1] / rows)]
            x, y = found.rows[some] / rows, found.gained[some] / rows
            lines += [
                Line(name, x.tolist(), y.tolist()),
                Line(f"{name}, in any order", [0.0, 1.0], end),
            ]
        return lines

    def _policies(self, by_arm: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        chosen = self._scores.argmax(axis=1)
        always = {f"always {arm}": by_arm[:, at] for at, arm in enumerate(self._arms)}
        learnt = by_arm[np.arange(len(chosen)), chosen]
        return {"the policy": learnt, "random arms": by_arm.mean(axis=1), **always}

    def _ranked(
        self,
    ) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]]:
        """Return outcomes, uplifts and who was treated, of each arm beside the control."""
        found = {}
        for at, arm in enumerate(self._arms):
            if at != self._control:
                some = (self._got == at) | (self._got == self._control)
                uplift = self._scores[:, at] - self._scores[:, self._control]
                found[arm] = (self._gave[some], uplift[some], self._got[some] == at)
        return found


def learnt(bench: Bench, data: Trial, rows: pd.DataFrame, outcome: str, digits: int) -> Forest:
    """Lock rows, and grow an honest forest on what is still what was locked."""
    df = spread(bench.spark, rows)
    manifest = fit(
        df,
        features=data.features,
        treatment=data.treatment,
        control=data.control,
        outcome=outcome,
        digits=digits,
    )
    verify(df, lock(df, manifest))
    return grow_forest(
        df, manifest, n_trees=bench.sizes.trees, max_depth=_DEPTH, rules=Rules(min_leaf=100)
    )


def scores(spark: SparkSession, rows: pd.DataFrame, forest: Forest) -> NDArray[np.float64]:
    """Return the scores of rows, in their order."""
    keyed = rows.assign(_place=np.arange(len(rows)))
    found = score(spread(spark, keyed), forest).select("_place", "scores").toArrow().to_pandas()
    return np.array(found.sort_values("_place")["scores"].tolist())


def spread(spark: SparkSession, rows: pd.DataFrame) -> DataFrame:
    """Return rows as a frame of Spark's, that is read from memory each time."""
    return spark.createDataFrame(rows).cache()


def _shown(found: Estimate) -> tuple[float, float, float]:
    return round(found.value, 5), round(found.low, 5), round(found.high, 5)


PART: Final = Part(
    "hillstrom",
    "What does a policy earn on people it has not seen, and how well does it rank?",
    _run,
)
