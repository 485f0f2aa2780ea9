"""Broadcast variables: loaded once for all sessions, visible only to those that were sent them.

A worker process is told what is new since its last task. An embedded session is told everything,
each time, so a variable that some session has already loaded must not be read again. Variables are
known by id *and* path: ids start again at zero with a new Spark application in the same JVM, paths
do not. What stays in memory is what a worker would keep: the variables of running sessions, and of
the last one that had any.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from ember_worker.isolation.registry import SessionRegistry

if TYPE_CHECKING:
    from ember_worker.state import State


class BroadcastRegistry(SessionRegistry):
    """The session's variables, shared with other sessions when id and path are the same."""

    def __init__(self) -> None:
        """Start with nothing loaded."""
        super().__init__("broadcasts")
        self._lock = threading.Lock()
        self._loaded: WeakValueDictionary[tuple[int, str], Any] = WeakValueDictionary()

    def __setitem__(self, key: int, value: Any) -> None:
        """Register a variable, or the one already loaded in its place."""
        path = getattr(value, "_path", None)
        if path is not None:
            with self._lock:
                value = self._loaded.setdefault((key, path), value)
        super().__setitem__(key, value)

    def pop(self, key: int, default: Any = None) -> Any:
        """Forget a variable; a removal of one the session never had means nothing."""
        return self._entries().pop(key, default)


_of_last_session: list[dict[int, Any]] = []


def install() -> None:
    """Replace the registry."""
    from ember_worker import moved

    moved.broadcast._broadcastRegistry = BroadcastRegistry()


def keep(state: State) -> None:
    """Keep the variables of a session that ends for the next one, in place of the last one's."""
    if state.broadcasts:
        _of_last_session[:] = [state.broadcasts]
