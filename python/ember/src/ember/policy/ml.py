"""Policies as an estimator, a model and an evaluator of Spark ML's pipelines."""

# ruff: noqa: N802, N815 (names as Spark ML has them)

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from pyspark.ml import Estimator, Model
from pyspark.ml.evaluation import Evaluator
from pyspark.ml.param import Param, Params, TypeConverters
from pyspark.ml.util import (
    DefaultParamsReadable,
    DefaultParamsReader,
    DefaultParamsWritable,
    DefaultParamsWriter,
    MLReadable,
    MLReader,
    MLWritable,
    MLWriter,
)
from pyspark.sql import functions as F  # noqa: N812 (its usual name)

from ember.policy.errors import ManifestError, RowsError
from ember.policy.fingerprint import column
from ember.policy.fit import fit
from ember.policy.grow import grow_forest
from ember.policy.inputs import as_decimal, refuse_taken
from ember.policy.score import decide, score
from ember.policy.search import Rules
from ember.policy.trees import Forest, read_forest

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from pyspark.sql import DataFrame


def _param(name: str, doc: str, of: Callable[[Any], Any]) -> Param[Any]:
    return Param(Params._dummy(), name, doc, of)  # noqa: SLF001 (pyspark's own way)


def _asked(of: Params, *needed: Param[Any]) -> None:
    for param in needed:
        if not of.isDefined(param):
            message = f"param {param.name!r} is not set: it is the {param.doc}"
            raise RowsError(message)


class _Outputs(Params):
    """The columns that a model adds."""

    scoresCol = _param("scoresCol", "column of scores, one an arm", TypeConverters.toString)
    predictionCol = _param("predictionCol", "column of the chosen arm", TypeConverters.toString)
    backend = _param("backend", "how batches come to Python", TypeConverters.toString)

    def __init__(self) -> None:
        super().__init__()
        self._setDefault(scoresCol="scores", predictionCol="prediction", backend="arrow")


class _Experiment(Params):
    """The columns that say what a row got, and what it gave."""

    treatmentCol = _param("treatmentCol", "column of a row's arm", TypeConverters.toString)
    outcomeCol = _param("outcomeCol", "column of what is to be large", TypeConverters.toString)
    digits = _param("digits", "digits of outcomes after the point", TypeConverters.toInt)

    def __init__(self) -> None:
        super().__init__()
        self._setDefault(digits=2)


class PolicyEstimator(
    Estimator["PolicyModel"],
    _Outputs,
    _Experiment,
    DefaultParamsReadable["PolicyEstimator"],
    DefaultParamsWritable,
):
    """Fits a manifest and grows a forest over the features of a frame."""

    featuresCols = _param("featuresCols", "features, in their order", TypeConverters.toListString)
    control = _param("control", "arm that others are compared with", TypeConverters.toString)
    bins = _param("bins", "bins of a numeric feature, at most", TypeConverters.toInt)
    nTrees = _param("nTrees", "trees of the forest", TypeConverters.toInt)
    maxDepth = _param("maxDepth", "levels below a tree's root", TypeConverters.toInt)
    criterion = _param("criterion", "what a split is worth", TypeConverters.toString)
    minLeaf = _param("minLeaf", "rows of every arm in a leaf", TypeConverters.toInt)
    minUplift = _param("minUplift", "uplift that a split is to show", TypeConverters.toFloat)
    honest = _param("honest", "leaves from other rows than splits", TypeConverters.toBoolean)
    seed = _param("seed", "of what is drawn", TypeConverters.toInt)

    def __init__(self, **params: Any) -> None:
        super().__init__()
        self._setDefault(
            bins=32,
            nTrees=20,
            maxDepth=4,
            criterion="euclidean",
            minLeaf=100,
            minUplift=0.0,
            honest=True,
            seed=0,
        )
        self._set(**params)

    def setParams(self, **params: Any) -> PolicyEstimator:
        """Set params by their names."""
        return self._set(**params)

    def _fit(self, dataset: DataFrame) -> PolicyModel:
        get = self.getOrDefault
        _asked(self, self.featuresCols, self.treatmentCol, self.outcomeCol, self.control)
        manifest = fit(
            dataset,
            features=get(self.featuresCols),
            treatment=get(self.treatmentCol),
            outcome=get(self.outcomeCol),
            control=get(self.control),
            bins=get(self.bins),
            digits=get(self.digits),
        )
        forest = grow_forest(
            dataset,
            manifest,
            n_trees=get(self.nTrees),
            max_depth=get(self.maxDepth),
            rules=Rules(get(self.criterion), get(self.minLeaf), get(self.minUplift)),
            honest=get(self.honest),
            seed=get(self.seed),
        )
        model: PolicyModel = self._copyValues(PolicyModel(forest))
        return model


