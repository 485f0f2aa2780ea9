"""Trees and forests that are grown level by level, each level of all trees in one pass over rows.

An honest tree has its splits from one half of its rows and its leaves' scores from the other, so
that what a leaf promises was not chosen for being large.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from ember.policy.codes import width
from ember.policy.draws import Draw, features_of, seed_of
from ember.policy.errors import RowsError
from ember.policy.search import Rules
from ember.policy.splits import best_splits
from ember.policy.statistics import Counting
from ember.policy.trees import FlatTree, Forest, Leaf, Split

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from ember.policy.manifest import Manifest
    from ember.policy.splits import Best, Cells
    from ember.policy.trees import Node

_GROWING, _SCORING = 0, 1


def grow_tree(  # noqa: PLR0913 (keywords, each of them a choice)
    df: DataFrame,
    manifest: Manifest,
    *,
    max_depth: int = 4,
    rules: Rules | None = None,
    honest: bool = False,
    seed: int = 0,
    values: str | None = None,
) -> Forest:
    """Grow a tree whose leaves hold each arm's mean outcome, on all rows.

    The same locked rows give the same tree, bit for bit, in whatever partitions and order.

    :param max_depth: levels below the root, 1 to 16
    :param honest: half of the rows, drawn by ``seed``, choose the splits, and half give the scores
    :param values: a column of arrays with an outcome for each arm; see :func:`doubly_robust`
    :raises RowsError: if the rows do not fit the manifest, or an arm has none
    """
    drawn = [Draw(seed_of(seed, 0))]
    return _Growth(df, manifest, rules or Rules(), values, None, seed).grown(
        drawn, max_depth, honest=honest
    )


def grow_forest(  # noqa: PLR0913 (keywords, each of them a choice)
    df: DataFrame,
    manifest: Manifest,
    *,
    n_trees: int = 100,
    seed: int = 0,
    max_depth: int = 4,
    rules: Rules | None = None,
    honest: bool = True,
    rows_per_tree: float = 0.5,
    features_per_node: int | Literal["sqrt"] | None = None,
    values: str | None = None,
) -> Forest:
    """Grow trees, each on rows of its own, whose mean is the policy's score.

    Rows are drawn by their own hash and ``seed``, without replacement; rows of the same values are
    drawn together. So the same locked rows give the same forest, bit for bit.

    :param rows_per_tree: the share of the rows that a tree has, above 0 and at most 1
    :param features_per_node: how many features a node may split by; all of them, if None
    :raises RowsError: see :func:`grow_tree`
    """
    if n_trees < 1 or not 0.0 < rows_per_tree <= 1.0:
        message = "n_trees is at least 1, and rows_per_tree above 0 and at most 1"
        raise RowsError(message)
    below = round(rows_per_tree * 2**32)
    draws = [Draw(seed_of(seed, tree), below) for tree in range(n_trees)]
    wanted = _features_per_node(features_per_node, len(manifest.features))
    return _Growth(df, manifest, rules or Rules(), values, wanted, seed).grown(
        draws, max_depth, honest=honest
    )


def _features_per_node(asked: int | Literal["sqrt"] | None, features: int) -> int | None:
    found = math.isqrt(features - 1) + 1 if asked == "sqrt" else asked
    if found is None or found == features:
        return None
    if not isinstance(found, int) or not 1 <= found <= features:
        message = f"features_per_node is {asked!r}, and not between 1 and {features}, or 'sqrt'"
        raise RowsError(message)
    return found


@dataclass
class _Grown:
    """A node: what was counted in it, and how it was split; numbered as in :class:`FlatTree`."""

    cells: Cells
    best: Best | None = None
    children: tuple[int, int] = (0, 0)


@dataclass
class _Tree:
    """A tree that grows: its rows, its nodes, and those that may be split."""

    draw: Draw
    nodes: list[_Grown] = field(default_factory=list)
    leaves: list[int] = field(default_factory=lambda: [0])


@dataclass(frozen=True)
class _Growth:
    """What all trees of a forest are grown on, and by which rules."""

    df: DataFrame
    manifest: Manifest
    rules: Rules
    values: str | None
    features_per_node: int | None
    seed: int

    def __post_init__(self) -> None:
        """Refuse the criterion of values without values, and the others with them."""
        if (self.rules.criterion == "dr") != (self.values is not None):
            message = "the criterion 'dr', and no other, is for a column of values"
            raise RowsError(message)

    def grown(self, draws: list[Draw], max_depth: int, *, honest: bool) -> Forest:
        """Grow trees level by level."""
        if not 1 <= max_depth <= 16:
            message = f"max_depth is {max_depth}, and not between 1 and 16"
            raise RowsError(message)
        half = _GROWING if honest else None
        trees = [_Tree(replace(draw, half=half)) for draw in draws]
        for _ in range(max_depth):
            self._level(trees)
            if not any(tree.leaves for tree in trees):
                break
        if honest:
            self._scored(trees)
        return Forest(self.manifest, tuple(self._tree(tree.nodes) for tree in trees))

    def _level(self, trees: list[_Tree]) -> None:
        """Split the open nodes of all trees that gain by it."""
        counting = self._counting(trees)
        found: list[list[Best]] = [[] for _ in trees]
        for best in best_splits(self.df, self.manifest, counting, self.rules, self.values):
            found[counting.opened[best.opened][0]].append(best)
        for at, tree in enumerate(trees):
            nodes = {node: best for best in found[at] for node in [counting.opened[best.opened][1]]}
            if not tree.nodes:
                tree.nodes.append(_Grown(self._root(nodes.get(0))))
            first = len(tree.nodes)
            for node, best in sorted(nodes.items()):
                if best.gain is not None:
                    tree.nodes[node].best = best
                    tree.nodes[node].children = (len(tree.nodes), len(tree.nodes) + 1)
                    tree.nodes += _Grown(best.left), _Grown(best.right)
            tree.leaves = list(range(first, len(tree.nodes)))

    def _scored(self, trees: list[_Tree]) -> None:
        """Count the leaves anew, on the other half; undo splits that leave too few rows there."""
        for tree in trees:
            tree.draw = replace(tree.draw, half=_SCORING)
            tree.leaves = [at for at, node in enumerate(tree.nodes) if node.best is None]
        counting = self._counting(trees)
        features = self.manifest.features
        least = min(range(len(features)), key=lambda at: width(features[at]))
        every = tuple(range(len(counting.opened)))
        only = tuple(every if at == least else () for at in range(len(features)))
        counting = replace(counting, wanted=only)
        for tree in trees:
            for node in tree.nodes:
                node.cells = node.cells * 0
        for best in best_splits(self.df, self.manifest, counting, self.rules, self.values):
            at, leaf = counting.opened[best.opened]
            trees[at].nodes[leaf].cells = best.total
        for tree in trees:
            self._undone(tree.nodes)

    def _undone(self, nodes: list[_Grown]) -> None:
        for node in reversed(nodes):
            if node.best is not None:
                children = [nodes[child].cells for child in node.children]
                node.cells = children[0] + children[1]
                if min(each[:, 0].min() for each in children) < self.rules.min_leaf:
                    node.best = None
        self._root_cells(nodes[0].cells)

    def _counting(self, trees: list[_Tree]) -> Counting:
        opened = tuple((at, leaf) for at, tree in enumerate(trees) for leaf in tree.leaves)
        flat = [FlatTree.of(self._tree(tree.nodes), self.manifest.features) for tree in trees]
        return Counting(
            features=self.manifest.features,
            arms=self.manifest.treatment.arms,
            trees=tuple(flat),
            draws=tuple(tree.draw for tree in trees),
            opened=opened,
            wanted=self._wanted(opened),
            valued=self.values is not None,
        )

    def _wanted(self, opened: tuple[tuple[int, int], ...]) -> tuple[tuple[int, ...], ...] | None:
        """Draw the features of each open node."""
        if self.features_per_node is None:
            return None
        found: list[list[int]] = [[] for _ in self.manifest.features]
        for at, (tree, node) in enumerate(opened):
            seed = seed_of(self.seed, tree, node, 1)
            for feature in features_of(seed, len(found), self.features_per_node):
                found[feature].append(at)
        return tuple(map(tuple, found))

    def _root(self, best: Best | None) -> Cells:
        if best is None:
            message = "there are no rows to grow a tree on"
            raise RowsError(message)
        return self._root_cells(best.total)

    def _root_cells(self, cells: Cells) -> Cells:
        for arm, (rows, _) in zip(self.manifest.treatment.arms, cells, strict=True):
            if rows == 0:
                message = f"no row has the arm {arm!r}"
                raise RowsError(message)
        return cells

    def _tree(self, grown: list[_Grown]) -> Node:
        """Put the nodes together, children before their parents."""
        if not grown:
            return Leaf((0.0,) * len(self.manifest.treatment.arms))
        nodes: list[Node] = []
        for each in reversed(grown):
            if each.best is None:
                node: Node = Leaf(self._means(each.cells))
            else:
                left, right = (nodes[len(grown) - 1 - child] for child in each.children)
                node = Split(each.best.feature, each.best.left_codes, left, right)
            nodes.append(node)
        return nodes[-1]

    def _means(self, cells: Cells) -> tuple[float, ...]:
        """Divide whole numbers as Python does: rounded once, however large they are."""
        units = 10**self.manifest.outcome.digits
        all_rows = int(cells[:, 0].sum())
        return tuple(
            sum_ / ((rows if self.values is None else all_rows) * units)
            for rows, sum_ in cells.tolist()
        )
