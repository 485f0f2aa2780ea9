"""Calls that are a worker's own business in a process of its own, and would harm the executor here.

``os._exit`` and its like raise instead. ``faulthandler`` is recorded and not done; a function that
has turned it on is told that it is on. A process that a function forks is its own again: there
every call does what it says.
"""

from __future__ import annotations

import faulthandler
import functools
import os
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from ember_worker.state import CURRENT

if TYPE_CHECKING:
    from collections.abc import Callable

#: The process that must not end. A forked child has another number.
EXECUTOR = os.getpid()

#: Whether its functions run beside one another, which those of a worker process do not.
SHARED = False

_FAULT_HANDLER = "fault handler"

#: What was asked for and not done: name of the call, how often. For the log and the tests.
RECORDED: dict[str, int] = {}


class ProcessExit(SystemExit):
    """A function asked to end the process it runs in, which is the executor."""


def install() -> None:
    """Replace the calls. Before any third-party import, so that no module holds the originals."""
    for name in ("_exit", "abort", "execve"):
        setattr(os, name, _refused(f"os.{name}", getattr(os, name)))
    os.execv = _refused("os.execv", _with_environment(os.execv))
    ignored: tuple[tuple[Any, str], ...] = (
        (faulthandler, "register"),
        (faulthandler, "dump_traceback_later"),
        (os, "closerange"),
    )
    for module, name in ignored:
        full_name = f"{module.__name__}.{name}"
        setattr(module, name, _ignored(full_name, getattr(module, name)))
    faulthandler.enable = _remembering(_ignored("faulthandler.enable", faulthandler.enable))
    faulthandler.disable = _forgetting(faulthandler.disable)
    faulthandler.is_enabled = _remembered(faulthandler.is_enabled)


def in_executor() -> bool:
    """Return whether this is the executor itself, and not a child that a function forked."""
    return os.getpid() == EXECUTOR


def end_forked_child() -> None:
    """End a forked child that came back from its function: the bridge is its parent's."""
    if not in_executor():
        sys.stderr.flush()
        os._exit(1)


def record(name: str) -> None:
    """Note that a call was asked for and not done."""
    RECORDED[name] = RECORDED.get(name, 0) + 1


def refuse(name: str, *given: object) -> NoReturn:
    """Stop a function that made a call which would end the executor."""
    record(name)
    shown = ", ".join(map(repr, given))
    message = f"{name}({shown}) would end the executor process; the function was stopped instead"
    raise ProcessExit(message)


def _refused(name: str, call: Callable[..., Any]) -> Any:
    @functools.wraps(call)
    def refusing(*args: Any, **kwargs: Any) -> Any:
        if in_executor():
            refuse(name, *args)
        return call(*args, **kwargs)

    return refusing


def _with_environment(call: Callable[..., Any]) -> Any:
    @functools.wraps(call)
    def execv(path: Any, args: Any, /) -> NoReturn:
        os.execve(path, args, os.environ)  # noqa: S606 (the session's: C has the executor's)

    return execv


def _ignored(name: str, call: Callable[..., Any]) -> Any:
    @functools.wraps(call)
    def ignoring(*args: Any, **kwargs: Any) -> Any:
        if in_executor():
            record(name)
            return None
        return call(*args, **kwargs)

    return ignoring


def _remembering(call: Callable[..., Any]) -> Any:
    @functools.wraps(call)
    def enable(*args: Any, **kwargs: Any) -> Any:
        if in_executor():
            CURRENT.get().undo.setdefault(_FAULT_HANDLER, bool)
        return call(*args, **kwargs)

    return enable


def _forgetting(call: Callable[[], Any]) -> Any:
    @functools.wraps(call)
    def disable() -> Any:
        if in_executor():
            return CURRENT.get().undo.pop(_FAULT_HANDLER, None) is not None
        return call()

    return disable


def _remembered(call: Callable[[], bool]) -> Any:
    @functools.wraps(call)
    def is_enabled() -> bool:
        return _FAULT_HANDLER in CURRENT.get().undo if in_executor() else call()

    return is_enabled
