"""Trees and forests that are grown level by level, each level of all trees in one pass over rows.

An honest tree has its splits from one half of its rows and its leaves' scores from the other, so
that what a leaf promises was not chosen for being large. Rows that fit a task are held by one, in
which all levels are grown; others stay where they are, and each level is a query.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ember.policy.codes import width
from ember.policy.criteria import Outcomes, Prior, drawn, means
from ember.policy.draws import Draw, features_of, seed_of
from ember.policy.errors import RowsError, whole
from ember.policy.held import MOST_VALUES, fits, grown_in_a_task
from ember.policy.inputs import counted_rows
from ember.policy.kernel import shipped
from ember.policy.search import Rules, Search
from ember.policy.splits import Spread
from ember.policy.statistics import Counting
from ember.policy.trees import FlatTree, Forest, Leaf, Split, document_of, node_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pyspark.sql import DataFrame

    from ember.policy.held import Held
    from ember.policy.manifest import Feature, Manifest
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
    in_a_task: bool | None = None,
) -> Forest:
    """Grow a tree whose leaves hold each arm's mean outcome, on all rows.

    The same locked rows give the same tree, bit for bit, in whatever partitions and order.

    :param max_depth: levels below the root, 1 to 16
    :param honest: half of the rows, drawn by ``seed``, choose the splits, and half give the scores
    :param values: a column of arrays with an outcome for each arm; see :func:`doubly_robust`
    :param in_a_task: hold the rows in one task and grow all levels there, which takes a query;
        or leave them where they are, which takes one a level. The tree is the same. If None, rows
        are held that are few enough for it
    :raises RowsError: if the rows do not fit the manifest, or an arm has none
    """
    seed = whole("seed", seed)
    drawn = [Draw(seed_of(seed, 0))]
    growth = _growth(manifest, rules or Rules(), values, None, seed)
    return _grown(df, manifest, growth.to(drawn, max_depth, honest=honest), values, in_a_task)


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
    in_a_task: bool | None = None,
) -> Forest:
    """Grow trees, each on rows of its own, whose mean is the policy's score.

    Rows are drawn by ``seed`` and a hash of their values and of their rank among rows that equal
    them, without replacement. So the same locked rows give the same forest, bit for bit.

    :param rows_per_tree: the share of the rows that a tree has, above 0 and at most 1
    :param features_per_node: how many features a node may split by; all of them, if None. A warning
        says so where trees would be the same: on all rows, by all features, and not honest
    :param in_a_task: see :func:`grow_tree`
    :raises RowsError: see :func:`grow_tree`
    """
    seed, n_trees = whole("seed", seed), whole("n_trees", n_trees)
    if n_trees < 1 or not 0.0 < rows_per_tree <= 1.0:
        message = "n_trees is at least 1, and rows_per_tree above 0 and at most 1"
        raise RowsError(message)
    below = round(rows_per_tree * 2**32)
    draws = [Draw(seed_of(seed, tree), below) for tree in range(n_trees)]
    wanted = _features_per_node(features_per_node, len(manifest.features))
    growth = _growth(manifest, rules or Rules(), values, wanted, seed)
    growing = growth.to(draws, max_depth, honest=honest)
    if n_trees > 1 and growing.draws_nothing:
        words = f"all {n_trees:,} trees are the same: they have all rows, and all features a node"
        warnings.warn(f"{words}; lower rows_per_tree or features_per_node", stacklevel=2)
    return _grown(df, manifest, growing, values, in_a_task)


def _growth(
    manifest: Manifest, rules: Rules, values: str | None, features_per_node: int | None, seed: int
) -> _Growth:
    if (rules.criterion == "dr") != (values is not None):
        message = "the criterion 'dr', and no other, is for a column of values"
        raise RowsError(message)
    treatment = manifest.treatment
    control = treatment.arms.index(treatment.control)
    valued = values is not None
    of = Outcomes(control, manifest.outcome.counted_digits(valued=valued), valued=valued)
    return _Growth(manifest.features, treatment.arms, of, rules, features_per_node, seed)


def _grown(
    df: DataFrame,
    manifest: Manifest,
    growing: _Growing,
    values: str | None,
    in_a_task: bool | None,  # noqa: FBT001 (None is neither)
) -> Forest:
    drawn = growing.draws_rows
    held = in_a_task
    if held is None:
        held = fits(manifest.rows, len(manifest.features), len(growing.draws))
    trees = None
    if held:
        rows = counted_rows(df, manifest, values, drawn=drawn)
        most = MOST_VALUES * 2 if in_a_task is None else None
        told = grown_in_a_task(rows, growing.documents, shipped(df), most)
        trees = None if told is None else [node_of("", each) for each in told]
    if trees is None:
        trees = growing.trees(Spread(df, manifest, values, drawn=drawn))
    return Forest(manifest, tuple(trees))


def _features_per_node(asked: int | Literal["sqrt"] | None, features: int) -> int | None:
    if asked is None:
        return None
    found = math.isqrt(features - 1) + 1 if asked == "sqrt" else whole("features_per_node", asked)
    if not 1 <= found <= features:
        message = f"features_per_node is {asked!r}, and not between 1 and {features}, or 'sqrt'"
        raise RowsError(message)
    return None if found == features else found


@dataclass
class _Grown:
    """A node: what was counted in it, and how it was split; numbered as in :class:`FlatTree`.

    :param means: what the arms' means in its children are drawn towards
    """

    cells: Cells
    means: NDArray[np.float64]
    best: Best | None = None
    children: tuple[int, int] = (0, 0)


@dataclass
class _Tree:
    """A tree that grows: its rows, its nodes, and those that may be split."""

    draw: Draw
    nodes: list[_Grown] = field(default_factory=list)
    leaves: list[int] = field(default_factory=lambda: [0])


class _Rows(Protocol):
    """Rows in which splits are searched, wherever they are."""

    def best(self, search: Search) -> list[Best]:
        """Find the best split of each open node that has rows."""


@dataclass(frozen=True)
class _Growth:
    """What all trees of a forest are grown of, and by which rules."""

    features: tuple[Feature, ...]
    arms: tuple[str, ...]
    of: Outcomes
    rules: Rules
    features_per_node: int | None
    seed: int

    def to(self, draws: list[Draw], max_depth: int, *, honest: bool) -> _Growing:
        """Say how many trees are to be grown, on which rows, and how deep."""
        max_depth = whole("max_depth", max_depth)
        if not 1 <= max_depth <= 16:
            message = f"max_depth is {max_depth}, and not between 1 and 16"
            raise RowsError(message)
        return _Growing(self, draws, max_depth, honest)


@dataclass(frozen=True)
class _Growing:
    """Trees that are to be grown, on whatever rows."""

    growth: _Growth
    draws: list[Draw]
    max_depth: int
    honest: bool

    @property
    def draws_rows(self) -> bool:
        """Tell whether a tree, or half of one, is grown on less than all rows."""
        return self.honest or not all(draw.takes_all for draw in self.draws)

    @property
    def draws_nothing(self) -> bool:
        """Tell whether all trees have all rows, and all features at each node."""
        return not self.draws_rows and self.growth.features_per_node is None

    def documents(self, rows: Held) -> list[dict[str, Any]]:
        """Grow them, and write each as JSON has it."""
        return [document_of(tree) for tree in self.trees(rows)]

    def trees(self, rows: _Rows) -> list[Node]:
        """Grow them level by level."""
        half = _GROWING if self.honest else None
        trees = [_Tree(replace(draw, half=half)) for draw in self.draws]
        for _ in range(self.max_depth):
            self._level(rows, trees)
            if not any(tree.leaves for tree in trees):
                break
        if self.honest:
            self._scored(rows, trees)
        return [self._tree(tree.nodes) for tree in trees]

    def _level(self, rows: _Rows, trees: list[_Tree]) -> None:
        """Split the open nodes of all trees that gain by it."""
        counting = self._counting(trees)
        found: list[list[Best]] = [[] for _ in trees]
        for best in rows.best(self._search(counting, trees)):
            found[counting.opened[best.opened][0]].append(best)
        for at, tree in enumerate(trees):
            nodes = {node: best for best in found[at] for node in [counting.opened[best.opened][1]]}
            if not tree.nodes:
                tree.nodes.append(self._root(nodes.get(0)))
            first = len(tree.nodes)
            for node, best in sorted(nodes.items()):
                if best.gain is not None:
                    tree.nodes[node].best = best
                    tree.nodes[node].children = (len(tree.nodes), len(tree.nodes) + 1)
                    towards = tree.nodes[node].means
                    tree.nodes += (self._child(each, towards) for each in (best.left, best.right))
            tree.leaves = list(range(first, len(tree.nodes)))

    def _search(self, counting: Counting, trees: list[_Tree]) -> Search:
        """Say what is searched, and towards what the means of children are drawn."""
        growth, priors = self.growth, None
        if growth.rules.prior_rows and trees[0].nodes:
            nodes = (trees[tree].nodes[node] for tree, node in counting.opened)
            priors = tuple(tuple(node.means.tolist()) for node in nodes)
        return Search(counting, growth.of.control, growth.of.digits, growth.rules, priors)

    def _scored(self, rows: _Rows, trees: list[_Tree]) -> None:
        """Count the leaves anew, on the other half; undo splits that leave too few rows there."""
        for tree in trees:
            tree.draw = replace(tree.draw, half=_SCORING)
            tree.leaves = [at for at, node in enumerate(tree.nodes) if node.best is None]
        counting = self._counting(trees)
        features = self.growth.features
        least = min(range(len(features)), key=lambda at: width(features[at]))
        every = tuple(range(len(counting.opened)))
        only = tuple(every if at == least else () for at in range(len(features)))
        counting = replace(counting, wanted=only)
        for tree in trees:
            for node in tree.nodes:
                node.cells = node.cells * 0
        for best in rows.best(self._search(counting, trees)):
            at, leaf = counting.opened[best.opened]
            trees[at].nodes[leaf].cells = best.total
        for tree in trees:
            self._undone(tree.nodes)

    def _undone(self, nodes: list[_Grown]) -> None:
        for node in reversed(nodes):
            if node.best is not None:
                children = [nodes[child].cells for child in node.children]
                node.cells = children[0] + children[1]
                if min(each[:, 0].min() for each in children) < self.growth.rules.min_leaf:
                    node.best = None
        self._every_arm(nodes[0].cells)

    def _counting(self, trees: list[_Tree]) -> Counting:
        growth = self.growth
        opened = tuple((at, leaf) for at, tree in enumerate(trees) for leaf in tree.leaves)
        flat = [FlatTree.of(self._tree(tree.nodes), growth.features) for tree in trees]
        return Counting(
            features=growth.features,
            arms=growth.arms,
            trees=tuple(flat),
            draws=tuple(tree.draw for tree in trees),
            opened=opened,
            wanted=self._wanted(opened),
            valued=growth.of.valued,
        )

    def _wanted(self, opened: tuple[tuple[int, int], ...]) -> tuple[tuple[int, ...], ...] | None:
        """Draw the features of each open node."""
        growth = self.growth
        if growth.features_per_node is None:
            return None
        found: list[list[int]] = [[] for _ in growth.features]
        for at, (tree, node) in enumerate(opened):
            seed = seed_of(growth.seed, tree, node, 1)
            for feature in features_of(seed, len(found), growth.features_per_node):
                found[feature].append(at)
        return tuple(map(tuple, found))

    def _root(self, best: Best | None) -> _Grown:
        if best is None:
            message = "there are no rows to grow a tree on"
            raise RowsError(message)
        self._every_arm(best.total)
        return _Grown(best.total, means(best.total, self.growth.of))

    def _child(self, cells: Cells, towards: NDArray[np.float64]) -> _Grown:
        growth = self.growth
        if not growth.rules.prior_rows:
            return _Grown(cells, means(cells, growth.of))
        prior = Prior(growth.rules.prior_rows, towards)
        return _Grown(cells, drawn(cells, prior, growth.of.digits))

    def _every_arm(self, cells: Cells) -> None:
        for arm, (rows, _) in zip(self.growth.arms, cells, strict=True):
            if rows == 0:
                message = f"no row has the arm {arm!r}"
                if self.draws_rows:
                    message = (
                        f"none of the rows that one of the trees is grown or scored on has the arm "
                        f"{arm!r}: draw more rows_per_tree, or grow it with honest=False"
                    )
                raise RowsError(message)

    def _tree(self, grown: list[_Grown]) -> Node:
        """Put the nodes together; what hung below a split that was undone is no part of it."""
        if not grown:
            return Leaf((0.0,) * len(self.growth.arms))
        return self._node(grown, 0)

    def _node(self, grown: list[_Grown], at: int) -> Node:
        best, children = grown[at].best, grown[at].children
        if best is None:
            return Leaf(self._means(grown[at].cells))
        left, right = (self._node(grown, child) for child in children)
        return Split(best.feature, best.left_codes, left, right)

    def _means(self, cells: Cells) -> tuple[float, ...]:
        """Divide whole numbers as Python does: rounded once, however large they are."""
        units = 10**self.growth.of.digits
        all_rows = int(cells[:, 0].sum())
        return tuple(
            sum_ / ((all_rows if self.growth.of.valued else rows) * units)
            for rows, sum_ in cells.tolist()
        )
