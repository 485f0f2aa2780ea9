"""Calls that are a worker's own business in a process of its own, and would end the executor here.

``os._exit`` and its like raise instead. Handlers for the signals that the JVM lives by are recorded
and answered as if they were set, because the JVM uses SIGSEGV for its null checks. A process that a
function forks is its own again: there every call does what it says.
"""

from __future__ import annotations

import faulthandler
import functools
import os
import resource
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

from ember_worker.state import CURRENT, PROCESS

if TYPE_CHECKING:
    from collections.abc import Callable

#: The process that must not end. A forked child has another number.
EXECUTOR = os.getpid()

#: Signals whose handlers are the JVM's: null checks, safepoints, thread dumps, shutdown hooks.
JVM_SIGNALS = frozenset(
    {
        *(signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGUSR2),
        *(signal.SIGQUIT, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE),
    }
)

#: What was asked for and not done: name of the call, how often. For the log and the tests.
RECORDED: dict[str, int] = {}

_handlers: dict[int, Any] = {}
_set_handler, _get_handler = signal.signal, signal.getsignal
_alarm, _setitimer = signal.alarm, signal.setitimer
_TIMERS = {
    signal.ITIMER_REAL: signal.SIGALRM,
    signal.ITIMER_VIRTUAL: signal.SIGVTALRM,
    signal.ITIMER_PROF: signal.SIGPROF,
}


class ProcessExit(SystemExit):
    """A function asked to end the process it runs in, which is the executor."""


def install() -> None:
    """Replace the calls. Before any third-party import, so that no module holds the originals."""
    for name in ("_exit", "abort", "execv", "execve"):
        setattr(os, name, _refused(f"os.{name}", getattr(os, name)))
    for name in ("enable", "register", "dump_traceback_later"):
        setattr(faulthandler, name, _ignored(f"faulthandler.{name}", getattr(faulthandler, name)))
    replacements: tuple[tuple[Any, str, Any], ...] = (
        (os, "closerange", _ignored("os.closerange", os.closerange)),
        (os, "kill", _kill(os.kill)),
        (os, "killpg", _killpg(os.killpg)),
        (resource, "setrlimit", _ignored("resource.setrlimit", resource.setrlimit)),
        (signal, "raise_signal", _raise_signal(signal.raise_signal)),
        (signal, "alarm", _alarm_guarded),
        (signal, "setitimer", _setitimer_guarded),
        (signal, "signal", _signal),
        (signal, "getsignal", _getsignal),
    )
    for module, name, replacement in replacements:
        setattr(module, name, replacement)


def in_executor() -> bool:
    """Return whether this is the executor itself, and not a child that a function forked."""
    return os.getpid() == EXECUTOR


def _record(name: str) -> None:
    RECORDED[name] = RECORDED.get(name, 0) + 1


def _refused(name: str, call: Callable[..., Any]) -> Any:
    @functools.wraps(call)
    def refuse(*args: Any, **kwargs: Any) -> Any:
        if not in_executor():
            return call(*args, **kwargs)
        _record(name)
        shown = ", ".join(map(repr, args))
        message = (
            f"{name}({shown}) would end the executor process; the function was stopped instead"
        )
        raise ProcessExit(message)

    return refuse


def _ignored(name: str, call: Callable[..., Any]) -> Any:
    @functools.wraps(call)
    def ignore(*args: Any, **kwargs: Any) -> Any:
        if not in_executor():
            return call(*args, **kwargs)
        _record(name)
        return None

    return ignore


def _ends_process(number: int) -> bool:
    """Return whether a signal that the executor sends itself would end or upset it."""
    return (
        number != 0
        and not callable(_get_handler(number))
        and (_get_handler(number) != signal.SIG_IGN)
    )


def _kill(call: Callable[[int, int], None]) -> Any:
    @functools.wraps(call)
    def kill(pid: int, number: int, /) -> None:
        own = pid in (EXECUTOR, 0, -1, -os.getpgrp())
        if in_executor() and own and _ends_process(number):
            _record("os.kill")
            message = f"os.kill({pid}, {number}) would end the executor process"
            raise ProcessExit(message)
        call(pid, number)

    return kill


def _killpg(call: Callable[[int, int], None]) -> Any:
    @functools.wraps(call)
    def killpg(group: int, number: int, /) -> None:
        if in_executor() and group in (0, os.getpgrp()):
            os.kill(0, number)
        else:
            call(group, number)

    return killpg


def _raise_signal(call: Callable[[int], None]) -> Any:
    @functools.wraps(call)
    def raise_signal(number: int, /) -> None:
        if in_executor() and _ends_process(number):
            _record("signal.raise_signal")
            message = f"signal.raise_signal({number}) would end the executor process"
            raise ProcessExit(message)
        call(number)

    return raise_signal


@functools.wraps(_alarm)
def _alarm_guarded(seconds: int, /) -> int:
    _refuse_deadly_timer("signal.alarm", seconds, signal.SIGALRM)
    return _alarm(seconds)


@functools.wraps(_setitimer)
def _setitimer_guarded(which: int, seconds: float, interval: float = 0.0, /) -> Any:
    _refuse_deadly_timer("signal.setitimer", seconds, _TIMERS.get(which, 0))
    return _setitimer(which, seconds, interval)


def _refuse_deadly_timer(name: str, seconds: float, number: int) -> None:
    if seconds and in_executor() and _ends_process(number):
        _record(name)
        message = f"{name}({seconds}) without a handler would end the executor process"
        raise ProcessExit(message)


@functools.wraps(_set_handler)
def _signal(number: int, handler: Any, /) -> Any:
    off_main = threading.current_thread() is not threading.main_thread()
    if off_main or number not in JVM_SIGNALS or not in_executor():
        before = _set_handler(number, handler)  # off the main thread: Python's own ValueError
        _take_back(number, before)
        return before
    if not callable(handler) and handler not in (signal.SIG_DFL, signal.SIG_IGN):
        return _set_handler(number, handler)  # Python's own TypeError
    _record(f"signal.signal({signal.Signals(number).name})")
    before = _getsignal(number)
    _handlers[number] = handler
    CURRENT.get().undo.setdefault(f"signal {number}", lambda: _handlers.pop(number, None))
    return before


@functools.wraps(_get_handler)
def _getsignal(number: int, /) -> Any:
    if number in _handlers and in_executor():
        return _handlers[number]
    before = _get_handler(number)
    # A handler that Python does not know is the JVM's; a worker would have had the default one.
    return signal.SIG_DFL if before is None else before


def _take_back(number: int, before: Any) -> None:
    """Have the handler of a session removed with the session, and its timer before that."""
    state = CURRENT.get()
    if state is PROCESS or f"signal {number}" in state.undo:
        return

    def restore() -> None:
        for timer, expired in _TIMERS.items():
            if expired == number:
                _setitimer(timer, 0)
        _set_handler(number, signal.SIG_DFL if before is None else before)

    state.undo[f"signal {number}"] = restore


def real_exit(status: int) -> None:
    """End a forked child that came back from the function it was forked in."""
    sys.stderr.flush()
    os._exit(status)
