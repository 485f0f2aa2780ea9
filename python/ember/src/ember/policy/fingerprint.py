"""Rows as numbers that neither their order nor their partitions change.

Each row, and each value of each column, becomes 64 bits (xxHash64 of it and of whether it is null);
the fingerprint is the sum of them over all rows, modulo 2**64. Sums are of whole numbers, so no
order of adding shows; two hashes with other seeds make the rows' own 128 bits. It finds mistakes.
It does not withstand somebody who looks for rows of the same sum.
"""

from __future__ import annotations

from collections import Counter
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

    def __add__(self, other: Fingerprint) -> Fingerprint:
        """Return the fingerprint of both frames' rows together.

        :raises RowsError: if they are not of the same columns
        """
        kinds = [{name: each.type for name, each in of.columns.items()} for of in (self, other)]
        if kinds[0] != kinds[1]:
            message = f"fingerprints of {kinds[0]} and of {kinds[1]} have no sum"
            raise RowsError(message)
        return Fingerprint(
            self.rows + other.rows,
            _added(self.whole[:16], other.whole[:16]) + _added(self.whole[16:], other.whole[16:]),
            {
                name: ColumnFingerprint(each.type, _added(each.values, other.columns[name].values))
                for name, each in self.columns.items()
            },
        )


def fingerprint(df: DataFrame, columns: Sequence[str]) -> Fingerprint:
    """Compute the fingerprint of some columns in one pass over the rows.

    The order of ``columns`` counts, that of the columns of ``df`` does not.

    :param columns: of numbers, text and booleans
    :raises RowsError: if one is absent, there more than once, or of another type
    """
    types = types_of(df, columns)
    values = [_canonical(name, of) for name, of in types.items()]
    rows = [row_hash_sql(seed, types) for seed in _SEEDS]
    hashes = [*rows, *(f"xxhash64({_with_null(value)})" for value in values)]
    hashed = df.selectExpr(*(f"{each} AS _{at}" for at, each in enumerate(hashes)))
    sums = [f"sum({part})" for at in range(len(hashes)) for part in _parts(f"_{at}")]
    found = hashed.selectExpr("count(1)", *sums).collect()[0]
    first, second, *each = _whole([part or 0 for part in found[1:]])
    return Fingerprint(
        rows=found[0],
        whole=first + second,
        columns={
            name: ColumnFingerprint(of.simpleString(), sum_)
            for (name, of), sum_ in zip(types.items(), each, strict=True)
        },
    )


def row_hash(seed: str, types: dict[str, DataType]) -> Column:
    """Hash the values of some columns together."""
    return F.expr(row_hash_sql(seed, types))


def row_hash_sql(seed: str, types: dict[str, DataType]) -> str:
    """Write the same in SQL: of thousands of columns each call of the JVM would show."""
    values = [_canonical(name, of) for name, of in types.items()]
    return f"xxhash64('{seed}', {', '.join(map(_with_null, values))})"


def type_of(df: DataFrame, name: str) -> DataType:
    """Return the type of a column that is there once.

    :raises RowsError: if it is not, or is of a type that no feature, arm or outcome has
    """
    return types_of(df, [name])[name]


def types_of(df: DataFrame, names: Sequence[str]) -> dict[str, DataType]:
    """Return the types of columns that are each there once.

    :raises RowsError: see :func:`type_of`
    """
    times = Counter(df.columns)
    types = {field.name: field.dataType for field in df.schema.fields}
    for name in names:
        if times[name] != 1:
            words = "is absent" if not times[name] else f"is there {times[name]} times"
            message = f"column {name!r} {words}; the columns are {', '.join(df.columns)}"
            raise RowsError(message)
        of = types[name]
        if not isinstance(of, TYPES):
            message = (
                f"column {name!r} is {of.simpleString()}, and neither number, text nor boolean"
            )
            raise RowsError(message)
        if isinstance(of, StringType) and not of.isUTF8BinaryCollation():
            words = "whose equal values may differ: cast it to string"
            message = f"column {name!r} is {of.simpleString()}, {words}"
            raise RowsError(message)
    return {name: types[name] for name in names}


def column(name: str) -> Column:
    """Name a column as it is written, dots and all."""
    return F.col(quoted(name))


def quoted(name: str) -> str:
    """Write a name as SQL has it."""
    return "`" + name.replace("`", "``") + "`"


def _canonical(name: str, of: DataType) -> str:
    """Make one NaN of all, and one zero of both."""
    value = quoted(name)
    if isinstance(of, FloatType | DoubleType):
        type_ = of.simpleString()
        nan, zero = f"CAST('NaN' AS {type_})", f"CAST(0 AS {type_})"
        return f"CASE WHEN isnan({value}) THEN {nan} ELSE {value} + {zero} END"
    return value


def _with_null(value: str) -> str:
    """Say of a value whether it is null, too: the hash passes over nulls."""
    return f"isnull({value}), {value}"


def _parts(hashed: str) -> list[str]:
    return [
        f"shiftrightunsigned({hashed}, {first}) & {(1 << width) - 1}L" for first, width in _PARTS
    ]


def _added(one: str, other: str) -> str:
    return f"{(int(one, 16) + int(other, 16)) % 2**64:016x}"


def _whole(sums: list[int]) -> list[str]:
    starts = [first for first, _ in _PARTS]
    return [
        f"{sum(part << at for part, at in zip(sums[i : i + 3], starts, strict=True)) % 2**64:016x}"
        for i in range(0, len(sums), len(_PARTS))
    ]
