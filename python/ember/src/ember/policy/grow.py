"""Trees that are grown level by level, each level in one pass over the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ember.policy.errors import RowsError
from ember.policy.splits import Rules, best_splits
from ember.policy.trees import FlatTree, Forest, Leaf, Split

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from ember.policy.manifest import Manifest
    from ember.policy.splits import Best, Cells
    from ember.policy.trees import Node


def grow(
    df: DataFrame, manifest: Manifest, *, max_depth: int = 4, rules: Rules | None = None
) -> Forest:
    """Grow a tree whose leaves hold each arm's mean outcome.

    The same locked rows give the same tree, bit for bit, in whatever partitions and order.

    :param max_depth: levels below the root, 1 to 16
    :raises RowsError: if the rows do not fit the manifest, or an arm has none
    """
    if not 1 <= max_depth <= 16:
        message = f"max_depth is {max_depth}, and not between 1 and 16"
        raise RowsError(message)
    grown: list[_Grown] = []
    leaves = [0]
    for _ in range(max_depth):
        flat = FlatTree.of(_tree(grown, manifest), manifest.features)
        found = best_splits(df, manifest, flat, leaves, rules or Rules())
        if not grown:
            grown.append(_Grown(_root(found, manifest)))
        leaves = _split(grown, found)
        if not leaves:
            break
    return Forest(manifest, (_tree(grown, manifest),))


@dataclass
class _Grown:
    """A node: what was counted in it, and how it was split; numbered as in :class:`FlatTree`."""

    cells: Cells
    best: Best | None = None
    children: tuple[int, int] = (0, 0)


def _root(found: list[Best], manifest: Manifest) -> Cells:
    if not found:
        message = "there are no rows to grow a tree on"
        raise RowsError(message)
    for arm, (rows, _) in zip(manifest.treatment.arms, found[0].total, strict=True):
        if rows == 0:
            message = f"no row has the arm {arm!r}"
            raise RowsError(message)
    return found[0].total


def _split(grown: list[_Grown], found: list[Best]) -> list[int]:
    """Split the nodes that gain by it, and return the leaves that they got."""
    first = len(grown)
    for best in found:
        if best.gain is not None:
            grown[best.node].best = best
            grown[best.node].children = (len(grown), len(grown) + 1)
            grown += _Grown(best.left), _Grown(best.right)
    return list(range(first, len(grown)))


def _tree(grown: list[_Grown], manifest: Manifest) -> Node:
    """Put the nodes together, children before their parents."""
    if not grown:
        return Leaf((0.0,) * len(manifest.treatment.arms))
    units = 10**manifest.outcome.digits
    nodes: list[Node] = []
    for each in reversed(grown):
        if each.best is None:
            node: Node = Leaf(tuple(int(sum_) / (int(rows) * units) for rows, sum_ in each.cells))
        else:
            left, right = (nodes[len(grown) - 1 - child] for child in each.children)
            node = Split(each.best.feature, each.best.left_codes, left, right)
        nodes.append(node)
    return nodes[-1]
