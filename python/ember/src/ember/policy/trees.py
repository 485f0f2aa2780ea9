"""Trees over codes, as arrays that a whole batch walks at once.

Every node has a line of a table that says for each code of its feature whether a row goes left;
numbers, categories and missing values are the same to it. A leaf is its own child.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ember.policy.codes import codes_of, width
from ember.policy.errors import ManifestError
from ember.policy.kernel import Kernel, RefusedError, plan_of
from ember.policy.manifest import Manifest, canonical, of_document, parsed

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from ember.policy.manifest import Feature


@dataclass(frozen=True)
class Leaf:
    """Where a row ends: a score for each arm, in the order of the manifest."""

    scores: tuple[float, ...]


@dataclass(frozen=True)
class Split:
    """A node that sends the rows with some codes of a feature to the left.

    :param left_codes: codes that go left, ascending; see :mod:`ember.policy.codes`
    """

    feature: str
    left_codes: tuple[int, ...]
    left: Node
    right: Node


Node = Leaf | Split


@dataclass(frozen=True)
class Forest:
    """Trees over the features of a manifest; a row's scores are the means of the trees' leaves.

    :raises ManifestError: if a node does not fit the manifest
    """

    manifest: Manifest
    trees: tuple[Node, ...]

    def __post_init__(self) -> None:
        """Refuse nodes of features, codes or arms that are not there."""
        if not self.trees:
            raise ManifestError("trees", "are none")
        for at, tree in enumerate(self.trees):
            _fitting(f"trees[{at}]", tree, self.manifest)

    def scorer(self, library: str | None) -> ForestScorer:
        """Return what scores batches on executors."""
        features, arms = self.manifest.features, self.manifest.treatment.arms
        flat = [FlatTree.of(tree, features) for tree in self.trees]
        kernel = None if library is None else Kernel(library, plan_of(features, arms, flat))
        return ForestScorer(features, flat, kernel)

    def text(self) -> str:
        """Write it as JSON in the canonical form of manifests."""
        trees = [document_of(tree) for tree in self.trees]
        return canonical({"manifest": self.manifest.document(), "trees": trees})


def read_forest(text: str) -> Forest:
    """Read what :meth:`Forest.text` wrote.

    :raises ManifestError: that names the place, for whatever is no forest
    """
    document = parsed(text)
    if not isinstance(document, dict) or set(document) != {"manifest", "trees"}:
        raise ManifestError("", "a forest has the keys manifest, trees")
    trees = document["trees"]
    if not isinstance(trees, list):
        raise ManifestError("trees", "is no list")
    manifest = of_document(document["manifest"])
    try:
        nodes = tuple(node_of(f"trees[{at}]", tree) for at, tree in enumerate(trees))
        return Forest(manifest, nodes)
    except RecursionError as error:
        raise ManifestError("trees", "are nested too deeply") from error


@dataclass(frozen=True)
class FlatTree:
    """A tree as arrays by node: feature, line of codes, children, scores; the root is the first."""

    feature: NDArray[np.intp]
    goes_left: NDArray[np.bool_]
    left: NDArray[np.intp]
    right: NDArray[np.intp]
    scores: NDArray[np.float64]
    depth: int

    @staticmethod
    def of(tree: Node, features: Sequence[Feature]) -> FlatTree:
        """Make arrays of a tree, whose nodes are numbered level by level."""
        nodes, depths = [tree], [0]
        children: list[tuple[int, int]] = []
        for at, node in enumerate(nodes):  # which grows
            children.append((at, at))
            if isinstance(node, Split):
                children[at] = (len(nodes), len(nodes) + 1)
                nodes += node.left, node.right
                depths += [depths[at] + 1] * 2
        places = {feature.name: at for at, feature in enumerate(features)}
        goes_left = np.zeros((len(nodes), max(map(width, features))), np.bool_)
        for at, node in enumerate(nodes):
            if isinstance(node, Split):
                goes_left[at, list(node.left_codes)] = True
        arms = next(len(node.scores) for node in nodes if isinstance(node, Leaf))
        none = (0.0,) * arms
        left, right = np.array(children).T
        return FlatTree(
            feature=np.array([places[n.feature] if isinstance(n, Split) else 0 for n in nodes]),
            goes_left=goes_left,
            left=left,
            right=right,
            scores=np.array([none if isinstance(n, Split) else n.scores for n in nodes]),
            depth=max(depths),
        )

    def split_by(self) -> NDArray[np.intp]:
        """Return the feature of each node that is no leaf."""
        found: NDArray[np.intp] = self.feature[self.left != np.arange(len(self.left))]
        return found


@dataclass(frozen=True)
class ForestScorer:
    """Scores of batches, natively where a library is, and else by numpy."""

    features: tuple[Feature, ...]
    trees: list[FlatTree]
    kernel: Kernel | None

    def __call__(self, columns: Sequence[pa.Array]) -> NDArray[np.float64]:
        """Score a batch: shape (rows, arms)."""
        opened = None if self.kernel is None else self.kernel.opened()
        if opened is not None:
            try:
                return opened.scores(columns, self.trees[0].scores.shape[1])
            except RefusedError:
                codes_of(columns, self.features)  # which says why
                raise
        return scores_of(self.trees, codes_of(columns, self.features))


def scores_of(trees: Sequence[FlatTree], codes: NDArray[np.int16]) -> NDArray[np.float64]:
    """Return the scores of a batch: shape (rows, arms).

    The trees' scores are added in their order, one after another, so that every batch size and
    backend rounds the same way.
    """
    total = np.zeros((codes.shape[1], trees[0].scores.shape[1]))
    for tree in trees:
        total += tree.scores[leaves_of(tree, codes)]
    return total / len(trees)


def leaves_of(tree: FlatTree, codes: NDArray[np.int16]) -> NDArray[np.intp]:
    """Return the number of the node that each row ends in."""
    rows = np.arange(codes.shape[1])
    at = np.zeros(codes.shape[1], np.intp)
    for _ in range(tree.depth):
        left = tree.goes_left[at, codes[tree.feature[at], rows]]
        at = np.where(left, tree.left[at], tree.right[at])
    return at


def _fitting(where: str, node: Node, manifest: Manifest) -> None:
    if isinstance(node, Leaf):
        arms = len(manifest.treatment.arms)
        if len(node.scores) != arms or not all(map(math.isfinite, node.scores)):
            raise ManifestError(where, f"{node.scores} are not {arms} finite scores, one an arm")
        return
    feature = next((each for each in manifest.features if each.name == node.feature), None)
    if feature is None:
        raise ManifestError(where, f"{node.feature!r} is no feature of the manifest")
    codes = node.left_codes
    if list(codes) != sorted(set(codes)) or not all(0 <= code < width(feature) for code in codes):
        words = f"{codes} are not ascending codes of {node.feature!r}, which has {width(feature)}"
        raise ManifestError(where, words)
    _fitting(f"{where}.left", node.left, manifest)
    _fitting(f"{where}.right", node.right, manifest)


def document_of(node: Node) -> dict[str, Any]:
    """Write a tree as JSON has it."""
    if isinstance(node, Leaf):
        return {"scores": list(node.scores)}
    return {
        "feature": node.feature,
        "left_codes": list(node.left_codes),
        "left": document_of(node.left),
        "right": document_of(node.right),
    }


def node_of(where: str, document: Any) -> Node:
    """Read what :func:`document_of` wrote.

    :raises ManifestError: that names the place, for whatever is no tree
    """
    match document:
        case {"scores": list(scores), **rest} if not rest and _all(scores, (int, float)):
            if any(abs(each) > sys.float_info.max for each in scores):
                raise ManifestError(where, "a score is too large for a double")
            return Leaf(tuple(map(float, scores)))
        case {
            "feature": str(feature),
            "left_codes": list(codes),
            "left": l,
            "right": r,
            **rest,
        } if not rest and _all(codes, int):
            return Split(
                feature, tuple(codes), node_of(f"{where}.left", l), node_of(f"{where}.right", r)
            )
    words = "is neither scores nor a feature, left_codes, left and right"
    raise ManifestError(where, words)


def _all(values: list[Any], types: type | tuple[type, ...]) -> bool:
    return all(isinstance(each, types) and not isinstance(each, bool) for each in values)
