"""Columns as the toolkit's functions take them, by expressions of Spark's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyspark.sql import functions as F  # noqa: N812 (its usual name)
from pyspark.sql.types import BooleanType, DoubleType, FloatType

from ember.policy.errors import RowsError
from ember.policy.fingerprint import column, quoted, row_hash, type_of, types_of
from ember.policy.manifest import Numeric

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import DataType

    from ember.policy.manifest import Feature, Manifest

#: Units fit a long: so many digits in all.
_DIGITS: Final = 18

_NANS: Final[dict[type[DataType], str]] = {DoubleType: "DOUBLE('NaN')", FloatType: "FLOAT('NaN')"}


def encoded(df: DataFrame, features: Sequence[Feature]) -> list[Column]:
    """Return the features as they are encoded: doubles, null or NaN where missing, and text."""
    return [F.expr(each) for each in encoded_sql(df, features)]


def encoded_sql(df: DataFrame, features: Sequence[Feature]) -> list[str]:
    """Write the same in SQL: of thousands of features each call of the JVM would show."""
    types = types_of(df, [each.name for each in features])
    return [
        _number(name, of) if isinstance(each, Numeric) else _text(name, of)
        for each, (name, of) in zip(features, types.items(), strict=True)
    ]


def arm(df: DataFrame, manifest: Manifest) -> Column:
    """Return the arm that a row got, as text."""
    return as_text(df, manifest.treatment.column)


def units(df: DataFrame, manifest: Manifest) -> Column:
    """Return the outcome as a whole number of units, halves away from zero, or null."""
    name, digits = manifest.outcome.column, manifest.outcome.digits
    return _in_units(F.expr(_without_nan(name, type_of(df, name))), digits)


def values(df: DataFrame, manifest: Manifest, name: str) -> list[Column]:
    """Return the units that a column of arrays has for each arm.

    :raises RowsError: if there is no such column
    """
    found = [field.dataType for field in df.schema.fields if field.name == name]
    if len(found) != 1 or found[0].simpleString() != "array<double>":
        message = f"column {name!r} is no array<double> with a value for each arm"
        raise RowsError(message)
    each = [F.get(column(name), F.lit(at)) for at in range(len(manifest.treatment.arms))]
    return [_in_units(F.when(~F.isnan(value), value), manifest.outcome.digits) for value in each]


def drawn_by(df: DataFrame, manifest: Manifest) -> Column:
    """Return the hash that rows are drawn by: of all the values that the manifest names."""
    return row_hash("draws", types_of(df, manifest.columns))


def as_number(df: DataFrame, name: str) -> Column:
    """Name a column of numbers: a double, or null if it is missing; of both zeros the one."""
    return F.expr(f"CAST({_without_nan(name, type_of(df, name))} AS DOUBLE) + 0.0D")


def as_text(df: DataFrame, name: str) -> Column:
    """Name a column as categorical features have it."""
    return F.expr(_text(name, type_of(df, name)))


def _number(name: str, of: DataType) -> str:
    """Leave a NaN, which all that encodes has for missing, and both zeros, which are in one bin."""
    return quoted(name) if isinstance(of, DoubleType) else f"CAST({quoted(name)} AS DOUBLE)"


def _text(name: str, of: DataType) -> str:
    return f"CAST({quoted(name)} AS STRING)" if isinstance(of, BooleanType) else quoted(name)


def _in_units(value: Column, digits: int) -> Column:
    return (value.cast(f"decimal({_DIGITS}, {digits})") * F.lit(10**digits)).cast("bigint")


def _without_nan(name: str, of: DataType) -> str:
    value = quoted(name)
    return f"NULLIF({value}, {_NANS[type(of)]})" if type(of) in _NANS else value
