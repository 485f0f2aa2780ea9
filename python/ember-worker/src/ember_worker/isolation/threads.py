"""Threads that a function starts belong to its session: they run in a copy of its context.

A worker process could be ended with the threads that its last session left. The executor cannot, so
a function that leaves some is told of: what they do later, they do in its name.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import contextvars
import functools
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from ember_worker.state import CURRENT, PROCESS, State

if TYPE_CHECKING:
    from collections.abc import Iterator

# A class of the function's may have its own, which raise what its thread raised.
_join, _is_alive = threading.Thread.join, threading.Thread.is_alive

#: Threads that are about to end may take so long.
GRACE_S = 0.05


def install() -> None:
    """Let ``Thread.start`` and ``ThreadPoolExecutor.submit`` hand the context on."""
    threading.Thread.start = _starting(threading.Thread.start)  # type: ignore[method-assign]
    pool = concurrent.futures.ThreadPoolExecutor
    pool.submit = _submitting(pool.submit)  # type: ignore[method-assign]


def leave(state: State) -> None:
    """Tell the executor of threads that are still there a moment after their session's end."""
    deadline = time.monotonic() + GRACE_S
    for thread in list(state.threads):
        _join(thread, max(0.0, deadline - time.monotonic()))
    if any(map(_is_alive, state.threads)):
        state.endpoint.left_threads()


def _starting(stock: Any) -> Any:
    @functools.wraps(stock)
    def start(self: threading.Thread) -> None:
        state = CURRENT.get()
        if state is PROCESS:
            stock(self)
            return
        with _in_session(self, state):
            stock(self)
        state.threads.add(self)

    return start


@contextlib.contextmanager
def _in_session(thread: Any, state: State) -> Iterator[None]:
    """Have it begin in a copy of this context, without a frame of ours in what it raises."""
    if sys.version_info >= (3, 14):  # it has a context of its own there
        given = getattr(thread, "_context", None)
        if given is None:
            thread._context = contextvars.copy_context()
        elif not thread.is_alive():
            given.run(CURRENT.set, state)
        yield
        return
    thread._bootstrap = functools.partial(contextvars.copy_context().run, thread._bootstrap)
    try:
        yield
    finally:
        del thread._bootstrap  # a bound method in its own object would be a cycle


def _submitting(stock: Any) -> Any:
    @functools.wraps(stock)
    def submit(self: Any, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        if CURRENT.get() is PROCESS:
            return stock(self, function, *args, **kwargs)
        return stock(self, contextvars.copy_context().run, function, *args, **kwargs)

    return submit
