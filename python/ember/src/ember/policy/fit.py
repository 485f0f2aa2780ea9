"""Manifests of rows: boundaries and vocabularies that no partitioning changes.

Quantiles are values that occur, never means of two. They are those of a sample that is drawn by the
rows' own hashes and by how often each is there, so that the same rows give the same sample in
whatever order and partitions, and rows that are there often are in it as often as is their due.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyspark.sql import functions as F  # noqa: N812 (its usual name)
from pyspark.sql.types import BooleanType, NumericType, StringType

from ember.policy.errors import RowsError, whole
from ember.policy.fingerprint import column, row_hash, type_of, types_of
from ember.policy.inputs import as_number_sql, as_text
from ember.policy.lock import libraries
from ember.policy.manifest import (
    MOST_CODES,
    MOST_DIGITS,
    Categorical,
    Manifest,
    Numeric,
    Outcome,
    Treatment,
)
from ember.policy.rounding import counted, judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import DataFrame
    from pyspark.sql.types import DataType

    from ember.policy.manifest import Feature

#: A categorical feature of more values is refused: it is a key, or wants an encoding of its own.
MOST_CATEGORIES: Final = 1_000

#: Rows that quantiles are taken of, about. Their error is that of any sample of so many.
SAMPLE_ROWS: Final = 50_000

#: Columns whose quantiles are found at the same time: each holds its sample in memory.
_AT_ONCE: Final = 64

#: Seed of the hashes that the sample is drawn by.
_SAMPLE: Final = "sample"
_HASH, _COPIES = "_ember_hash", "_ember_copies"


def fit(  # noqa: PLR0913 (keywords, each of them a choice)
    df: DataFrame,
    *,
    features: Sequence[str],
    treatment: str,
    outcome: str,
    control: str,
    bins: int = 32,
    digits: int = 2,
) -> Manifest:
    """Read from rows what a policy over them takes for granted.

    Numbers become numeric features with up to ``bins`` bins, text and booleans categorical ones;
    arms and categories are in the order of their text.

    :param bins: 1 to 32,000
    :param treatment: the column of the arm that a row got, text or boolean; no row may lack it
    :param outcome: a column of numbers, kept with ``digits`` digits after the point (0 to 9). A
        warning says so where more than 1 in 100 of those beside 0 change by more than 1 in 100
    :raises RowsError: if the rows have no such columns, a column has too many categories, all
        outcomes beside 0 round to 0, or there are no two arms
    :raises ManifestError: if what was found contradicts itself, as where ``control`` is no arm
    """
    bins, digits = _wanted(features, bins, digits)
    types = types_of(df, [outcome, *features])
    if not isinstance(types[outcome], NumericType):
        words = f"is {types[outcome].simpleString()}, and no number: cast it to one"
        message = f"column {outcome!r} {words}"
        raise RowsError(message)
    got = type_of(df, treatment)
    if not isinstance(got, BooleanType | StringType):
        words = f"is {got.simpleString()}, and arms are text: cast it to string"
        message = f"column {treatment!r} {words}"
        raise RowsError(message)
    numeric = [name for name in features if isinstance(types[name], NumericType)]
    written = [name for name in features if name not in numeric]
    kept = Outcome(outcome, digits)
    names = list(dict.fromkeys([*written, treatment]))
    rows, vocabularies, rounded = _vocabularies(df, names, kept)
    judge(kept, rounded)
    arms = _arms(treatment, rows, vocabularies[treatment])
    boundaries = _boundaries(df, {name: types[name] for name in numeric}, rows, bins)
    found: dict[str, Feature] = {name: Numeric(name, boundaries[name]) for name in numeric}
    for name in written:
        values = tuple(value for value in vocabularies[name] if value is not None)
        found[name] = Categorical(name, values)
    return Manifest(
        rows=rows,
        features=tuple(found[name] for name in features),
        treatment=Treatment(treatment, arms, control),
        outcome=kept,
        libraries=libraries(),
    )


def _wanted(features: Sequence[str], bins: int, digits: int) -> tuple[int, int]:
    """Refuse what no manifest can be made by, before a row is looked at."""
    if isinstance(features, str):
        message = f"features is {features!r}, and is to be a list of names"
        raise RowsError(message)
    bins = whole("bins", bins)
    if not 1 <= bins <= MOST_CODES:
        message = f"bins is {bins}, and not between 1 and {MOST_CODES:,}"
        raise RowsError(message)
    digits = whole("digits", digits)
    if not 0 <= digits <= MOST_DIGITS:
        message = f"digits is {digits}, and not between 0 and {MOST_DIGITS}"
        raise RowsError(message)
    return bins, digits


def _arms(name: str, rows: int, arms: list[str | None]) -> tuple[str, ...]:
    """Return the arms that rows got.

    :raises RowsError: if they cannot be compared
    """
    if not rows:
        message = "there are no rows"
        raise RowsError(message)
    found = tuple(each for each in arms if each is not None)
    if len(found) < len(arms):
        message = f"column {name!r} has rows without an arm"
        raise RowsError(message)
    if len(found) == 1:
        message = f"column {name!r} has the arm {found[0]!r} alone, and nothing to compare it with"
        raise RowsError(message)
    return found


def _vocabularies(
    df: DataFrame, names: list[str], outcome: Outcome
) -> tuple[int, dict[str, list[str | None]], list[int]]:
    """Count the rows, and collect the values of each column, once it is known that they are few.

    The last are the counts of what the outcome loses.
    """
    known = [each(column(name)) for name in names for each in (F.approx_count_distinct, F.count)]
    rows, *counts = df.agg(F.count(F.lit(1)), *known, *counted(df, outcome)).collect()[0]
    counts, rounded = counts[: len(known)], counts[len(known) :]
    for name, values in zip(names, counts[::2], strict=True):
        if values > 2 * MOST_CATEGORIES:
            _too_many(name, f"about {values:,}")
    sets = df.agg(*(F.collect_set(as_text(df, name)) for name in names)).collect()[0]
    found: dict[str, list[str | None]] = {}
    for name, values, filled in zip(names, sets, counts[1::2], strict=True):
        if len(values) > MOST_CATEGORIES:
            _too_many(name, f"{len(values):,}")
        found[name] = [*sorted(values), *([None] if filled < rows else [])]
    return rows, found, rounded


def _too_many(name: str, values: str) -> None:
    message = f"column {name!r} has {values} values; at most {MOST_CATEGORIES:,} are categories"
    raise RowsError(message)


def _boundaries(
    df: DataFrame, types: dict[str, DataType], rows: int, bins: int
) -> dict[str, tuple[float, ...]]:
    """Take the inner quantiles of each column, of which equal ones are one."""
    found: dict[str, tuple[float, ...]] = dict.fromkeys(types, ())
    if bins < 2 or not types:
        return found
    if rows <= SAMPLE_ROWS:
        return _quantiles(df, types, bins)
    kept = _kept(df, types, rows).cache()
    sample = _sample(df, types, kept)
    if len(types) > _AT_ONCE:
        sample = sample.cache()
    try:
        return found | _quantiles(sample, types, bins)
    finally:
        sample.unpersist()
        kept.unpersist()


def _quantiles(
    df: DataFrame, types: dict[str, DataType], bins: int
) -> dict[str, tuple[float, ...]]:
    names, found = list(types), {}
    parts = ", ".join(f"{at / bins!r}D" for at in range(1, bins))
    for first in range(0, len(names), _AT_ONCE):
        some = names[first : first + _AT_ONCE]
        numbers = [as_number_sql(name, types[name]) for name in some]
        quantiles = df.selectExpr(
            *(f"percentile_disc(array({parts})) WITHIN GROUP (ORDER BY {each})" for each in numbers)
        ).collect()[0]
        for name, values in zip(some, quantiles, strict=True):
            found[name] = tuple(sorted(set(values or ())))
    return found


def _kept(df: DataFrame, types: dict[str, DataType], rows: int) -> DataFrame:
    """Say of each hash of a row how many copies of the row the sample has.

    Of equal rows, which have one hash, are there on average as many as the sample's share of them:
    the whole part of it for certain, and one more by what is left of it as the chance.
    """
    share = f"(rows * {SAMPLE_ROWS}L + pmod({_HASH}, {rows}L)) DIV {rows}L"
    counted = df.select(row_hash(_SAMPLE, types).alias(_HASH)).groupBy(_HASH)
    copies = counted.agg(F.count(F.lit(1)).alias("rows")).selectExpr(_HASH, f"{share} AS {_COPIES}")
    return copies.where(F.col(_COPIES) > F.lit(0))


def _sample(df: DataFrame, types: dict[str, DataType], kept: DataFrame) -> DataFrame:
    """Take each row that is kept as often as it is to be there."""
    hashed = df.select(*map(column, types), row_hash(_SAMPLE, types).alias(_HASH))
    once = hashed.join(F.broadcast(kept), _HASH).dropDuplicates([_HASH])
    every = F.expr(f"explode(sequence(1L, {_COPIES}))")
    return once.select(*map(column, types), every.alias(_COPIES))
