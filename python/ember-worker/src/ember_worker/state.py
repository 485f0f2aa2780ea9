"""What belongs to one session and to nothing else.

PySpark keeps this in globals because its worker is a process. Here every session runs in its own
``contextvars.Context``, and ``CURRENT`` leads from any code of a session, on whichever thread it
runs, to the session's own state. Code that belongs to no session sees ``PROCESS``.
"""

from __future__ import annotations

import contextlib
import contextvars
import threading
import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class State:
    """The state of one session, or of the process outside any session."""

    __slots__ = (
        *("accumulators", "broadcasts", "closed", "endpoint", "environment", "files_root"),
        *("needs_process", "task_contexts", "thread", "threads", "undo"),
    )

    def __init__(self, environment: dict[bytes, bytes]) -> None:
        """Start with nothing but the environment the session's worker process would have had."""
        self.environment = environment
        #: The thread that runs it, which is the main thread of a worker process.
        self.thread = threading.get_ident()
        #: Those that its function started.
        self.threads: weakref.WeakSet[threading.Thread] = weakref.WeakSet()
        #: Why it has to run in a worker process, once its function has been stopped for that.
        self.needs_process: str | None = None
        #: The standard streams that its function has closed.
        self.closed: set[object] = set()
        #: What the session changed in the process, by name, with the call that takes it back.
        self.undo: dict[str, Callable[[], object]] = {}
        self.clear()

    def clear(self) -> None:
        """Forget what PySpark keeps of a session; another one begins in the same process."""
        self.accumulators: dict[int, Any] = {}
        self.broadcasts: dict[int, Any] = {}
        self.task_contexts: dict[type, Any] = {}
        self.files_root: str | None = None
        #: Where its batches come from; nothing before its functions are read, and after its end.
        self.endpoint: Any = None

    def runs_here(self) -> bool:
        """Return whether it is a session's, and this is the thread that runs it."""
        return self is not PROCESS and threading.get_ident() == self.thread

    def take_back(self) -> None:
        """Take back what the session changed in the process, the latest change first."""
        while self.undo:
            _, restore = self.undo.popitem()
            # A directory that is gone, a locale that was removed: the rest must still go back.
            with contextlib.suppress(Exception):
                restore()


PROCESS = State({})
CURRENT: contextvars.ContextVar[State] = contextvars.ContextVar("ember_session", default=PROCESS)
