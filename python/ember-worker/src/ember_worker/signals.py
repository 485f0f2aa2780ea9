"""Signals and timers: the JVM's handlers stay the JVM's, and a function's own need a worker.

A handler for a signal that the JVM lives by is remembered and answered as if it were set, and set
in what is forked: the JVM uses SIGSEGV for its null checks and dies without its handler. For other
signals a session that sets one is stopped, and the task is tried again in a worker process: Python
runs handlers on its main thread alone, which no other lane is, and that thread is not told of a
signal that came to one of the JVM's. The executor never sends itself a signal that would end it.
"""

from __future__ import annotations

import functools
import os
import signal
import threading
from typing import TYPE_CHECKING, Any, NoReturn

from ember_worker import guards
from ember_worker.state import CURRENT, PROCESS

if TYPE_CHECKING:
    from collections.abc import Callable

#: Signals whose handlers are the JVM's: null checks, safepoints, thread dumps, shutdown hooks.
JVM_SIGNALS = frozenset(
    {
        *(signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGUSR2),
        *(signal.SIGQUIT, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE),
        signal.SIGXFSZ,
    }
)

#: What Python and Spark's daemon make of some of them in a worker; the others have the default.
_OF_A_WORKER: dict[int, Any] = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGPIPE: signal.SIG_IGN,
    signal.SIGXFSZ: signal.SIG_IGN,
}

_TIMERS = {
    signal.ITIMER_REAL: signal.SIGALRM,
    signal.ITIMER_VIRTUAL: signal.SIGVTALRM,
    signal.ITIMER_PROF: signal.SIGPROF,
}


class NeedsProcess(BaseException):
    """A function asked for what only a process of its own can have, or the main thread of one."""


def need_process(call: str, where: str = "in a process of the function's own") -> NoReturn:
    """Stop the session; the task is tried again in a worker process."""
    message = f"{call} works {where} only"
    CURRENT.get().needs_process = message
    raise NeedsProcess(message)


def isolate(call: str) -> None:
    """Stop the session of a call that is to be isolated, unless it has a worker process already."""
    if guards.SHARED:
        need_process(call)


def insist() -> None:
    """Stop the session again, if its function has caught what was to stop it."""
    message = CURRENT.get().needs_process
    if message is not None:
        raise NeedsProcess(message)


_ON_MAIN = "on the main thread of a process"

#: Those that end no process, though it has no handler.
_UNNOTICED = {signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH}

#: By which one process ends another.
_SENT = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT}

_remembered: dict[int, Any] = {}
_held = threading.local()
_set_handler, _get_handler = signal.signal, signal.getsignal
_alarm, _setitimer = signal.alarm, signal.setitimer
_wakeup = signal.set_wakeup_fd


def install() -> None:
    """Replace the calls. Before any third-party import, so that no module holds the originals."""
    replacements: tuple[tuple[Any, str, Any], ...] = (
        (os, "kill", _kill(os.kill)),
        (os, "killpg", _killpg(os.killpg)),
        (signal, "raise_signal", _raise_signal(signal.raise_signal)),
        (signal, "alarm", _alarm_guarded),
        (signal, "setitimer", _setitimer_guarded),
        (signal, "signal", _signal),
        (signal, "getsignal", _getsignal),
        (signal, "set_wakeup_fd", _set_wakeup_fd),
    )
    for module, name, replacement in replacements:
        setattr(module, name, replacement)
    os.register_at_fork(before=_hold, after_in_parent=_let_go, after_in_child=_handle_as_a_worker)


def _hold() -> None:
    """Let what is sent to a child wait until it has handlers of its own."""
    _held.mask = signal.pthread_sigmask(signal.SIG_BLOCK, _SENT)
    _held.by_child = not guards.in_executor()


def _let_go() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, _held.mask)


def _handle_as_a_worker() -> None:
    """Take the JVM's handlers out of a forked child, which lacks the thread that answers them.

    Else it would not hear a SIGTERM, by which ``multiprocessing`` ends the workers of a pool.
    A child of its own keeps what it has set.
    """
    if not _held.by_child:
        for number in JVM_SIGNALS:
            _set_handler(number, _remembered.get(number, _OF_A_WORKER.get(number, signal.SIG_DFL)))
    _let_go()


@functools.wraps(_set_handler)
def _signal(number: int, handler: Any, /) -> Any:
    known = callable(handler) or handler in (signal.SIG_DFL, signal.SIG_IGN)
    state = CURRENT.get()
    if known and guards.in_executor() and threading.get_ident() == state.thread:
        if number in JVM_SIGNALS:
            return _remember(number, handler)
        if state is not PROCESS and handler != _getsignal(number):
            need_process(f"signal.signal({number})", _ON_MAIN)
    return _set_handler(number, handler)  # or Python's own error


@functools.wraps(_wakeup)
def _set_wakeup_fd(fd: int, /, **options: bool) -> int:
    """Wake the function's event loop, which asks for it before it has a handler."""
    if guards.in_executor() and CURRENT.get().runs_here():
        need_process("signal.set_wakeup_fd", _ON_MAIN)
    return _wakeup(fd, **options)


def _remember(number: int, handler: Any) -> Any:
    guards.record(f"signal.signal({signal.Signals(number).name})")
    before = _getsignal(number)
    _remembered[number] = handler
    CURRENT.get().undo.setdefault(f"signal {number}", lambda: _remembered.pop(number, None))
    return before


@functools.wraps(_get_handler)
def _getsignal(number: int, /) -> Any:
    if number in JVM_SIGNALS and guards.in_executor():
        return _remembered.get(number, _OF_A_WORKER.get(number, signal.SIG_DFL))
    before = _get_handler(number)
    # A handler that Python does not know is not this process's own.
    return signal.SIG_DFL if before is None else before


def _refuse_if_deadly(number: int, name: str, *given: object) -> None:
    """Refuse a call that sends the executor a signal which would end it."""
    if not number or number in _UNNOTICED or not guards.in_executor():
        return
    handler = _get_handler(number)
    if not callable(handler) and handler != signal.SIG_IGN:
        guards.refuse(name, *given)


def _kill(call: Callable[[int, int], None]) -> Any:
    @functools.wraps(call)
    def kill(pid: int, number: int, /) -> None:
        if pid in (guards.EXECUTOR, 0, -1, -os.getpgrp()):
            _refuse_if_deadly(number, "os.kill", pid, number)
        call(pid, number)

    return kill


def _killpg(call: Callable[[int, int], None]) -> Any:
    @functools.wraps(call)
    def killpg(group: int, number: int, /) -> None:
        if group in (0, os.getpgrp()):
            _refuse_if_deadly(number, "os.killpg", group, number)
        call(group, number)

    return killpg


def _raise_signal(call: Callable[[int], None]) -> Any:
    @functools.wraps(call)
    def raise_signal(number: int, /) -> None:
        _refuse_if_deadly(number, "signal.raise_signal", number)
        call(number)

    return raise_signal


@functools.wraps(_alarm)
def _alarm_guarded(seconds: int, /) -> int:
    if seconds:
        _refuse_if_deadly(signal.SIGALRM, "signal.alarm", seconds)
    return _alarm(seconds)


@functools.wraps(_setitimer)
def _setitimer_guarded(which: int, seconds: float, interval: float = 0.0, /) -> Any:
    if seconds:
        _refuse_if_deadly(_TIMERS.get(which, 0), "signal.setitimer", which, seconds)
    return _setitimer(which, seconds, interval)