class PolicyModel(Model, _Outputs, MLReadable["PolicyModel"], MLWritable):
    """Adds the scores of a forest to rows, and the arm that is best for each."""

    def __init__(self, forest: Forest) -> None:
        super().__init__()
        self.forest = forest

    def _transform(self, dataset: DataFrame) -> DataFrame:
        for param in (self.scoresCol, self.predictionCol):
            refuse_taken(dataset, self.getOrDefault(param), param.name)
        scores = self.getOrDefault(self.scoresCol)
        scored = score(dataset, self.forest, out=scores, backend=self.getOrDefault(self.backend))
        out = self.getOrDefault(self.predictionCol)
        return decide(scored, self.forest.manifest, scores=scores, out=out)

    def write(self) -> MLWriter:
        """Return what saves it."""
        return _Writer(self)

    @classmethod
    def read(cls) -> MLReader[PolicyModel]:
        """Return what loads one."""
        return _Reader()


class _Writer(MLWriter):
    """Saves the forest's text beside the params."""

    def __init__(self, model: PolicyModel) -> None:
        super().__init__()
        self._model = model

    def saveImpl(self, path: str) -> None:
        DefaultParamsWriter.saveMetadata(
            self._model, path, self.sparkSession, {"forest": self._model.forest.text()}
        )


class _Reader(MLReader[PolicyModel]):
    def load(self, path: str) -> PolicyModel:
        """Read a model.

        :raises ManifestError: if its forest is none
        """
        metadata = DefaultParamsReader.loadMetadata(path, self.sparkSession)
        if not isinstance(metadata.get("forest"), str):
            raise ManifestError("forest", f"is not in what was saved at {path}")
        model = PolicyModel(read_forest(metadata["forest"]))
        model._resetUid(metadata["uid"])  # noqa: SLF001 (pyspark's own way)
        DefaultParamsReader.getAndSetParams(model, metadata)
        return model


class PolicyEvaluator(
    Evaluator, _Experiment, DefaultParamsReadable["PolicyEvaluator"], DefaultParamsWritable
):
    """The mean outcome if each row got its predicted arm, by inverse propensity; larger is better.

    The propensities are the arms' shares of the rows, as in a randomised experiment. Sums are of
    decimals, so that the value does not depend on the order of the rows. Rows that lack their arm,
    their predicted arm or their outcome are refused, and a predicted arm that no row got.
    """

    predictionCol = _param("predictionCol", "column of the chosen arm", TypeConverters.toString)

    def __init__(self, **params: Any) -> None:
        super().__init__()
        self._setDefault(predictionCol="prediction")
        self._set(**params)

    def _evaluate(self, dataset: DataFrame) -> float:
        _asked(self, self.treatmentCol, self.outcomeCol)
        gave = as_decimal(
            dataset, self.getOrDefault(self.outcomeCol), self.getOrDefault(self.digits)
        )
        got = column(self.getOrDefault(self.treatmentCol)).cast("string")
        chosen = column(self.getOrDefault(self.predictionCol)).cast("string")
        cells = (
            dataset.groupBy(got.alias("got"), chosen.alias("chosen"))
            .agg(F.count(F.lit(1)).alias("rows"), F.count(gave), F.sum(gave))
            .collect()
        )
        return _value([tuple(cell) for cell in cells])


def _value(cells: list[tuple[str | None, str | None, int, int, Decimal | None]]) -> float:
    """Add up what rows gave that got their predicted arm, each arm's by its share of the rows.

    :param cells: arm, predicted arm, rows, those that have an outcome, and the sum of it
    :raises RowsError: if they have no value
    """
    rows: dict[str, int] = {}
    for got, chosen, each, known, _ in cells:
        if got is None or chosen is None or known < each:
            lacking = (
                "an arm" if got is None else "a predicted arm" if chosen is None else "an outcome"
            )
            message = f"there are rows without {lacking}"
            raise RowsError(message)
        rows[got] = rows.get(got, 0) + each
    if not rows:
        message = "there are no rows"
        raise RowsError(message)
    for _, chosen, *_ in cells:
        if chosen not in rows:
            message = f"{chosen!r} is predicted, and no row got it: its value is not known"
            raise RowsError(message)
    same = ((got, gave) for got, chosen, _, _, gave in cells if got == chosen)
    return float(sum(Fraction(gave or 0) / rows[got or ""] for got, gave in same))
