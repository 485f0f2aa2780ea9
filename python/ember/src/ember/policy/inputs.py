"""Columns as the toolkit's functions take them, by expressions of Spark's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F  # noqa: N812 (its usual name)
from pyspark.sql.types import BooleanType, DoubleType, FloatType

from ember.policy.fingerprint import column, type_of
from ember.policy.manifest import Numeric

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import Column, DataFrame

    from ember.policy.manifest import Feature, Manifest

#: Units fit a long: so many digits in all.
_DIGITS = 18


def encoded(df: DataFrame, features: Sequence[Feature]) -> list[Column]:
    """Return the features as they are encoded: doubles, null where they are missing, and text."""
    return [
        as_number(df, each.name) if isinstance(each, Numeric) else as_text(df, each.name)
        for each in features
    ]


def arm(df: DataFrame, manifest: Manifest) -> Column:
    """Return the arm that a row got, as text."""
    return as_text(df, manifest.treatment.column)


def units(df: DataFrame, manifest: Manifest) -> Column:
    """Return the outcome as a whole number of units, halves away from zero, or null."""
    name, digits = manifest.outcome.column, manifest.outcome.digits
    value = _without_nan(df, name).cast(f"decimal({_DIGITS}, {digits})")
    return (value * F.lit(10**digits)).cast("bigint")


def as_number(df: DataFrame, name: str) -> Column:
    """Name a column as numeric features have it: a double, or null if it is missing."""
    return _without_nan(df, name).cast("double") + F.lit(0.0)


def as_text(df: DataFrame, name: str) -> Column:
    """Name a column as categorical features have it."""
    boolean = isinstance(type_of(df, name), BooleanType)
    return column(name).cast("string") if boolean else column(name)


def _without_nan(df: DataFrame, name: str) -> Column:
    value = column(name)
    if isinstance(type_of(df, name), FloatType | DoubleType):
        return F.when(~F.isnan(value), value)
    return value
