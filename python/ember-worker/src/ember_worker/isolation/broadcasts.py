"""Broadcast variables: loaded once for all sessions, visible only to those that were sent them.

A worker process is told what is new since its last task. An embedded session is told everything,
each time, so a variable that some session has already loaded must not be read again. What is kept
is keyed by id *and* path: ids start again at zero with a new Spark application in the same JVM,
paths do not.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from ember_worker.isolation.registry import SessionRegistry

#: Variables kept for later sessions; those in use stay alive through the sessions that use them.
KEPT = 32


class BroadcastRegistry(SessionRegistry):
    """The session's variables, shared with other sessions when id and path are the same."""

    def __init__(self) -> None:
        """Start with nothing kept."""
        super().__init__("broadcasts")
        self._kept: OrderedDict[tuple[int, str], Any] = OrderedDict()

    def __setitem__(self, key: int, value: Any) -> None:
        """Register a variable, or the one already loaded in its place."""
        path = getattr(value, "_path", None)
        if path is None:
            super().__setitem__(key, value)
            return
        shared = self._kept.setdefault((key, path), value)
        super().__setitem__(key, shared)
        self._kept.move_to_end((key, path))
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)

    def pop(self, key: int, default: Any = None) -> Any:
        """Forget a variable; a removal of one the session never had means nothing."""
        return self._entries().pop(key, default)


def install() -> None:
    """Replace the registry."""
    import pyspark.core.broadcast

    stock: Any = pyspark.core.broadcast
    stock._broadcastRegistry = BroadcastRegistry()
