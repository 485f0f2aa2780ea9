"""The scores of one row in plain Python: what batches are compared with."""

from __future__ import annotations

from bisect import bisect_left
from functools import reduce
from operator import add
from typing import TYPE_CHECKING

from ember.policy.errors import RowsError
from ember.policy.manifest import Numeric
from ember.policy.trees import Split

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ember.policy.manifest import Feature
    from ember.policy.trees import Leaf, Node


def scores_of_row(
    features: Sequence[Feature], trees: Sequence[Node], values: Sequence[float | str | None]
) -> list[float]:
    """Return a score for each arm.

    :param values: one for each feature: a double or a text, None where it is missing
    :raises RowsError: for a value whose rule in the manifest is ``error``
    """
    codes = {
        feature.name: _code(value, feature) for value, feature in zip(values, features, strict=True)
    }
    by_arm = zip(*(_leaf(tree, codes).scores for tree in trees), strict=True)
    return [_sum(scores) / len(trees) for scores in by_arm]


def _sum(scores: Iterable[float]) -> float:
    """Add one after another: ``sum`` of doubles compensates for rounding from Python 3.12 on."""
    return reduce(add, scores, 0.0)


def _code(value: float | str | None, feature: Feature) -> int:
    if isinstance(feature, Numeric):
        if value is not None and value == value:  # noqa: PLR0124 (a NaN does not)
            return bisect_left(feature.boundaries, value)
        rule, missing = feature.missing, len(feature.boundaries) + 1
    else:
        if value in feature.categories:
            return feature.categories.index(value)
        rule = feature.missing if value is None else feature.unseen
        missing = len(feature.categories)
    if rule == "error":
        message = f"feature {feature.name!r}: {value!r} is not to be there"
        raise RowsError(message)
    return missing


def _leaf(node: Node, codes: dict[str, int]) -> Leaf:
    while isinstance(node, Split):
        node = node.left if codes[node.feature] in node.left_codes else node.right
    return node
