"""Rows as numbers that neither their order nor their partitions change.

Each row, and each value of each column, becomes 64 bits (xxHash64 of it and of whether it is null);
the fingerprint is the sum of them over all rows, modulo 2**64. Sums are of whole numbers, so no
order of adding shows; two hashes with other seeds make the rows' own 128 bits. It finds mistakes.
It does not withstand somebody who looks for rows of the same sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pyspark.sql import functions as F  # noqa: N812 (its usual name)
from pyspark.sql.types import (
    BooleanType,
    DecimalType,
    DoubleType,
    FloatType,
    IntegralType,
    StringType,
)

from ember.policy.errors import RowsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import DataType

TYPES: Final = (BooleanType, DecimalType, DoubleType, FloatType, IntegralType, StringType)

#: First bit and width of the parts that are summed: sums of them fit a long for 2**41 rows.
_PARTS: Final = ((0, 22), (22, 22), (44, 20))
_SEEDS: Final = ("ember", "rows")


@dataclass(frozen=True)
class ColumnFingerprint:
    """The type of a column, as Spark writes it, and its values in 16 hexadecimal digits."""

    type: str
    values: str


@dataclass(frozen=True)
class Fingerprint:
    """Number of rows, all rows in 32 hexadecimal digits, and each column by itself."""

    rows: int
    whole: str
    columns: dict[str, ColumnFingerprint]


def fingerprint(df: DataFrame, columns: Sequence[str]) -> Fingerprint:
    """Compute the fingerprint of some columns in one pass over the rows.

    The order of ``columns`` counts, that of the columns of ``df`` does not.

    :param columns: of numbers, text and booleans
    :raises RowsError: if one is absent, there more than once, or of another type
    """
    types = {name: type_of(df, name) for name in columns}
    values = [_canonical(name, of) for name, of in types.items()]
    rows = [F.xxhash64(F.lit(seed), *_with_nulls(values)) for seed in _SEEDS]
    hashes = [*rows, *(F.xxhash64(*_with_nulls([value])) for value in values)]
    sums = [F.sum(part) for each in hashes for part in _parts(each)]
    found = df.agg(F.count(F.lit(1)), *sums).collect()[0]
    first, second, *each = _whole([part or 0 for part in found[1:]])
    return Fingerprint(
        rows=found[0],
        whole=first + second,
        columns={
            name: ColumnFingerprint(of.simpleString(), sum_)
            for (name, of), sum_ in zip(types.items(), each, strict=True)
        },
    )


def type_of(df: DataFrame, name: str) -> DataType:
    """Return the type of a column that is there once.

    :raises RowsError: if it is not, or is of a type that no feature, arm or outcome has
    """
    found = [field for field in df.schema.fields if field.name == name]
    if len(found) != 1:
        words = "is absent" if not found else f"is there {len(found)} times"
        message = f"column {name!r} {words}; the columns are {', '.join(df.columns)}"
        raise RowsError(message)
    of = found[0].dataType
    if not isinstance(of, TYPES):
        message = f"column {name!r} is {of.simpleString()}, and neither number, text nor boolean"
        raise RowsError(message)
    return of


def column(name: str) -> Column:
    """Name a column as it is written, dots and all."""
    return F.col("`" + name.replace("`", "``") + "`")


def _canonical(name: str, of: DataType) -> Column:
    """Make one NaN of all, and one zero of both."""
    value = column(name)
    if isinstance(of, FloatType | DoubleType):
        nan = F.lit(float("nan")).cast(of)
        return F.when(F.isnan(value), nan).otherwise(value + F.lit(0.0).cast(of))
    return value


def _with_nulls(values: list[Column]) -> list[Column]:
    """Say of each whether it is null: the hash passes over nulls."""
    return [part for value in values for part in (F.isnull(value), value)]


def _parts(hashed: Column) -> list[Column]:
    return [
        F.shiftrightunsigned(hashed, first).bitwiseAND(F.lit((1 << width) - 1))
        for first, width in _PARTS
    ]


def _whole(sums: list[int]) -> list[str]:
    starts = [first for first, _ in _PARTS]
    return [
        f"{sum(part << at for part, at in zip(sums[i : i + 3], starts, strict=True)) % 2**64:016x}"
        for i in range(0, len(sums), len(_PARTS))
    ]
