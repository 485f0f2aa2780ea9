"""Scores of a policy for each row of a frame, on whatever runs Python functions."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
from pyspark import cloudpickle
from pyspark.sql import functions as F  # noqa: N812 (its usual name)
from pyspark.sql.functions import udf
from pyspark.sql.pandas.functions import arrow_udf, pandas_udf
from pyspark.sql.types import ArrayType, DoubleType, StructField, StructType

from ember.policy.choose import choose
from ember.policy.errors import DriftError, RowsError
from ember.policy.fingerprint import column
from ember.policy.inputs import encoded, refuse_taken
from ember.policy.kernel import shipped
from ember.policy.lock import changes_without_rows, verify
from ember.policy.manifest import Numeric
from ember.policy.rowwise import scores_of_row
from ember.policy.trees import Forest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pyspark.sql import Column, DataFrame

    from ember.policy.lock import Lock
    from ember.policy.manifest import Manifest
    from ember.policy.models import Policy

Backend = Literal["auto", "arrow", "pandas", "row", "map_arrow", "map_pandas"]

#: No score is null, but a type that forbids nulls has no native way from Arrow to rows.
SCORES: Final = ArrayType(DoubleType())

_log: Final = logging.getLogger(__name__)


def score(
    df: DataFrame,
    policy: Policy,
    *,
    out: str = "scores",
    backend: Backend = "auto",
    locked: Lock | None = None,
) -> DataFrame:
    """Add a column with a score for each arm, in the order of the manifest's arms.

    All other columns, of whatever types, stay as they are. Only ``map_pandas`` makes pandas' of
    them, where whole numbers beside a null are doubles, a NaN is a null, and a timestamp of another
    age is an error. Streams too.

    :param backend: how batches come to Python; the scores are the same bits on each. ``auto``
        measures: see :func:`choose`. ``row`` is for forests, one row at a time; the two maps, which
        are there to be compared with, carry all columns through Python.
    :param locked: what rows, manifest and libraries must be; of a stream all but its rows are
        looked at
    :raises RowsError: if a column that the manifest names is not there, or ``out`` is
    :raises DriftError: if something changed since the lock
    """
    refuse_taken(df, out)
    if locked is not None:
        _unchanged(df, policy.manifest, locked)
    if backend == "auto":
        choice = choose(df, policy)
        _log.info("backend %s: %s", choice.backend, choice.reason)
        backend = choice.backend
    if backend in _MAPS:
        return _MAPS[backend](df, policy, out)
    if backend not in _COLUMNS:
        message = f"backend {backend!r} is none of auto, {', '.join([*_COLUMNS, *_MAPS])}"
        raise RowsError(message)
    function = _COLUMNS[backend](policy, shipped(df))
    return df.withColumn(out, function(*encoded(df, policy.manifest.features)))


def decide(
    scored: DataFrame, manifest: Manifest, *, scores: str = "scores", out: str = "arm"
) -> DataFrame:
    """Add the arm of the highest score; of equal ones, the first of the manifest.

    :raises RowsError: if there is a column ``out``
    """
    refuse_taken(scored, out)
    arms = F.array(*map(F.lit, manifest.treatment.arms))
    best = F.array_position(column(scores), F.array_max(column(scores)))
    return scored.withColumn(out, F.element_at(arms, best.cast("int")))


def _unchanged(df: DataFrame, manifest: Manifest, locked: Lock) -> None:
    if not df.isStreaming:
        verify(df, locked, manifest)
    elif changes := changes_without_rows(locked, df, manifest):
        raise DriftError(changes)


def _arrow(policy: Policy, library: str | None) -> Callable[..., Column]:
    scorer = policy.scorer(library)

    def scores(*columns: pa.Array) -> pa.Array:
        return _lists(scorer(columns))

    make: Callable[..., Callable[..., Column]] = arrow_udf
    return make(scores, SCORES)


def _pandas(policy: Policy, library: str | None) -> Callable[..., Column]:
    scorer, numeric = policy.scorer(library), _numeric(policy)

    def scores(*columns: pd.Series) -> pd.Series:
        return pd.Series(list(scorer(_arrays(columns, numeric))))

    make: Callable[..., Callable[..., Column]] = pandas_udf
    return make(scores, SCORES)


def _row(policy: Policy, library: str | None) -> Callable[..., Column]:  # noqa: ARG001 (plain Python)
    if not isinstance(policy, Forest):
        message = "the backend 'row' is for forests"
        raise RowsError(message)
    trees, features = policy.trees, policy.manifest.features

    def scores(*values: float | str | None) -> list[float]:
        return scores_of_row(features, trees, values)

    return udf(scores, SCORES)


def _map_arrow(df: DataFrame, policy: Policy, out: str) -> DataFrame:
    scorer, given = policy.scorer(shipped(df)), len(df.columns)

    def scored(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            columns = batch.columns
            lists = _lists(scorer(columns[given:]))
            names = [*batch.schema.names[:given], out]
            yield pa.RecordBatch.from_arrays([*columns[:given], lists], names)

    return _with_encoded(df, policy).mapInArrow(scored, _schema(df, out))


def _map_pandas(df: DataFrame, policy: Policy, out: str) -> DataFrame:
    scorer, given, numeric = policy.scorer(shipped(df)), len(df.columns), _numeric(policy)

    def scored(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for frame in frames:
            columns = [frame.iloc[:, at] for at in range(given, frame.shape[1])]
            kept = frame.iloc[:, :given].copy()
            kept[out] = pd.Series(list(scorer(_arrays(columns, numeric))), index=kept.index)
            yield kept

    return _with_encoded(df, policy).mapInPandas(scored, _schema(df, out))


def _with_encoded(df: DataFrame, policy: Policy) -> DataFrame:
    columns = encoded(df, policy.manifest.features)
    named = (each.alias(f"_ember_{at}") for at, each in enumerate(columns))
    return df.select("*", *named)


def _schema(df: DataFrame, out: str) -> StructType:
    return StructType([*df.schema.fields, StructField(out, SCORES)])


def _numeric(policy: Policy) -> list[bool]:
    return [isinstance(each, Numeric) for each in policy.manifest.features]


def _arrays(columns: Sequence[pd.Series], numeric: Sequence[bool]) -> list[pa.Array]:
    """Make Arrow's of pandas' columns; a NaN is what pandas has for a missing double."""
    return [
        pa.array(column, pa.float64() if number else pa.string(), from_pandas=True)
        for column, number in zip(columns, numeric, strict=True)
    ]


def _lists(found: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> pa.Array:
    ends = np.arange(len(found) + 1, dtype=np.int32) * found.shape[1]
    return pa.ListArray.from_arrays(pa.array(ends), pa.array(found.ravel()))


_COLUMNS: Final[dict[str, Callable[[Policy, str | None], Callable[..., Any]]]] = {
    "arrow": _arrow,
    "pandas": _pandas,
    "row": _row,
}
_MAPS: Final[dict[str, Callable[[DataFrame, Policy, str], DataFrame]]] = {
    "map_arrow": _map_arrow,
    "map_pandas": _map_pandas,
}


def _by_value() -> None:
    """Executors need not have this package: what they need of it travels with the function."""
    register: Callable[[Any], None] = cloudpickle.register_pickle_by_value
    register(sys.modules[__package__])


_by_value()
