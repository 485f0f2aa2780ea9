"""Ember: PySpark's Python functions inside the executor. This package is the user's side."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from ember.builder import enable, session
    from ember.errors import EmberError, EmberWarning
    from ember.jars import jar
    from ember.native import native_function
    from ember.sampling import flamegraph

__all__ = [
    "EmberError",
    "EmberWarning",
    "enable",
    "flamegraph",
    "jar",
    "native_function",
    "session",
]

_MODULES: Final = {
    "EmberError": "errors",
    "EmberWarning": "errors",
    "enable": "builder",
    "flamegraph": "sampling",
    "jar": "jars",
    "native_function": "native",
    "session": "builder",
}


def __getattr__(name: str) -> Any:
    """Import what needs PySpark when it is asked for: the doctor does without."""
    if name in _MODULES:
        return getattr(import_module(f"ember.{_MODULES[name]}"), name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
