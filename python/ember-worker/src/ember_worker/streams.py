"""Standard streams: what a function prints goes to the executor's standard error, as with Spark.

Spark sends its workers' standard output there, and their standard input is empty. All sessions
have the same streams, and who closes one has closed it for its own session. Who puts another in its
place needs a worker: it would take what others print.
"""

from __future__ import annotations

import contextlib
import functools
import io
import os
import sys
import types
from typing import TYPE_CHECKING, Any, TextIO

from ember_worker import guards
from ember_worker.signals import need_process
from ember_worker.state import CURRENT

if TYPE_CHECKING:
    from collections.abc import Callable

_STDERR = 2

#: What makes each of them, by its name in ``sys``.
_made: dict[str, Callable[[], TextIO]] = {}


def install() -> None:
    """Point ``sys.stdin``, ``sys.stdout`` and ``sys.stderr`` at their places."""
    # How Python, at its start, took the locale to mean it: as it does in a worker.
    errors = "strict" if sys.__stdout__ is None else sys.__stdout__.errors
    encoding = "utf-8" if sys.__stderr__ is None else sys.__stderr__.encoding
    _made["stdin"] = functools.partial(_empty, errors)
    _made["stdout"] = functools.partial(_text, "utf-8", errors)
    _made["stderr"] = functools.partial(_text, encoding, "backslashreplace")
    for name, make in _made.items():
        stream = make()
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    sys.__class__ = _Sys


def reopen() -> None:
    """Let no later session find a stream closed, be it one that stands in the place of ours."""
    CURRENT.get().closed.clear()
    for name, make in _made.items():
        if _is_shut(getattr(sys, f"__{name}__", None)):
            setattr(sys, f"__{name}__", make())
        if _is_shut(getattr(sys, name, None)):
            vars(sys)[name] = getattr(sys, f"__{name}__")


def flush() -> None:
    """Write out what a session has printed without ending the line."""
    for stream in (sys.stdout, sys.__stdout__, sys.stderr):
        # A function may have replaced or closed them.
        with contextlib.suppress(Exception):
            stream.flush()  # type: ignore[union-attr]


class _OfModules(type):
    """``type(sys)`` stands for all modules, as it does where ``sys`` is one like any other."""

    def __instancecheck__(cls, instance: object) -> bool:
        if cls is _Sys:
            return isinstance(instance, types.ModuleType)
        return super().__instancecheck__(instance)

    def __subclasscheck__(cls, subclass: type) -> bool:
        if cls is _Sys:
            return issubclass(subclass, types.ModuleType)
        return super().__subclasscheck__(subclass)

    def __eq__(cls, other: object) -> bool:
        return other is cls or (cls is _Sys and other is types.ModuleType)

    def __hash__(cls) -> int:
        return hash(types.ModuleType) if cls is _Sys else super().__hash__()


class _Sys(types.ModuleType, metaclass=_OfModules):
    """The module ``sys``, in which a session puts no stream of its own in the place of another.

    What is derived from it, as from ``type(sys)``, is a class of modules and no more.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Make a module like any other: Python makes those that it imports by ``type(sys)``."""
        if cls is _Sys:
            return types.ModuleType(*args, **kwargs)
        return super().__new__(cls, *args, **kwargs)

    def __setattr__(self, name: str, value: object) -> None:
        """Set a variable; a stream only outside of sessions, and where it is there already."""
        if self is sys and (name not in _made or vars(self).get(name, _made) is not value):
            _ask(name)
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        """Delete a variable; a stream only outside of sessions."""
        if self is sys:
            _ask(name)
        super().__delattr__(name)


def _ask(name: str) -> None:
    if name in _made and guards.in_executor() and CURRENT.get().runs_here():
        need_process(f"setting sys.{name}")


class _Stream(io.TextIOWrapper):
    """One that is closed for those sessions only that have closed it."""

    @property
    def closed(self) -> bool:
        """Whether the session may not use it; the calls of the class ask this first."""
        return self in CURRENT.get().closed or super().closed

    def close(self) -> None:
        """Close it for the session."""
        if not self.closed:
            try:
                self.flush()
            finally:
                CURRENT.get().closed.add(self)


def _is_shut(stream: object) -> bool:
    try:
        return stream is None or bool(getattr(stream, "closed", False))
    except Exception:  # noqa: BLE001 - it has lost its buffer, or is the function's own
        return True


def _empty(errors: str | None) -> TextIO:
    return _Stream(open(os.devnull, "rb"), encoding="utf-8", errors=errors)


def _text(encoding: str, errors: str | None) -> TextIO:
    raw = io.FileIO(_STDERR, "w", closefd=False)
    return _Stream(io.BufferedWriter(raw), encoding=encoding, errors=errors, line_buffering=True)
