"""Ember: PySpark's Python functions inside the executor. This package is the user's side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ember.native import native_function

__all__ = ["native_function"]


def __getattr__(name: str) -> Any:
    """Import what needs PySpark when it is asked for: the doctor does without."""
    if name == "native_function":
        from ember.native import native_function  # noqa: PLC0415

        return native_function
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
