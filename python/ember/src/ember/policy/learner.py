"""A learner in the style of scikit-learn: it fits and predicts arrays and frames of pandas.

scikit-learn itself is not needed. Where it is, its ``clone`` and searches take it.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
from pyspark.sql import SparkSession

from ember.policy.errors import PolicyError, RowsError
from ember.policy.fit import fit
from ember.policy.grow import grow_forest
from ember.policy.local import chosen, framed, scores_of_frame
from ember.policy.metrics import Estimate, values_by_arm
from ember.policy.search import Rules

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ember.policy.criteria import Criterion
    from ember.policy.trees import Forest

_TREATMENT = "treatment"
_OUTCOME = "outcome"


class NotFittedError(PolicyError, AttributeError):
    """A learner is asked before it has learnt."""


class PolicyLearner:
    """Learns which arm is best for which row, in Spark, from rows that are here.

    :param control: the arm that the others are compared with; without it the first of their names
    :param n_trees: trees of a forest, each honest and of half of the rows if ``honest``
    """

    def __init__(  # noqa: PLR0913 (keywords, each of them a choice)
        self,
        *,
        control: str | None = None,
        n_trees: int = 20,
        max_depth: int = 4,
        criterion: Criterion = "euclidean",
        min_leaf: int = 100,
        min_uplift: float = 0.0,
        honest: bool = True,
        bins: int = 32,
        digits: int = 2,
        seed: int = 0,
    ) -> None:
        self.control = control
        self.n_trees = n_trees
        self.max_depth = max_depth
        self.criterion = criterion
        self.min_leaf = min_leaf
        self.min_uplift = min_uplift
        self.honest = honest
        self.bins = bins
        self.digits = digits
        self.seed = seed

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002, FBT001, FBT002 (scikit-learn's)
        """Return what it was made with."""
        return {name: getattr(self, name) for name in _parameters()}

    def set_params(self, **params: Any) -> Self:
        """Change what it was made with.

        :raises RowsError: for a name that is no parameter
        """
        for name, value in params.items():
            if name not in _parameters():
                message = f"{name!r} is no parameter; there are {', '.join(_parameters())}"
                raise RowsError(message)
            setattr(self, name, value)
        return self

    def fit(self, X: Any, y: Any, *, treatment: Any) -> Self:  # noqa: N803 (scikit-learn's)
        """Learn from rows, what they gave, and the arms that they got.

        :raises RowsError: if they do not fit one another, or an arm or an outcome is missing
        """
        frame = framed(X)
        for name in (_TREATMENT, _OUTCOME):
            if name in frame.columns:
                message = f"{name!r} is the name of a feature, and is needed for what rows got"
                raise RowsError(message)
        arms = _arms(treatment, len(frame))
        rows = frame.assign(**{_TREATMENT: arms, _OUTCOME: _outcomes(y, len(frame))})
        spark = SparkSession.builder.getOrCreate()
        df = spark.createDataFrame(pa.Table.from_pandas(rows, preserve_index=False)).cache()
        try:
            self.forest_ = self._grown(df, [*frame.columns], min(arms))
        finally:
            df.unpersist()
        self.classes_ = np.array(self.forest_.manifest.treatment.arms, object)
        self.feature_names_in_ = np.array(frame.columns, object)
        self.n_features_in_ = len(frame.columns)
        return self

    def predict(self, X: Any) -> NDArray[np.object_]:  # noqa: N803 (scikit-learn's)
        """Return the arm of the highest score for each row."""
        return chosen(self.predict_scores(X), self._forest().manifest.treatment.arms)

    def predict_scores(self, X: Any) -> NDArray[np.float64]:  # noqa: N803 (scikit-learn's)
        """Return the mean outcome to expect of each row with each arm of ``classes_``.

        :raises NotFittedError: before it has learnt
        :raises RowsError: if a feature is absent, or one is there that was not
        """
        forest, frame = self._forest(), framed(X)
        known = set(self.feature_names_in_)
        more = [name for name in frame.columns if name not in known]
        if more:
            message = f"feature {more[0]!r} was not there when it learnt"
            raise RowsError(message)
        return scores_of_frame(frame, forest)

    def score(self, X: Any, y: Any, *, treatment: Any) -> float:  # noqa: N803 (scikit-learn's)
        """Return what its choices would have given, by inverse propensity."""
        choices = self.predict(X)
        arms = [*self._forest().manifest.treatment.arms]
        got = _arms(treatment, len(choices))
        if strange := sorted(set(got) - set(arms)):
            message = f"{strange[0]!r} is none of the arms {', '.join(arms)}"
            raise RowsError(message)
        places = np.array([arms.index(arm) for arm in got])
        shares = np.bincount(places, minlength=len(arms)) / len(places)
        by_arm = values_by_arm(places, _outcomes(y, len(choices)), shares)
        picked = [arms.index(arm) for arm in choices]
        return Estimate.of(by_arm[np.arange(len(picked)), picked]).value

    def __repr__(self) -> str:
        """Say what it was made with."""
        given = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"PolicyLearner({given})"

    def __sklearn_tags__(self) -> Any:
        """Say to scikit-learn what it is; only that calls it."""
        from sklearn.utils import Tags, TargetTags  # noqa: PLC0415 (not always there)

        return Tags(estimator_type=None, target_tags=TargetTags(required=True))

    def __sklearn_is_fitted__(self) -> bool:
        """Say whether it has learnt."""
        return hasattr(self, "forest_")

    def _forest(self) -> Forest:
        if not self.__sklearn_is_fitted__():
            message = "this PolicyLearner has not learnt yet: call fit"
            raise NotFittedError(message)
        return self.forest_

    def _grown(self, df: Any, features: list[str], first: str) -> Forest:
        manifest = fit(
            df,
            features=features,
            treatment=_TREATMENT,
            outcome=_OUTCOME,
            control=first if self.control is None else str(self.control),
            bins=self.bins,
            digits=self.digits,
        )
        return grow_forest(
            df,
            manifest,
            n_trees=self.n_trees,
            max_depth=self.max_depth,
            rules=Rules(self.criterion, self.min_leaf, self.min_uplift),
            honest=self.honest,
            seed=self.seed,
        )


def _parameters() -> list[str]:
    return [*inspect.signature(PolicyLearner).parameters]


def _arms(treatment: Any, rows: int) -> list[str]:
    given = _each_row("treatment", treatment, rows)
    if pd.isna(given).any():
        message = f"{int(pd.isna(given).sum()):,} rows have no treatment"
        raise RowsError(message)
    return [*map(str, given)]


def _outcomes(outcome: Any, rows: int) -> NDArray[np.float64]:
    given = _each_row("y", outcome, rows)
    try:
        found = given.astype(np.float64)
    except (TypeError, ValueError) as error:
        message = f"y is to be of numbers: {error}"
        raise RowsError(message) from error
    if not np.isfinite(found).all():
        message = f"{int((~np.isfinite(found)).sum()):,} values of y are not finite"
        raise RowsError(message)
    return found


def _each_row(name: str, given: Any, rows: int) -> NDArray[Any]:
    values = np.asarray(given)
    if values.shape != (rows,):
        message = f"{name} has the shape {values.shape}, for {rows:,} rows"
        raise RowsError(message)
    return values
