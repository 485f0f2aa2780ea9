"""Frames of pandas and arrays as policies take them, without Spark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from ember.policy.errors import RowsError
from ember.policy.manifest import Numeric

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ember.policy.manifest import Feature
    from ember.policy.models import Policy


def framed(rows: Any) -> pd.DataFrame:
    """Return rows as a frame with names: those of pandas, or ``x0`` and so on.

    :raises RowsError: if they are no table, have no rows, or a name twice
    """
    frame = rows if isinstance(rows, pd.DataFrame) else _of_array(rows)
    names = [*map(str, frame.columns)]
    if twice := {name for name in names if names.count(name) > 1}:
        message = f"column {min(twice)!r} is there {names.count(min(twice))} times"
        raise RowsError(message)
    if frame.empty:
        message = f"there are {len(frame)} rows of {len(names)} features"
        raise RowsError(message)
    return frame.set_axis(names, axis=1)


def scores_of_frame(frame: pd.DataFrame, policy: Policy) -> NDArray[np.float64]:
    """Return a score for each row and arm, the same bits as in Spark.

    :raises RowsError: if a feature is absent, or its values are not of its kind
    """
    return policy.scorer(None)([_column(frame, each) for each in policy.manifest.features])


def chosen(scores: NDArray[np.float64], arms: Sequence[str]) -> NDArray[np.object_]:
    """Return the arm of the highest score, of equal ones the first."""
    found: NDArray[np.object_] = np.array(arms, object)[scores.argmax(axis=1)]
    return found


def _of_array(rows: Any) -> pd.DataFrame:
    values = np.asarray(rows)
    if values.ndim != 2:
        message = f"rows have {values.ndim} dimensions, and not 2"
        raise RowsError(message)
    return pd.DataFrame(values, columns=[f"x{at}" for at in range(values.shape[1])])


def _column(frame: pd.DataFrame, feature: Feature) -> pa.Array:
    if feature.name not in frame.columns:
        message = f"feature {feature.name!r} is absent; there are {', '.join(frame.columns)}"
        raise RowsError(message)
    wanted = pa.float64() if isinstance(feature, Numeric) else pa.string()
    try:
        found = pa.array(frame[feature.name], from_pandas=True)
        if pa.types.is_dictionary(found.type):
            found = found.cast(found.type.value_type)
        if _is_text(found.type) is isinstance(feature, Numeric):
            message = f"feature {feature.name!r} is to be of {wanted}, and is of {found.type}"
            raise RowsError(message)
        found = found.cast(wanted, safe=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
        message = f"feature {feature.name!r} is to be of {wanted}: {error}"
        raise RowsError(message) from error
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def _is_text(of: pa.DataType) -> bool | None:
    """Tell whether values are text; None of booleans and nulls, which may be text or numbers."""
    if pa.types.is_boolean(of) or pa.types.is_null(of):
        return None
    return bool(pa.types.is_string(of) or pa.types.is_large_string(of) or str(of) == "string_view")
