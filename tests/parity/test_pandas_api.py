"""The pandas API on Spark, and models in batches: functions that Spark's own libraries wrap."""

import numpy as np
import pyspark.pandas as ps
import pytest
from parity.case import Case
from pyspark.ml.functions import predict_batch_udf
from pyspark.sql import functions as F
from pyspark.sql.types import DoubleType

EVAL, GROUPS, MAP = "ArrowEvalPython", "FlatMapGroupsInPandas", "MapInPandas"


def customers(spark):
    """Numbers with and without nulls, text, times and a key of seven values."""
    columns = (
        "id",
        "id % 7 AS k",
        "if(id % 5 = 0, null, id * 0.25D) AS w",
        "concat('Name ', id % 11) AS s",
        "timestamp_seconds(id * 86413) AS t",
    )
    return spark.range(0, 120, 1, 3).selectExpr(*columns).pandas_api(index_col="id")


def case(name, ask, node=EVAL, **more):
    """``ask`` of the frame, as rows of Spark's."""

    def build(spark):
        asked = ask(customers(spark))
        frame = asked.to_frame("answer") if isinstance(asked, ps.Series) else asked
        return frame.to_spark()

    return Case(name, build, frozenset({node}), **more)


def refuses(value):
    """Raise for one value of all."""
    if value == 3:
        raise ValueError("three is refused")
    return value


def spread(group):
    """A row for each of a group's, with what the group tells of it."""
    return group.assign(w=group.w - group.w.mean(), rows=len(group))


def above_three(part):
    """The rows of a batch whose key is a large one."""
    return part[part.k > 3]


def above_least(part):
    """What each value of a group is above the least."""
    return part - part.min()


def hinted(value) -> np.int32:
    """Say what it returns, so that nothing is run to find out."""
    return value + 1


CASES = (
    case("series_apply", lambda f: f.k.apply(lambda value: value * 2)),
    case("series_apply_hinted", lambda f: f.k.apply(hinted)),
    case("series_map", lambda f: f.w.map(lambda value: value + 1)),
    case("series_apply_raises", lambda f: f.k.apply(refuses), fails=True),
    case("text", lambda f: f.s.str.upper().str.split(" ").str.get(1)),
    case("text_to_lists", lambda f: f.s.str.findall("[0-9]")),
    case("times", lambda f: f.t.dt.strftime("%Y-%m-%d %H")),
    case("ufunc_of_one", lambda f: np.spacing(f.w)),
    case("ufunc_of_two", lambda f: np.logaddexp(f.w, f.k)),
    case("frame_transform", lambda f: f[["k", "w"]].transform(lambda column: column + 1)),
    case("frame_apply_rows", lambda f: f[["k", "w"]].apply(lambda row: row.sum(), axis=1), MAP),
    case("apply_batch", lambda f: f[["k"]].pandas_on_spark.apply_batch(above_three), MAP),
    case("transform_batch", lambda f: f.pandas_on_spark.transform_batch(lambda p: p.w + p.k)),
    case("evaluated", lambda f: f.eval("k + w"), MAP),
    case("group_apply", lambda f: f.groupby("k").apply(spread), GROUPS),
    case("group_apply_series", lambda f: f.groupby("k").w.apply(lambda p: p * 2), GROUPS),
    case("group_transform", lambda f: f.groupby("k").w.transform(above_least), GROUPS),
    case("group_filter", lambda f: f.groupby("k").filter(lambda p: p.w.sum() > 200), GROUPS),
)


@pytest.fixture(autouse=True)
def all_in_spark():
    """Small frames too, which the API would hand to pandas in the driver."""
    with ps.option_context("compute.shortcut_limit", 0):
        yield


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_pandas_api(parity_legs, case):
    parity_legs.check(case)


def of_columns():
    """Load a model of two inputs."""
    return lambda a, b: a - b


def of_tensors():
    """Load a model of tensors, one for each row."""
    return lambda inputs: inputs.sum(axis=1)


@pytest.mark.parametrize("model", [of_columns, of_tensors])
def test_a_model_in_batches(parity_legs, model):
    def build(spark):
        shapes = [[2]] if model is of_tensors else None
        predict = predict_batch_udf(
            model, return_type=DoubleType(), batch_size=7, input_tensor_shapes=shapes
        )
        frame = spark.range(0, 100, 1, 3).selectExpr("id", "id * 1.0D a", "id * 0.5D b")
        values = [F.array("a", "b")] if model is of_tensors else ["a", "b"]
        return frame.select("id", predict(*values))

    parity_legs.check(Case(f"model_{model.__name__}", build, frozenset({EVAL})))
