"""Threads that a function starts belong to its session: they run in a copy of its context."""

from __future__ import annotations

import concurrent.futures
import contextvars
import functools
import threading
from typing import Any

from ember_worker.state import CURRENT, PROCESS


def install() -> None:
    """Let ``Thread.start`` and ``ThreadPoolExecutor.submit`` hand the context on."""
    threading.Thread.start = _starting(threading.Thread.start)  # type: ignore[method-assign]
    pool = concurrent.futures.ThreadPoolExecutor
    pool.submit = _submitting(pool.submit)  # type: ignore[method-assign]


def _starting(stock: Any) -> Any:
    @functools.wraps(stock)
    def start(self: threading.Thread) -> None:
        if CURRENT.get() is not PROCESS and "run" not in self.__dict__:
            context = contextvars.copy_context()
            run = self.run

            def run_in_session() -> None:
                del self.run  # a bound closure in its own object would be a cycle
                context.run(run)

            self.run = run_in_session  # type: ignore[method-assign]
        stock(self)

    return start


def _submitting(stock: Any) -> Any:
    @functools.wraps(stock)
    def submit(self: Any, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        if CURRENT.get() is PROCESS:
            return stock(self, function, *args, **kwargs)
        return stock(self, contextvars.copy_context().run, function, *args, **kwargs)

    return submit
