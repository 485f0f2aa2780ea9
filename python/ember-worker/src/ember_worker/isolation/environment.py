"""``os.environ``: each session has the environment its worker process would have had.

The C environment is the executor's and is not written once sessions run: ``setenv`` races with the
JVM's threads, and one session must not see another's values. ``os.environ``, ``os.environb`` and
``os.getenv`` lead to the session's own dictionary, and so do the processes a session starts
(``children``).
"""

from __future__ import annotations

import contextlib
import functools
import os
from typing import TYPE_CHECKING, Any

from ember_worker.state import CURRENT, PROCESS, State

if TYPE_CHECKING:
    from collections.abc import Iterator


class SessionEnvironment(os._Environ):  # type: ignore[type-arg]
    """``os.environ`` with the current session's data in the place of the process's."""

    @property
    def _data(self) -> dict[bytes, bytes]:
        return CURRENT.get().environment

    def __setitem__(self, key: str, value: str) -> None:
        """Set a variable of the session, refusing what ``putenv`` refuses."""
        _put(self.encodekey(key), self.encodevalue(value))

    def __delitem__(self, key: str) -> None:
        """Remove a variable of the session."""
        if self._data.pop(self.encodekey(key), None) is None:
            raise KeyError(key)


def install() -> None:
    """Put the sessions' data behind ``os.environ`` and ``os.environb``."""
    PROCESS.environment.update(os.environb)
    views: tuple[Any, ...] = (os.environ, os.environb)
    for view in views:
        view.__class__ = SessionEnvironment
    for name, replacement in (("putenv", _putenv), ("unsetenv", _unsetenv)):
        setattr(os, name, replacement)


def widen(entries: dict[str, str]) -> None:
    """Add entries to the environment every session starts from."""
    for key, value in entries.items():
        PROCESS.environment[os.fsencode(key)] = os.fsencode(value)


@contextlib.contextmanager
def while_loading(entries: dict[str, str]) -> Iterator[None]:
    """Lend the process the variables of the session that starts it; none of them stays."""
    before = dict(PROCESS.environment)
    widen(entries)
    try:
        yield
    finally:
        PROCESS.environment.clear()
        PROCESS.environment.update(before)


def session_state(overlay: bytes) -> State:
    """Return the state of a new session whose worker environment adds ``overlay``."""
    return State({**PROCESS.environment, **_entries(overlay)})


@functools.lru_cache(maxsize=16)
def _entries(overlay: bytes) -> dict[bytes, bytes]:
    pairs = (entry.partition(b"=") for entry in overlay.split(b"\0") if entry)
    return {key: value for key, _, value in pairs}


def _put(key: bytes, value: bytes) -> None:
    if b"\0" in key or b"\0" in value:
        message = "embedded null byte"
        raise ValueError(message)
    if b"=" in key:
        message = "illegal environment variable name"
        raise ValueError(message)
    CURRENT.get().environment[key] = value


def _putenv(name: bytes | str, value: bytes | str, /) -> None:
    _put(os.fsencode(name), os.fsencode(value))


def _unsetenv(name: bytes | str, /) -> None:
    CURRENT.get().environment.pop(os.fsencode(name), None)
