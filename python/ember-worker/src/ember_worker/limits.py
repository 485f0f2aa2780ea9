"""Limits of the process, which are the executor's own: a function that sets one needs a worker.

What a limit is for (less memory, fewer files, no core dumps) cannot be had for a function alone,
so the session ends, and the task is tried again in a worker process. What changes nothing is
answered as the kernel would answer. What another thread than the function's asks for, which has no
session to end, is recorded and not set.
"""

from __future__ import annotations

import functools
import os
import resource
from typing import Any

from ember_worker import guards
from ember_worker.signals import need_process
from ember_worker.state import CURRENT

_set = resource.setrlimit
#: Only Linux has it.
_of_process: Any = getattr(resource, "prlimit", None)


def install() -> None:
    """Replace the calls. Before any third-party import, so that no module holds the originals."""
    resource.setrlimit = _setrlimit
    if _of_process is not None:
        resource.prlimit = _prlimit


@functools.wraps(_set)
def _setrlimit(which: int, limits: Any, /) -> None:
    if _is_ours(which, limits):
        _leave_or_refuse("resource.setrlimit", which, limits)
    else:
        _set(which, limits)


def _prlimit(pid: int, which: int, limits: Any = None, /) -> Any:
    if limits is None or pid not in (0, os.getpid()) or not _is_ours(which, limits):
        return _of_process(pid, which) if limits is None else _of_process(pid, which, limits)
    before = resource.getrlimit(which)
    _leave_or_refuse("resource.prlimit", which, limits)
    return before


def _is_ours(which: object, limits: Any) -> bool:
    """Return whether the call would do something to the executor: it may be only an error."""
    if not guards.in_executor():
        return False
    try:
        soft, hard = limits
        resource.getrlimit(which)  # type: ignore[arg-type]
        return _unsigned(soft) <= _unsigned(hard)
    except (OverflowError, TypeError, ValueError):
        return False


def _unsigned(limit: int) -> int:
    return int(limit) & (1 << 64) - 1


def _leave_or_refuse(name: str, which: int, limits: Any) -> None:
    """Stop the session, unless the limits are these already. A thread of its own stops nobody."""
    if tuple(limits) == resource.getrlimit(which):
        return
    guards.record(name)
    if CURRENT.get().runs_here():
        need_process(f"{name}({which}, {limits})")
