"""Policies in Spark ML's pipelines: fitted, saved, loaded, searched and judged."""

import gc
import json

import pytest
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.feature import SQLTransformer
from pyspark.ml.tuning import CrossValidator, ParamGridBuilder
from pyspark.sql import functions as F  # noqa: N812 (its usual name)

from ember.policy import ManifestError, RowsError
from ember.policy.ml import PolicyEstimator, PolicyEvaluator, PolicyModel

GIVEN = {
    "featuresCols": ["recency", "history", "zip", "newbie"],
    "treatmentCol": "segment",
    "outcomeCol": "spend",
    "control": "none",
}
LIGHT = {"nTrees": 2, "maxDepth": 2, "minLeaf": 5}


@pytest.fixture(scope="module")
def model(customers):
    return PolicyEstimator(**GIVEN, **LIGHT).fit(customers)


def test_a_model_adds_scores_and_the_best_arm(customers, model):
    found = model.transform(customers)
    assert found.columns == [*customers.columns, "scores", "prediction"]
    arms = model.forest.manifest.treatment.arms
    rows = found.collect()
    assert all(row.prediction == arms[row.scores.index(max(row.scores))] for row in rows)
    assert len({row.prediction for row in rows}) > 1


def test_params_are_saved_and_loaded(tmp_path):
    path = str(tmp_path / "estimator")
    PolicyEstimator(**GIVEN, **LIGHT, seed=5).save(path)
    again = PolicyEstimator.load(path)
    assert {
        param.name: again.getOrDefault(param) for param in again.params if again.isSet(param)
    } == (GIVEN | LIGHT | {"seed": 5})


def test_a_pipeline_is_saved_and_loaded_with_its_model(tmp_path, customers):
    half = SQLTransformer(statement="SELECT *, recency % 12 AS month FROM __THIS__")
    given = GIVEN | {"featuresCols": ["month", "zip"]}
    fitted = Pipeline(stages=[half, PolicyEstimator(**given, **LIGHT)]).fit(customers)
    path = str(tmp_path / "pipeline")
    fitted.save(path)
    again = PipelineModel.load(path)
    assert again.stages[1].forest.text() == fitted.stages[1].forest.text()
    before, after = (
        each.transform(customers).select("month", "scores", "prediction").collect()
        for each in (fitted, again)
    )
    assert before == after


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Spark's own pool
def test_a_cross_validator_searches_params(customers):
    estimator = PolicyEstimator(**GIVEN, **LIGHT)
    grid = ParamGridBuilder().addGrid(estimator.maxDepth, [1, 2]).build()
    judge = PolicyEvaluator(treatmentCol="segment", outcomeCol="spend")
    search = CrossValidator(
        estimator=estimator, estimatorParamMaps=grid, evaluator=judge, numFolds=2, seed=1
    )
    found = search.fit(customers)
    assert isinstance(found.bestModel, PolicyModel)
    assert len(found.avgMetrics) == 2
    assert all(metric > 0 for metric in found.avgMetrics)
    gc.collect()


def test_the_value_of_one_arm_is_the_mean_of_its_rows(customers):
    judge = PolicyEvaluator(treatmentCol="segment", outcomeCol="spend")
    always = customers.withColumn("prediction", F.lit("mens"))
    rows = [row.spend for row in customers.where("segment = 'mens'").collect()]
    assert judge.evaluate(always) == pytest.approx(sum(rows) / len(rows), rel=1e-12)
    assert judge.evaluate(always) == judge.evaluate(always.repartition(7))
    assert judge.isLargerBetter()


@pytest.mark.parametrize("lacking", GIVEN)
def test_a_param_that_is_needed_is_asked_for_by_name(customers, lacking):
    given = {name: value for name, value in GIVEN.items() if name != lacking}
    with pytest.raises(RowsError, match=f"param '{lacking}' is not set"):
        PolicyEstimator(**given).fit(customers)


@pytest.mark.parametrize("lacking", ["treatmentCol", "outcomeCol"])
def test_a_param_that_a_judge_needs_is_asked_for_by_name(customers, lacking):
    given = {"treatmentCol": "segment", "outcomeCol": "spend"}
    judge = PolicyEvaluator(**{name: of for name, of in given.items() if name != lacking})
    with pytest.raises(RowsError, match=f"param '{lacking}' is not set"):
        judge.evaluate(customers.withColumn("prediction", F.lit("mens")))


def test_a_model_that_was_tampered_with_is_refused(tmp_path, model):
    path = tmp_path / "model"
    model.save(str(path))
    (file,) = (path / "metadata").glob("part-*")
    document = json.loads(file.read_text())
    del document["forest"]
    file.write_text(json.dumps(document))
    (path / "metadata" / f".{file.name}.crc").unlink()
    with pytest.raises(ManifestError, match="forest: is not in what was saved"):
        PolicyModel.load(str(path))


def test_rows_without_an_arm_have_no_value(customers):
    judge = PolicyEvaluator(treatmentCol="segment", outcomeCol="spend")
    rows = customers.withColumn("prediction", F.lit("mens"))
    with pytest.raises(RowsError, match="there are no rows"):
        judge.evaluate(rows.where("false"))
    with pytest.raises(RowsError, match="rows without an arm"):
        judge.evaluate(rows.replace("mens", None, "segment"))


@pytest.mark.parametrize("nothing", [None, float("nan")])
def test_rows_without_an_outcome_have_no_value(customers, nothing):
    judge = PolicyEvaluator(treatmentCol="segment", outcomeCol="spend")
    spend = F.when(F.col("recency") % 5 > 0, F.col("spend")).otherwise(F.lit(nothing))
    rows = customers.withColumn("prediction", F.lit("mens")).withColumn("spend", spend)
    with pytest.raises(RowsError, match="rows without an outcome"):
        judge.evaluate(rows)


def test_a_prediction_that_no_row_got_has_no_value(customers):
    judge = PolicyEvaluator(treatmentCol="segment", outcomeCol="spend")
    for arm, words in (("Mens", "'Mens' is predicted, and no row got it"), (None, "predicted arm")):
        some = F.when(F.col("recency") % 5 > 0, F.col("segment")).otherwise(F.lit(arm))
        with pytest.raises(RowsError, match=words):
            judge.evaluate(customers.withColumn("prediction", some))
