"""What the policy toolkit raises: each error names its cause, and nothing was written."""

from __future__ import annotations

from dataclasses import dataclass
from operator import index
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


class PolicyError(ValueError):
    """Whatever a policy, its manifest or its rows are refused for."""


class ManifestError(PolicyError):
    """A document that is no manifest, or one that contradicts itself.

    ``where`` is the place in the document, such as ``features[2].boundaries[0]``.
    """

    def __init__(self, where: str, words: str) -> None:
        super().__init__(f"{where}: {words}" if where else words)
        self.where = where


class RowsError(PolicyError):
    """Rows that a manifest does not fit: a column is absent, of another type, or out of bounds."""


def whole(name: str, value: Any) -> int:
    """Return a whole number of whatever type as Python's own: JSON and SQL know no numpy.

    :raises RowsError: if it is none
    """
    try:
        return int(index(value))
    except TypeError as error:
        message = f"{name} is {value!r}, and no whole number"
        raise RowsError(message) from error


@dataclass(frozen=True)
class Change:
    """One thing that is not as it was locked."""

    what: str
    was: str
    now: str

    def __str__(self) -> str:
        """Say it in a line."""
        return f"{self.what}: locked {self.was}, here {self.now}"


class DriftError(PolicyError):
    """What was locked is not what is here. ``changes`` has every change that was found."""

    def __init__(self, changes: Sequence[Change]) -> None:
        lines = [f"{len(changes)} changed since the lock", *(f"  {change}" for change in changes)]
        super().__init__("\n".join(lines))
        self.changes = tuple(changes)
