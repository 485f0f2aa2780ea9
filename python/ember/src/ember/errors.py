"""What the user's side of Ember raises and warns of. Every message says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.errors import PySparkException


class EmberError(RuntimeError):
    """What was asked for cannot be done here."""


class EmberWarning(UserWarning):
    """The session goes on without Ember."""


def condition_of(error: PySparkException) -> str | None:
    """Return Spark's own name for what an error is about; Spark 3.5 calls it the error's class."""
    named = getattr(error, "getCondition", None)
    return named() if named is not None else error.getErrorClass()
