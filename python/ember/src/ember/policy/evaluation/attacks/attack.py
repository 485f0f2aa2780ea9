"""An attack: what is done to sound inputs, who is given them, and which words must answer."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ember.policy.evaluation.rows import fitted, generated, random_forest
from ember.policy.fit import fit
from ember.policy.grow import grow_tree
from ember.policy.lock import lock, read_lock
from ember.policy.manifest import canonical, read
from ember.policy.score import score
from ember.policy.search import Rules
from ember.policy.trees import read_forest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyspark.sql import DataFrame

    from ember.policy.evaluation.part import Bench
    from ember.policy.lock import Lock

    Edit = Callable[[dict[str, Any]], object]

_ROWS = 400


@dataclass(frozen=True)
class Given:
    """The inputs of a policy: rows, and the texts of three documents."""

    rows: DataFrame
    manifest: str
    lock: str
    forest: str

    @staticmethod
    def sound(bench: Bench) -> Given:
        """Return inputs with which everything works."""
        rows = generated(bench, _ROWS, 4, mixed=True).cache()
        manifest = fitted(rows, bins=8)
        forest = random_forest(manifest, trees=2, depth=2)
        return Given(rows, manifest.canonical(), lock(rows, manifest).text(), forest.text())

    def with_rows(self, change: Callable[[DataFrame], DataFrame]) -> Given:
        """Return them with other rows."""
        return replace(self, rows=change(self.rows))

    def with_manifest(self, edit: Edit) -> Given:
        """Return them with another manifest."""
        return replace(self, manifest=_edited(self.manifest, edit))

    def with_lock(self, edit: Edit) -> Given:
        """Return them with another lock."""
        return replace(self, lock=_edited(self.lock, edit))

    def with_forest(self, edit: Edit) -> Given:
        """Return them with another forest."""
        return replace(self, forest=_edited(self.forest, edit))


def serve(given: Given, out: Path) -> None:
    """Score rows that are still what was locked, and write the scores."""
    _write(given, out, read_lock(given.lock))


def write(given: Given, out: Path) -> None:
    """Score rows without looking at the lock, and write the scores."""
    _write(given, out, None)


def learn(given: Given, out: Path) -> None:
    """Grow a tree by a manifest, and write it."""
    tree = grow_tree(given.rows, read(given.manifest), max_depth=2, rules=Rules(min_leaf=2))
    (out / "forest.json").write_text(tree.text())


def prepare(given: Given, out: Path) -> None:
    """Fit a manifest and write it."""
    names = [name for name in given.rows.columns if name.startswith("f")]
    manifest = fit(
        given.rows, features=names, treatment="arm", outcome="outcome", control="none", bins=8
    )
    (out / "manifest.json").write_text(manifest.canonical())


@dataclass(frozen=True)
class Attack:
    """One input that is wrong, and the words that its error has."""

    name: str
    act: Callable[[Given, Path], None]
    change: Callable[[Given], Given]
    words: tuple[str, ...]


def _write(given: Given, out: Path, locked: Lock | None) -> None:
    scored = score(given.rows, read_forest(given.forest), backend="arrow", locked=locked)
    scored.write.parquet(str(out / "scores"))


def _edited(text: str, edit: Edit) -> str:
    document = json.loads(text)
    edit(document)
    return canonical(document)
