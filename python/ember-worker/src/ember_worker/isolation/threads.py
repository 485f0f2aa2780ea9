"""Threads that a function starts belong to its session: they run in a copy of its context.

A worker process could be ended with the threads that its last session left. The executor cannot, so
a function that leaves some is told of: what they do later, they do in its name.
"""

from __future__ import annotations

import concurrent.futures
import contextvars
import functools
import threading
import time
from typing import Any

from ember_worker.state import CURRENT, PROCESS, State

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
        if state is not PROCESS and "run" not in self.__dict__:
            context = contextvars.copy_context()
            run = self.run

            def run_in_session() -> None:
                del self.run  # a bound closure in its own object would be a cycle
                context.run(run)

            self.run = run_in_session  # type: ignore[method-assign]
        stock(self)
        if state is not PROCESS:
            state.threads.add(self)

    return start


def _submitting(stock: Any) -> Any:
    @functools.wraps(stock)
    def submit(self: Any, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        if CURRENT.get() is PROCESS:
            return stock(self, function, *args, **kwargs)
        return stock(self, contextvars.copy_context().run, function, *args, **kwargs)

    return submit
