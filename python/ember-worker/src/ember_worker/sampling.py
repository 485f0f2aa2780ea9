"""Samples what sessions do while somebody draws a flame graph: the Python frames of their threads.

The plugin asks for it in a session's environment, with how often, when its task opened it, and a
folder. One thread looks at all the sessions of this process that were asked for, and goes with the
last of them; at its end a session leaves a file in the folder, which the plugin joins with Java's
frames (``SessionStacks`` says what is in it). A process that nobody asks has no such thread.

The thread needs Python's lock for a look. What a function does with the lock in hand, in C, is seen
when it comes back; each look counts for the time since the last one, so nothing is lost by that.
"""

from __future__ import annotations

import contextlib
import contextvars
import gc
import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from ember_worker import guards
from ember_worker.state import CURRENT, PROCESS

if TYPE_CHECKING:
    from types import CodeType, FrameType

    from ember_worker.state import State

    _Stack = tuple[CodeType, ...]

#: As the plugin calls it.
VARIABLE = "EMBER_SAMPLING"

#: The frames of these files are no function's: a session that is in one takes or gives a batch.
_OURS = os.path.dirname(os.path.abspath(__file__)) + os.sep


class _Sampled:
    """A session that is looked at, and what was seen of it."""

    def __init__(self, state: State, folder: str, opened: int) -> None:
        self.folder = folder
        self._state = state
        self._thread = threading.get_ident()
        self._opened = opened
        self._last = time.monotonic_ns()
        self._task: int | None = None
        self._nanos: dict[_Stack, int] = {}

    def look(self, frames: dict[int, FrameType], now: int) -> None:
        """Add the time since the last look to what the session's thread is in."""
        elapsed, self._last = now - self._last, now
        if self._task is None:
            self._task = _task(self._state)
        stack = _stack(frames.get(self._thread))
        if stack:
            self._nanos[stack] = self._nanos.get(stack, 0) + elapsed

    def leave(self) -> None:
        """Write what was seen, all at once; the folder is gone if nobody wants it any more."""
        if self._task is None:
            return
        ended = time.monotonic_ns()
        lines = [f"{self._task} {self._opened} {ended}"]
        lines += (f"{nanos}\t{_words(stack)}" for stack, nanos in list(self._nanos.items()))
        path = os.path.join(self.folder, f"{os.getpid()}-{self._thread}-{self._opened}")
        with contextlib.suppress(OSError):
            with open(path, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write("\n".join(lines))
            os.rename(path, f"{path}.stacks")


class _Sampler:
    """The sessions that are looked at, and the thread that does."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sessions: dict[State, _Sampled] = {}
        self._thread: threading.Thread | None = None
        self._seconds = 0.0
        self._again = threading.Event()

    def begin(self, state: State, sampled: _Sampled, seconds: float) -> None:
        """Look at a session, too."""
        with self._lock:
            self._sessions[state] = sampled
            self._seconds = seconds
            if self._thread is not None and self._thread.is_alive():
                self._again.set()
                return
            self._thread = threading.Thread(target=self._run, daemon=True)
            # It is nobody's: threads of a session are counted as its function's. Where there can
            # be no thread, there is a hole in the picture.
            with contextlib.suppress(RuntimeError):
                contextvars.Context().run(self._thread.start)

    def end(self, state: State) -> None:
        """Look at it no longer."""
        if state not in self._sessions or not guards.in_executor():
            return
        with self._lock:
            sampled = self._sessions.pop(state, None)
        if sampled is not None:
            sampled.leave()

    def _run(self) -> None:
        while True:
            # A session that begins may want other looks than those before it.
            if self._again.wait(self._seconds):
                self._again.clear()
            with self._lock:
                for state, sampled in list(self._sessions.items()):
                    if not os.path.isdir(sampled.folder):
                        del self._sessions[state]
                if not self._sessions:
                    self._thread = None
                    return
                frames, now = _current_frames(), time.monotonic_ns()
                for sampled in self._sessions.values():
                    sampled.look(frames, now)
            del frames  # they keep a function's variables alive


_sampler = _Sampler()


def begin() -> None:
    """Have the session that begins on this thread looked at, if that is asked for."""
    asked = os.environ.pop(VARIABLE, None)
    if asked is not None:
        milliseconds, opened, folder = asked.split(":", 2)
        state = CURRENT.get()
        _sampler.begin(state, _Sampled(state, folder, int(opened)), int(milliseconds) / 1000)


def end(state: State = PROCESS) -> None:
    """Say that the session has ended. A second call does nothing."""
    _sampler.end(state)


def _current_frames() -> dict[int, FrameType]:
    """Return what each thread is in. A collection within the call would never end in early 3.11."""
    if not (3, 11) <= sys.version_info < (3, 11, 9):
        return sys._current_frames()
    collects = gc.isenabled()
    gc.disable()
    try:
        return sys._current_frames()
    finally:
        if collects:
            gc.enable()


def _task(state: State) -> int | None:
    """Return the number of the session's task once Spark's worker code has read it."""
    for context in list(state.task_contexts.values()):
        number: Any = getattr(context, "_taskAttemptId", None)
        if number is not None:
            return int(number)
    return None


def _stack(frame: FrameType | None) -> _Stack:
    """Return what a thread is in, the outermost first, without our own frames; () if in those."""
    if frame is None or _is_ours(frame):
        return ()
    found = []
    while frame is not None:
        if not _is_ours(frame):
            found.append(frame.f_code)
        frame = frame.f_back
    return tuple(reversed(found))


def _is_ours(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith(_OURS)


def _words(stack: _Stack) -> str:
    return ";".join(map(_name, stack))


def _name(code: CodeType) -> str:
    """Name a function as ``name (file:line)``; what would end a frame or a line is replaced."""
    name = getattr(code, "co_qualname", code.co_name)  # since Python 3.11
    text = f"{name} ({os.path.basename(code.co_filename)}:{code.co_firstlineno})"
    return text.translate(_FORBIDDEN)


_FORBIDDEN = str.maketrans(";\n\r\t", ":   ")
