"""Doubly robust values: what each arm would have brought for each row, as far as rows tell.

A forest says what to expect of each arm; the row's own outcome corrects that for the arm that it
got, by the inverse of how likely it was to get it. A row is never scored by a forest that saw it:
rows are in folds, drawn by their hash, equal rows each for itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F  # noqa: N812 (its usual name)

from ember.policy.draws import seed_of
from ember.policy.errors import RowsError, whole
from ember.policy.fingerprint import column
from ember.policy.grow import grow_forest
from ember.policy.inputs import arm, as_number, drawn_by, refuse_taken
from ember.policy.score import score

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from ember.policy.manifest import Manifest
    from ember.policy.search import Rules

_FOLD = "_ember_fold"


def doubly_robust(  # noqa: PLR0913 (keywords, each of them a choice)
    df: DataFrame,
    manifest: Manifest,
    *,
    out: str = "values",
    folds: int = 2,
    seed: int = 0,
    propensities: str | None = None,
    n_trees: int = 20,
    max_depth: int = 4,
    rules: Rules | None = None,
) -> DataFrame:
    """Add a column with an outcome for each arm, for ``values`` of :func:`grow_tree`.

    :param folds: rows of each are scored by a forest that the others grew; 2 to 10
    :param propensities: a column with how likely each arm was for the row, as an array of doubles;
        without it, each arm's share of the rows, as in a randomised trial. A row whose own arm was
        not likely at all, or more than certain, is an error of the query
    :raises RowsError: if the rows do not fit the manifest, an arm has none, or there is a column
        ``out``
    """
    folds, seed = whole("folds", folds), whole("seed", seed)
    if not 2 <= folds <= 10:
        message = f"folds is {folds}, and not between 2 and 10"
        raise RowsError(message)
    refuse_taken(df, out)
    fold = F.pmod(F.shiftrightunsigned(drawn_by(df, manifest), 1), F.lit(folds))
    folded = df.withColumn(_FOLD, fold)
    found = folded
    names = [f"_ember_expected_{at}" for at in range(folds)]
    for at, name in enumerate(names):
        forest = grow_forest(
            folded.where(column(_FOLD) != F.lit(at)),
            manifest,
            n_trees=n_trees,
            seed=seed_of(seed, at),
            max_depth=max_depth,
            rules=rules,
            honest=False,
        )
        found = score(found, forest, out=name, backend="arrow")
    expected = F.element_at(F.array(*map(column, names)), (column(_FOLD) + F.lit(1)).cast("int"))
    if propensities is None:
        shares, own = _shares(df, manifest), None
    else:
        shares, own = column(propensities), propensities
    return found.withColumn(out, _values(df, manifest, expected, shares, own)).drop(_FOLD, *names)


def _shares(df: DataFrame, manifest: Manifest) -> Column:
    rows = {row[0]: row[1] for row in df.groupBy(arm(df, manifest)).count().collect()}
    for each in manifest.treatment.arms:
        if not rows.get(each):
            message = f"no row has the arm {each!r}"
            raise RowsError(message)
    total = sum(rows.values())
    return F.array(*(F.lit(rows[each] / total) for each in manifest.treatment.arms))


def _values(
    df: DataFrame, manifest: Manifest, expected: Column, shares: Column, own: str | None
) -> Column:
    outcome, got = as_number(df, manifest.outcome.column), arm(df, manifest)

    def value(at: int, name: str) -> Column:
        share = F.get(shares, F.lit(at))
        if own is not None:
            share = F.when((share > 0.0) & (share <= 1.0), share).otherwise(_unlikely(own, name))
        more = (outcome - F.get(expected, F.lit(at))) / share
        return F.get(expected, F.lit(at)) + F.when(got == F.lit(name), more).otherwise(F.lit(0.0))

    return F.array(*(value(at, name) for at, name in enumerate(manifest.treatment.arms)))


def _unlikely(own: str, name: str) -> Column:
    """Refuse a row that cannot have got its arm."""
    words = f"column {own!r}: a row got {name!r}, which was not likely above 0 and up to 1"
    return F.raise_error(F.lit(words)).cast("double")
