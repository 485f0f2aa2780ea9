"""Policies whose trees do not fit their manifest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ember.policy.evaluation.attacks.attack import Attack, Given, serve

if TYPE_CHECKING:
    from collections.abc import Callable

_DEEP: Final = 5_000


def _trees(name: str, edit: Callable[[dict[str, Any]], object], *words: str) -> Attack:
    return Attack(f"trees: {name}", serve, lambda given: given.with_forest(edit), words)


def _root(**changes: Any) -> Callable[[dict[str, Any]], object]:
    return lambda document: document["trees"][1].update(changes)


def _leaf(*scores: object) -> Callable[[dict[str, Any]], object]:
    return lambda document: document["trees"].__setitem__(1, {"scores": list(scores)})


def _nan(given: Given) -> Given:
    return replace(given, forest=given.forest.replace('"scores":[', '"scores":[NaN,', 1))


def _deep(given: Given) -> Given:
    node = '{"feature":"f0","left_codes":[1],"right":{"scores":[1,2,3]},"left":'
    text = node * _DEEP + '{"scores":[1,2,3]}' + "}" * _DEEP
    return replace(given, forest=given.forest.replace('"trees":[', f'"trees":[{text},', 1))


ATTACKS: Final = (
    Attack("trees: NaN as a score", serve, _nan, ("NaN",)),
    Attack("trees: nested without end", serve, _deep, ("nested too deeply",)),
    _trees("none", lambda d: d.update(trees=[]), "trees", "none"),
    _trees("no list", lambda d: d.update(trees={}), "trees", "no list"),
    _trees("a score less", _leaf(1.0, 2.0), "trees[1]", "3 finite scores"),
    _trees("a score as text", _leaf(1.0, 2.0, "3"), "trees[1]"),
    _trees("a huge score", _leaf(1.0, 2.0, 10**400), "trees[1]", "too large"),
    _trees("a feature that is not there", _root(feature="age"), "trees[1]", "'age'"),
    _trees("a code that is not there", _root(left_codes=[0, 99]), "trees[1]", "99"),
    _trees("a code below all", _root(left_codes=[-1]), "trees[1]", "-1"),
    _trees("codes that are no numbers", _root(left_codes=["a"]), "trees[1]"),
    _trees("half a node", lambda d: d["trees"][1].pop("right"), "trees[1]"),
)
