"""Scores of a policy for each row of a frame, on whatever runs Python functions."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
from pyspark import cloudpickle
from pyspark.sql.functions import udf
from pyspark.sql.pandas.functions import arrow_udf, pandas_udf
from pyspark.sql.types import ArrayType, DoubleType

from ember.policy.codes import codes_of
from ember.policy.inputs import encoded
from ember.policy.manifest import Numeric
from ember.policy.rowwise import scores_of_row
from ember.policy.trees import scores_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import Column, DataFrame

    from ember.policy.trees import Forest

Backend = Literal["arrow", "pandas", "row"]

SCORES: Final = ArrayType(DoubleType(), containsNull=False)


def score(
    df: DataFrame, policy: Forest, *, out: str = "scores", backend: Backend = "arrow"
) -> DataFrame:
    """Add a column with a score for each arm, in the order of the manifest's arms.

    All other columns, of whatever types, stay as they are. Streams too.

    :param backend: how batches come to Python; the scores are the same bits on each
    :raises RowsError: if a column that the manifest names is not there
    """
    function = _BACKENDS[backend](policy)
    return df.withColumn(out, function(*encoded(df, policy.manifest.features)))


def _arrow(policy: Forest) -> Callable[..., Column]:
    trees, features = policy.flat(), policy.manifest.features

    def scores(*columns: pa.Array) -> pa.Array:
        found = scores_of(trees, codes_of(columns, features))
        ends = np.arange(len(found) + 1, dtype=np.int32) * found.shape[1]
        return pa.ListArray.from_arrays(pa.array(ends), pa.array(found.ravel()))

    make: Callable[..., Callable[..., Column]] = arrow_udf
    return make(scores, SCORES)


def _pandas(policy: Forest) -> Callable[..., Column]:
    trees, features = policy.flat(), policy.manifest.features

    def scores(*columns: pd.Series) -> pd.Series:
        arrays = [
            pa.array(column, pa.float64() if isinstance(each, Numeric) else pa.string())
            for column, each in zip(columns, features, strict=True)
        ]
        return pd.Series(list(scores_of(trees, codes_of(arrays, features))))

    make: Callable[..., Callable[..., Column]] = pandas_udf
    return make(scores, SCORES)


def _row(policy: Forest) -> Callable[..., Column]:
    trees, features = policy.trees, policy.manifest.features

    def scores(*values: float | str | None) -> list[float]:
        return scores_of_row(features, trees, values)

    return udf(scores, SCORES)


_BACKENDS: Final[dict[str, Callable[[Forest], Callable[..., Any]]]] = {
    "arrow": _arrow,
    "pandas": _pandas,
    "row": _row,
}


def _by_value() -> None:
    """Executors need not have this package: what they need of it travels with the function."""
    register: Callable[[Any], None] = cloudpickle.register_pickle_by_value
    register(sys.modules[__package__])


_by_value()
