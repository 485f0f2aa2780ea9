"""What a policy takes for granted of its rows, as one document that is read once and then trusted.

The canonical form is JSON with sorted keys, without white space, in UTF-8 without escapes, whose
numbers are the shortest that read back as the same. Two manifests are equal if and only if their
canonical forms are the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from ember.policy.errors import ManifestError

if TYPE_CHECKING:
    from collections.abc import Callable

VERSION: Final = 1

#: Digits after the point that values of arms have at least, where they are counted.
VALUE_DIGITS: Final = 6

#: Boundaries or categories of a feature: codes are whole numbers of 16 bits.
MOST_CODES: Final = 32_000

#: Digits that an outcome has after the point, at most.
MOST_DIGITS: Final = 9

Rule = Literal["bin", "error"]


@dataclass(frozen=True)
class Numeric:
    """A feature that is compared as a double; null and NaN are missing.

    A value's bin is the number of boundaries that are lower than it: it is at or below its own.
    """

    name: str
    boundaries: tuple[float, ...]
    missing: Rule = "bin"
    kind: Literal["numeric"] = field(default="numeric", init=False)

    def __post_init__(self) -> None:
        """Hold doubles, of which -0.0 is the zero that equals it."""
        object.__setattr__(self, "boundaries", tuple(float(b) + 0.0 for b in self.boundaries))


@dataclass(frozen=True)
class Categorical:
    """A feature of a written vocabulary, compared as text; a category's code is its place."""

    name: str
    categories: tuple[str, ...]
    missing: Rule = "bin"
    unseen: Rule = "bin"
    kind: Literal["categorical"] = field(default="categorical", init=False)


Feature = Numeric | Categorical


@dataclass(frozen=True)
class Treatment:
    """Which arm a row got. ``arms`` is the whole vocabulary, in the order of a score vector."""

    column: str
    arms: tuple[str, ...]
    control: str


@dataclass(frozen=True)
class Outcome:
    """What a policy is to make large, in units of ``10 ** -digits``, halves away from zero."""

    column: str
    digits: int

    def counted_digits(self, *, valued: bool) -> int:
        """Return the digits of what is counted: values of arms are fractions of what was measured.

        Rounded as coarsely as outcomes they would be off by as much as an outcome in every row.
        """
        return max(self.digits, VALUE_DIGITS) if valued else self.digits


@dataclass(frozen=True)
class Manifest:
    """The features in their order, the arms, the outcome, and what they were fitted with.

    :raises ManifestError: where it contradicts itself
    """

    rows: int
    features: tuple[Feature, ...]
    treatment: Treatment
    outcome: Outcome
    libraries: dict[str, str]

    def __post_init__(self) -> None:
        """Refuse what the schema refuses, and what it cannot express."""
        _conform(self.document())
        _each_once("the columns of features, treatment and outcome", self.columns, str.casefold)
        for at, feature in enumerate(self.features):
            if isinstance(feature, Numeric):
                _ascending(f"features[{at}].boundaries", feature.boundaries)
            else:
                _each_once(f"features[{at}].categories", feature.categories)
            _few(f"features[{at}]", feature)
        _each_once("treatment.arms", self.treatment.arms)
        if self.treatment.control not in self.treatment.arms:
            _refuse("treatment.control", f"{self.treatment.control!r} is none of the arms")
        _of_characters(self.canonical())

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that a policy reads: features in their order, treatment, outcome."""
        names = (feature.name for feature in self.features)
        return (*names, self.treatment.column, self.outcome.column)

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self) | {"version": VERSION}))
        return plain

    def canonical(self) -> str:
        """Return the one text that stands for it."""
        return canonical(self.document())

    def digest(self) -> str:
        """Return the SHA-256 of the canonical form, in 64 hexadecimal digits."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()


def read(text: str) -> Manifest:
    """Read a manifest's JSON.

    :raises ManifestError: that names the place, for whatever is no manifest
    """
    return of_document(parsed(text))


def parsed(text: str) -> Any:
    """Read JSON in which no key comes twice and every number is finite."""
    try:
        return json.loads(text, object_pairs_hook=_no_key_twice, parse_constant=_not_finite)
    except ManifestError:
        raise
    except ValueError as error:  # JSON's own, and that of a number of thousands of digits
        message = f"is no JSON: {error}"
        raise ManifestError("", message) from error
    except RecursionError as error:
        raise ManifestError("", "is nested too deeply") from error


def of_document(document: Any) -> Manifest:
    """Make a manifest of what JSON has of it.

    :raises ManifestError: that names the place, for whatever is no manifest
    """
    _conform(document)
    outcome = document["outcome"]
    return Manifest(
        rows=int(document["rows"]),
        features=tuple(_feature(each) for each in document["features"]),
        treatment=Treatment(**_tuples(document["treatment"])),
        outcome=Outcome(outcome["column"], int(outcome["digits"])),
        libraries=document["libraries"],
    )


def canonical(document: Any) -> str:
    """Write JSON in its canonical form."""
    return json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def _conform(document: Any) -> None:
    wrong = best_match(_validator().iter_errors(document))
    if wrong is not None:
        _refuse(wrong.json_path.removeprefix("$").removeprefix("."), wrong.message)


def _feature(document: dict[str, Any]) -> Feature:
    given = _tuples({key: value for key, value in document.items() if key != "kind"})
    return Numeric(**given) if document["kind"] == "numeric" else Categorical(**given)


def _tuples(document: dict[str, Any]) -> dict[str, Any]:
    return {
        key: tuple(value) if isinstance(value, list) else value for key, value in document.items()
    }


@cache
def _validator() -> Draft202012Validator:
    schema = files(__package__).joinpath("manifest.schema.json").read_text(encoding="utf-8")
    return Draft202012Validator(json.loads(schema))


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        _refuse(twice, "the key comes twice")
    return found


def _not_finite(word: str) -> NoReturn:
    _refuse("", f"{word} is no number of JSON, and no boundary")


def _of_characters(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        _refuse("", f"{text[error.start : error.end]!a} is half a character")


def _each_once(where: str, names: tuple[str, ...], key: Callable[[str], str] = str) -> None:
    seen: set[str] = set()
    for name in names:
        if key(name) in seen:
            _refuse(where, f"{name!r} comes twice")
        seen.add(key(name))


def _ascending(where: str, boundaries: tuple[float, ...]) -> None:
    for at, boundary in enumerate(boundaries):
        if not math.isfinite(boundary):
            _refuse(f"{where}[{at}]", f"{boundary} is not finite")
        if at and boundary <= boundaries[at - 1]:
            _refuse(f"{where}[{at}]", f"{boundary!r} does not exceed the boundary before it")


def _few(where: str, feature: Feature) -> None:
    values = feature.boundaries if isinstance(feature, Numeric) else feature.categories
    if len(values) > MOST_CODES:
        _refuse(where, f"has {len(values):,} boundaries or categories, more than {MOST_CODES:,}")


def _refuse(where: str, words: str) -> NoReturn:
    raise ManifestError(where, words)
