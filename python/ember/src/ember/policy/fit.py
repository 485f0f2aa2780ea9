"""Manifests of rows: boundaries and vocabularies that no partitioning changes.

Quantiles are values that occur, never means of two. They are those of a sample that is drawn by the
rows' own hashes, so that the same rows give the same sample in whatever order and partitions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyspark.sql import functions as F  # noqa: N812 (its usual name)
from pyspark.sql.types import NumericType

from ember.policy.errors import RowsError
from ember.policy.fingerprint import column, type_of
from ember.policy.inputs import as_number, as_text
from ember.policy.lock import libraries
from ember.policy.manifest import Categorical, Manifest, Numeric, Outcome, Treatment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import DataFrame

    from ember.policy.manifest import Feature

#: A categorical feature of more values is refused: it is a key, or wants an encoding of its own.
MOST_CATEGORIES: Final = 1_000

#: Rows that quantiles are taken of, about. Their error is that of any sample of so many.
SAMPLE_ROWS: Final = 50_000

#: Columns whose quantiles are found at the same time: each holds its sample in memory.
_AT_ONCE: Final = 64

_HASHES: Final = 2**32


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

    :param treatment: the column of the arm that a row got; no row may lack it
    :param outcome: a column of numbers, kept with ``digits`` digits after the point (0 to 9)
    :raises RowsError: if the rows have no such columns, or a column has too many categories
    :raises ManifestError: if what was found contradicts itself, as where ``control`` is no arm
    """
    if not isinstance(type_of(df, outcome), NumericType):
        message = f"column {outcome!r} is {type_of(df, outcome).simpleString()}, and no number"
        raise RowsError(message)
    numeric = [name for name in features if isinstance(type_of(df, name), NumericType)]
    written = [name for name in features if name not in numeric]
    rows = df.count()
    vocabularies = _vocabularies(df, list(dict.fromkeys([*written, treatment])))
    arms = vocabularies[treatment]
    if None in arms:
        message = f"column {treatment!r} has rows without an arm"
        raise RowsError(message)
    boundaries = _boundaries(df, numeric, rows, bins)
    found: dict[str, Feature] = {name: Numeric(name, boundaries[name]) for name in numeric}
    for name in written:
        values = tuple(value for value in vocabularies[name] if value is not None)
        found[name] = Categorical(name, values)
    return Manifest(
        rows=rows,
        features=tuple(found[name] for name in features),
        treatment=Treatment(treatment, tuple(filter(None, arms)), control),
        outcome=Outcome(outcome, digits),
        libraries=libraries(),
    )


def _vocabularies(df: DataFrame, names: list[str]) -> dict[str, list[str | None]]:
    """Collect the values of each column, once it is known that they are few."""
    about = df.agg(*(F.approx_count_distinct(column(name)) for name in names)).collect()[0]
    for name, values in zip(names, about, strict=True):
        if values > 2 * MOST_CATEGORIES:
            _too_many(name, f"about {values:,}")
    found = {}
    for name in names:
        rows = df.select(as_text(df, name)).distinct().collect()
        if len(rows) > MOST_CATEGORIES + 1:
            _too_many(name, f"{len(rows):,}")
        found[name] = sorted((row[0] for row in rows), key=lambda text: (text is None, text or ""))
    return found


def _too_many(name: str, values: str) -> None:
    message = f"column {name!r} has {values} values; at most {MOST_CATEGORIES:,} are categories"
    raise RowsError(message)


def _boundaries(
    df: DataFrame, names: list[str], rows: int, bins: int
) -> dict[str, tuple[float, ...]]:
    """Take the inner quantiles of each column, of which equal ones are one."""
    found: dict[str, tuple[float, ...]] = dict.fromkeys(names, ())
    if bins < 2 or not names:
        return found
    parts = ", ".join(f"{at / bins!r}D" for at in range(1, bins))
    sample = _sample(df, names, rows)
    for first in range(0, len(names), _AT_ONCE):
        some = names[first : first + _AT_ONCE]
        numbers = sample.select(
            *(as_number(sample, name).alias(f"_{at}") for at, name in enumerate(some))
        )
        quantiles = numbers.agg(
            *(
                F.expr(f"percentile_disc(array({parts})) WITHIN GROUP (ORDER BY _{at})")
                for at in range(len(some))
            )
        ).collect()[0]
        for name, values in zip(some, quantiles, strict=True):
            found[name] = tuple(sorted(set(values or ())))
    return found


def _sample(df: DataFrame, names: list[str], rows: int) -> DataFrame:
    """Keep the rows whose hash is low enough; all of them if they are few."""
    if rows <= SAMPLE_ROWS:
        return df
    low = F.xxhash64(*map(column, names)).bitwiseAND(F.lit(_HASHES - 1))
    return df.where(low < F.lit(_HASHES * SAMPLE_ROWS // rows))
