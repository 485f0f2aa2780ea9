"""Columns as the toolkit's functions take them, by expressions of Spark's."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from pyspark.sql import functions as F  # noqa: N812 (its usual name)
from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    BooleanType,
    DateType,
    DoubleType,
    FloatType,
    StringType,
    TimestampNTZType,
    TimestampType,
)

from ember.policy.errors import RowsError
from ember.policy.fingerprint import TYPES, quoted, row_hash_sql, type_of, types_of
from ember.policy.manifest import Numeric

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import DataType

    from ember.policy.manifest import Feature, Manifest

#: Units fit a long: so many digits in all.
_DIGITS: Final = 18

#: Seed of the hashes that rows are drawn by.
_DRAWS: Final = "draws"

#: Seed of a second one: rows that share both are equal.
_ALIKE: Final = "alike"

#: Equal rows that are written out from one list.
_RUN: Final = 2**16

#: Types besides arrays of them by which equal rows are told apart.
_ORDERED: Final = (*TYPES, BinaryType, DateType, TimestampNTZType, TimestampType)

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


def counted_rows(
    df: DataFrame,
    manifest: Manifest,
    outcomes: str | None = None,
    *,
    drawn: bool,
    features: Sequence[Feature] | None = None,
) -> DataFrame:
    """Return rows as they are counted: arm, hash, units (for each arm if valued), and features.

    Features are two columns, a list of numbers and a list of texts: of thousands of columns the
    planning of a query would take longer than the query.

    :param drawn: some rows are left out, by their hashes: equal rows are told apart then
    :param features: those of the manifest that are counted, if not all
    :raises RowsError: if the rows have no such columns
    """
    types = types_of(df, manifest.columns)
    treatment, outcome = manifest.treatment.column, manifest.outcome
    units = [_in_units(_without_nan(outcome.column, types[outcome.column]), outcome.digits)]
    lists: dict[str, list[str]] = {"DOUBLE": [], "STRING": []}
    features = manifest.features if features is None else features
    for feature, each in zip(features, encoded_sql(df, features), strict=True):
        lists["DOUBLE" if isinstance(feature, Numeric) else "STRING"].append(each)
    written = [
        _text(treatment, types[treatment]),
        row_hash_sql(_DRAWS, types) if drawn else "0L",
        *(units if outcomes is None else _values(df, manifest, outcomes)),
        *(f"CAST(array({', '.join(each)}) AS ARRAY<{of}>)" for of, each in lists.items()),
    ]
    rows = df.selectExpr(*(f"{each} AS _{at}" for at, each in enumerate(written)))
    return _told_apart(rows, valued=outcomes is not None) if drawn else rows


def refuse_taken(df: DataFrame, name: str, option: str = "out") -> None:
    """Refuse the name of a new column that a column has, as Spark compares names.

    :raises RowsError: if there is one
    """
    cased = df.sparkSession.conf.get("spark.sql.caseSensitive") == "true"
    for each in df.columns:
        if each == name or (not cased and each.casefold() == name.casefold()):
            message = f"there is a column {each!r} already: name another by {option}, or drop it"
            raise RowsError(message)


def arm(df: DataFrame, manifest: Manifest) -> Column:
    """Return the arm that a row got, as text."""
    return as_text(df, manifest.treatment.column)


def drawn_by(df: DataFrame, manifest: Manifest) -> Column:
    """Return the hash that a row is drawn by: of what the manifest names, and its rank.

    Equal rows have ranks of their own, by the values of all other columns that have an order.
    Those that are equal there, too, are interchangeable: which has which rank does not show.
    """
    types = types_of(df, manifest.columns)
    drawn, alike = (row_hash_sql(seed, types) for seed in (_DRAWS, _ALIKE))
    times = Counter(map(str.casefold, df.columns))
    others = [
        quoted(each.name)
        for each in df.schema.fields
        if each.name not in types and times[each.name.casefold()] == 1 and _ordered(each.dataType)
    ]
    order = ", ".join(others or [drawn])
    rank = f"row_number() OVER (PARTITION BY {drawn}, {alike} ORDER BY {order})"
    return F.expr(f"xxhash64({drawn}, CAST({rank} AS BIGINT))")


def _told_apart(rows: DataFrame, *, valued: bool) -> DataFrame:
    """Hash with each counted row's hash its rank among those that equal it.

    Equal rows are counted, and written out again with their ranks: so no order of theirs is asked
    for, and what is sent is each row once. Ranks are written by runs, for lists are short.
    """
    names = rows.columns
    units = names[2:-2] if valued else []
    counted = rows.groupBy(*names).agg(F.count(F.lit(1)).alias("_rows"))
    runs = f"explode(sequence(1L, _rows, {_RUN}L)) AS _first"
    ranks = f"explode(sequence(_first, least(_first + {_RUN - 1}L, _rows))) AS _rank"
    each = counted.selectExpr("*", runs).selectExpr("*", ranks)
    hashed = f"xxhash64({', '.join(['_1', *units, '_rank'])}) AS _1"
    return each.selectExpr(*(hashed if name == "_1" else name for name in names))


def _ordered(of: DataType) -> bool:
    return _ordered(of.elementType) if isinstance(of, ArrayType) else isinstance(of, _ORDERED)


def as_number(df: DataFrame, name: str) -> Column:
    """Name a column of numbers: a double, or null if it is missing; of both zeros the one."""
    return F.expr(as_number_sql(name, type_of(df, name)))


def as_decimal(df: DataFrame, name: str, digits: int, *, fits: bool = True) -> Column:
    """Name a column of numbers, rounded to some digits: a decimal, or null if it is missing.

    :param fits: values that are too large are an error under Spark's ANSI mode, not missing
    """
    value = _without_nan(name, type_of(df, name))
    return F.expr(_rounded(value, digits, cast="CAST" if fits else "TRY_CAST"))


def as_number_sql(name: str, of: DataType) -> str:
    """Write the same in SQL."""
    return f"CAST({_without_nan(name, of)} AS DOUBLE) + 0.0D"


def as_text(df: DataFrame, name: str) -> Column:
    """Name a column as categorical features have it."""
    return F.expr(_text(name, type_of(df, name)))


def _number(name: str, of: DataType) -> str:
    """Leave a NaN, which all that encodes has for missing, and both zeros, which are in one bin.

    :raises RowsError: if the column is text, which Spark would make a number of, or nothing
    """
    if isinstance(of, StringType):
        message = f"column {name!r} is {of.simpleString()}, and numbers are wanted: cast it"
        raise RowsError(message)
    return quoted(name) if isinstance(of, DoubleType) else f"CAST({quoted(name)} AS DOUBLE)"


def _text(name: str, of: DataType) -> str:
    """Write what categories and arms are told apart by.

    :raises RowsError: if the column is of numbers, which have more than one text
    """
    if not isinstance(of, BooleanType | StringType):
        message = f"column {name!r} is {of.simpleString()}, and text is wanted: cast it to string"
        raise RowsError(message)
    return f"CAST({quoted(name)} AS STRING)" if isinstance(of, BooleanType) else quoted(name)


def _values(df: DataFrame, manifest: Manifest, name: str) -> list[str]:
    """Write the units that a column of arrays has for each arm."""
    found = [field.dataType for field in df.schema.fields if field.name == name]
    if len(found) != 1 or found[0].simpleString() != "array<double>":
        message = f"column {name!r} is no array<double> with a value for each arm"
        raise RowsError(message)
    each = [f"get({quoted(name)}, {at})" for at in range(len(manifest.treatment.arms))]
    digits = manifest.outcome.counted_digits(valued=True)
    return [_in_units(f"NULLIF({value}, {_NANS[DoubleType]})", digits) for value in each]


def _in_units(value: str, digits: int) -> str:
    """Write an outcome as a whole number of units, halves away from zero, or null."""
    return f"CAST({_rounded(value, digits)} * {10**digits} AS BIGINT)"


def _rounded(value: str, digits: int, cast: str = "CAST") -> str:
    return f"{cast}({value} AS DECIMAL({_DIGITS}, {digits}))"


def _without_nan(name: str, of: DataType) -> str:
    value = quoted(name)
    return f"NULLIF({value}, {_NANS[type(of)]})" if type(of) in _NANS else value
