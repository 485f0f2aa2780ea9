"""Manifests that are none, or that contradict themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ember.policy.evaluation.attacks.attack import Attack, Given, learn

if TYPE_CHECKING:
    from collections.abc import Callable


def _text(name: str, change: Callable[[str], str], *words: str) -> Attack:
    def changed(given: Given) -> Given:
        return replace(given, manifest=change(given.manifest))

    return Attack(f"manifest: {name}", learn, changed, words)


def _edit(name: str, edit: Callable[[dict[str, Any]], object], *words: str) -> Attack:
    return Attack(f"manifest: {name}", learn, lambda given: given.with_manifest(edit), words)


def _first(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["features"][0]
    return found


def _named(document: dict[str, Any], name: str) -> None:
    document["features"][1]["name"] = name


def _boundary(value: Any) -> Callable[[dict[str, Any]], object]:
    return lambda document: _first(document)["boundaries"].__setitem__(1, value)


ATTACKS: Final = (
    _text("empty", lambda _: "", "is no JSON"),
    _text("cut off", lambda text: text[: len(text) // 2], "is no JSON"),
    _text("a key twice", lambda text: text.replace("{", '{"rows":1,', 1), "rows", "twice"),
    _text("nested without end", lambda _: "[" * 100_000, "nested too deeply"),
    _text(
        "a number of thousands of digits",
        lambda text: text.replace('"rows":', f'"rows":{"1" * 5000}', 1),
        "is no JSON",
    ),
    _edit("half a character", lambda d: _named(d, "\ud800"), "half a character"),
    _text(
        "an infinite boundary",
        lambda text: text.replace('"boundaries":[', '"boundaries":[-Infinity,', 1),
        "-Infinity",
    ),
    _text(
        "NaN as a boundary",
        lambda text: text.replace('"boundaries":[', '"boundaries":[NaN,', 1),
        "NaN",
    ),
    _edit("a key that nobody knows", lambda d: d.update(notes="x"), "notes"),
    _edit("no treatment", lambda d: d.pop("treatment"), "treatment", "required"),
    _edit("of version 2", lambda d: d.update(version=2), "version"),
    _edit("rows as text", lambda d: d.update(rows="400"), "rows", "integer"),
    _edit("fewer rows than none", lambda d: d.update(rows=-1), "rows", "minimum"),
    _edit("no features", lambda d: d.update(features=[]), "features"),
    _edit("a feature twice", lambda d: _named(d, "f0"), "'f0'", "twice"),
    _edit("features that differ in case", lambda d: _named(d, "F0"), "'F0'", "twice"),
    _edit("the treatment as a feature", lambda d: _named(d, "arm"), "'arm'", "twice"),
    _edit("a feature of no name", lambda d: _named(d, ""), "features[1].name"),
    _edit("a feature of no kind", lambda d: _first(d).update(kind="vector"), "vector"),
    _edit("boundaries as text", _boundary("1.5"), "features[0].boundaries[1]"),
    _edit("boundaries that descend", _boundary(-1e9), "features[0].boundaries[1]", "exceed"),
    _edit("a boundary twice", lambda d: _boundary(_first(d)["boundaries"][0])(d), "boundaries[1]"),
    _edit("a rule that is none", lambda d: _first(d).update(missing="guess"), "guess"),
    _edit(
        "a category twice",
        lambda d: d["features"][1]["categories"].append(d["features"][1]["categories"][0]),
        "features[1].categories",
    ),
    _edit("one arm", lambda d: d["treatment"].update(arms=["none"]), "treatment.arms"),
    _edit("an arm twice", lambda d: d["treatment"].update(arms=["none", "none"]), "treatment.arms"),
    _edit(
        "a control that is no arm",
        lambda d: d["treatment"].update(control="None"),
        "treatment.control",
        "'None'",
    ),
    _edit("twelve digits", lambda d: d["outcome"].update(digits=12), "outcome.digits"),
)
