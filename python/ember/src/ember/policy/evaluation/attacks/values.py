"""Rows whose values a manifest refuses, or that no manifest can be made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyspark.sql import functions as F  # noqa: N812 (its usual name)

from ember.policy.evaluation.attacks.attack import Attack, Given, learn, prepare, write
from ember.policy.evaluation.rows import KEY

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import DataFrame


def _rows(
    name: str,
    act: Callable[[Given, Any], None],
    change: Callable[[DataFrame], DataFrame],
    *words: str,
) -> Attack:
    return Attack(f"values: {name}", act, lambda given: given.with_rows(change), words)


def _strict(
    name: str,
    rule: Callable[[list[dict[str, Any]]], object],
    change: Callable[[DataFrame], DataFrame],
    *words: str,
) -> Attack:
    """Make a manifest refuse what it would bear."""

    def changed(given: Given) -> Given:
        return given.with_forest(lambda d: rule(d["manifest"]["features"])).with_rows(change)

    return Attack(f"values: {name}", write, changed, words)


def _to(column: str, value: str) -> Callable[[DataFrame], DataFrame]:
    return lambda df: df.withColumn(column, F.expr(value))


ATTACKS: Final = (
    _strict(
        "missing, where that is an error",
        lambda features: features[0].update(missing="error"),
        lambda df: df,
        "'f0'",
        "missing",
    ),
    _strict(
        "a category that is not in the vocabulary, where that is an error",
        lambda features: features[1].update(unseen="error"),
        _to("f1", "'Category 1'"),
        "'f1'",
        "'Category 1'",
    ),
    _strict(
        "text where a number is to be",
        lambda _: None,
        _to("f0", "'ten'"),
        "'f0'",
        "numbers are wanted",
    ),
    _strict(
        "a number where text is to be",
        lambda _: None,
        _to("f1", "12"),
        "'f1'",
        "text is wanted",
    ),
    _rows("an arm that is not in the vocabulary", learn, _to("arm", "'Mens'"), "'Mens'"),
    _rows("no arm", learn, _to("arm", "CAST(NULL AS STRING)"), "have no arm"),
    _rows("an empty arm", learn, lambda df: df.where("arm != 'mens'"), "no row has the arm 'mens'"),
    _rows("no rows", learn, lambda df: df.where("false"), "no rows"),
    _rows("no outcome", learn, _to("outcome", "CAST(NULL AS DOUBLE)"), "no outcome"),
    _rows("NaN as an outcome", learn, _to("outcome", "double('NaN')"), "no outcome"),
    _rows("an infinite outcome", learn, _to("outcome", "double('inf')"), "outcome"),
    _rows("outcomes too large for exact sums", learn, _to("outcome", "9e15D"), "too large"),
    _rows("text as an outcome", prepare, _to("outcome", "'much'"), "'outcome'", "no number"),
    _rows("a list as a feature", prepare, _to("f0", "array(f0)"), "'f0'", "array<double>"),
    _rows("a date as a feature", prepare, _to("f0", "current_date()"), "'f0'", "date"),
    _rows(
        "as many categories as rows",
        prepare,
        lambda df: df.sparkSession.range(5_000).selectExpr(
            KEY,
            "string(id) AS f0",
            "element_at(array('none', 'mens'), int(id % 2) + 1) AS arm",
            "1D AS outcome",
        ),
        "'f0'",
        "at most 1,000",
    ),
    _rows("rows without an arm", prepare, _to("arm", "CAST(NULL AS STRING)"), "without an arm"),
    _rows("one arm alone", prepare, _to("arm", "'none'"), "'arm'", "'none' alone"),
    _rows("no rows at all", prepare, lambda df: df.where("false"), "there are no rows"),
    _rows("true and false as outcomes", prepare, _to("outcome", "true"), "'outcome'", "cast it"),
    _rows(
        "text that is compared without its case",
        prepare,
        _to("f1", "f1 COLLATE UTF8_LCASE"),
        "'f1'",
        "collate UTF8_LCASE",
    ),
    _rows("no row of the control", prepare, lambda df: df.where("arm != 'none'"), "control"),
    _rows(
        "mostly infinite", prepare, _to("f0", "double('inf')"), "features[0].boundaries[0]", "inf"
    ),
    _rows("a feature that is absent", learn, lambda df: df.drop("f2"), "'f2' is absent"),
)
