"""Rows as codes: what boundaries and vocabularies make of each value.

A numeric feature of n boundaries has the codes 0 to n and, for what is missing, n + 1; a
categorical one of n categories has 0 to n - 1 and n. Trees and statistics know codes only, so that
whatever they compare is a whole number, and equal on every backend.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ember.policy.errors import RowsError
from ember.policy.manifest import Numeric

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ember.policy.manifest import Categorical, Feature


def width(feature: Feature) -> int:
    """Return how many codes a feature has, that of missing values among them."""
    if isinstance(feature, Numeric):
        return len(feature.boundaries) + 2
    return len(feature.categories) + 1


def codes_of(columns: Sequence[pa.Array], features: Sequence[Feature]) -> NDArray[np.int16]:
    """Encode a batch: shape (features, rows).

    :param columns: one for each feature: doubles, where it is numeric, and else text
    :raises RowsError: for a value whose rule in the manifest is ``error``
    """
    rows = len(columns[0]) if columns else 0
    found = np.empty((len(features), rows), np.int16)
    for at, (column, feature) in enumerate(zip(columns, features, strict=True)):
        if isinstance(feature, Numeric):
            found[at] = _numeric(column, feature)
        else:
            found[at] = _categorical(column, feature)
    return found


def _numeric(column: pa.Array, feature: Numeric) -> NDArray[np.int16]:
    values = column.to_numpy(zero_copy_only=False).astype(np.float64, copy=False)
    codes: NDArray[np.int16] = np.searchsorted(feature.boundaries, values).astype(np.int16)
    missing = np.isnan(values)
    if missing.any():
        if feature.missing == "error":
            _refuse(feature, "is missing", missing)
        codes[missing] = len(feature.boundaries) + 1
    return codes


def _categorical(column: pa.Array, feature: Categorical) -> NDArray[np.int16]:
    known = pa.array(feature.categories, column.type)
    places = pc.index_in(column, value_set=known).fill_null(-1).to_numpy(zero_copy_only=False)
    nowhere = places < 0
    if nowhere.any():
        missing = column.is_null().to_numpy(zero_copy_only=False)
        if feature.missing == "error" and missing.any():
            _refuse(feature, "is missing", missing)
        unseen = nowhere & ~missing
        if feature.unseen == "error" and unseen.any():
            value = column[int(unseen.argmax())].as_py()
            _refuse(feature, f"{value!r} is not in the vocabulary", unseen)
    return np.where(nowhere, len(feature.categories), places).astype(np.int16)


def _refuse(feature: Feature, words: str, where: NDArray[np.bool_]) -> NoReturn:
    message = f"feature {feature.name!r}: {words}, in {int(where.sum()):,} rows of a batch"
    raise RowsError(message)
