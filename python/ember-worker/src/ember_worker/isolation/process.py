"""What only the whole process has: working directory, umask, locale, limits, ``sys.path``.

A function may change these. The change is taken back when the last session that made it ends. The
first two belong to the lane alone where the kernel allows it, so the executor and the other lanes
never see them change.
"""

from __future__ import annotations

import functools
import importlib
import locale
import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from ember_worker.isolation import lane
from ember_worker.state import CURRENT, PROCESS, State

if TYPE_CHECKING:
    from collections.abc import Callable

#: The most that one level of recursion took of the C stack: 2497, in ``sorted`` by a recursive key.
#: Only to 3.11: later versions limit recursion through C by themselves.
LEVEL_BYTES = 2600

#: Categories without a name in Python, such as the size of paper: ``LC_PAPER`` to
#: ``LC_IDENTIFICATION`` of glibc.
_NAMELESS = range(7, 13) if sys.platform == "linux" else ()

# Taken before the other concerns replace them.
_chdir, _putenv, _unsetenv = os.chdir, os.putenv, os.unsetenv

#: The open sessions, and whether nobody waits for one any more.
_active: dict[State, Callable[[], bool]] = {}
_apart: set[State] = set()
#: ``sys.path`` of every session: as the interpreter began, and with what one application has added.
_settled: list[str] = []
_baseline: list[str] = []
_changed: dict[str, tuple[Callable[[], object], set[State]]] = {}


def install() -> None:
    """Record changes, so that they can be taken back."""
    replacements: tuple[tuple[Any, str, Any], ...] = (
        (os, "chdir", _directory(os.chdir)),
        (os, "fchdir", _directory(os.fchdir)),
        (os, "umask", _umask(os.umask)),
        (locale, "setlocale", _setlocale(locale.setlocale)),
        (sys, "setrecursionlimit", _setrecursionlimit(sys.setrecursionlimit)),
        (time, "tzset", _tzset(time.tzset)),
        (importlib, "invalidate_caches", _one_by_one(importlib.invalidate_caches)),
    )
    for module, name, replacement in replacements:
        setattr(module, name, replacement)


def settle_locale() -> None:
    """Leave but the locale of characters, as Python does at its start: the JVM has set them all."""
    named = ("LC_TIME", "LC_NUMERIC", "LC_MONETARY", "LC_COLLATE", "LC_MESSAGES")
    for category in (*(getattr(locale, name) for name in named), *_NAMELESS):
        locale.setlocale(category, "C")


def settle_threads(entries: dict[str, str]) -> None:
    """Let libraries in C, which read it as they are loaded, start the threads of a worker."""
    for name, value in entries.items():
        if name.endswith("_NUM_THREADS"):
            _putenv(name, value)


def settle_path() -> None:
    """Make ``sys.path`` as it is now the one that every session starts from."""
    _settled[:] = _baseline[:] = sys.path


def forget_path_additions() -> None:
    """Make ``sys.path`` what it was before any session: the files of an application go with it."""
    _baseline[:] = _settled
    _take_path_back()


def enter(state: State, cancelled: Callable[[], bool]) -> None:
    """Count a session in; the first one on a lane gives the lane its own directory and umask."""
    _active[state] = cancelled
    if lane.own_directory():
        _apart.add(state)


def leave(state: State) -> None:
    """Count a session out and take back what it changed. A second call does nothing."""
    state.take_back()
    _active.pop(state, None)
    _apart.discard(state)
    _take_path_back()


def _take_path_back() -> None:
    # Another session may be importing through it: the last one out cleans up. One that was
    # cancelled and hangs may never come out.
    others = list(_active.values())
    if sys.path != _baseline and all(cancelled() for cancelled in others):
        set_path(_baseline)


def set_path(entries: list[str]) -> None:
    """Make ``sys.path`` what it was, and forget what was found where it no longer leads."""
    if not isinstance(sys.path, list):  # a function may have put anything there
        sys.path = []
    gone = [entry for entry in sys.path if isinstance(entry, str) and entry not in entries]
    sys.path[:] = entries
    for entry in gone:
        sys.path_importer_cache.pop(entry, None)


def keep_path_additions(before: list[str]) -> None:
    """Keep what PySpark has just added for the session's files: every session adds the same."""
    added = [entry for entry in sys.path if entry not in before and entry not in _baseline]
    _baseline[1:1] = added


def lend_path(directory: str) -> None:
    """Keep a client's folder on the path while sessions of its run, and no longer.

    It may have files by the time that sessions of others, which run on, look for modules.
    """
    if directory in _baseline:
        return
    _record(f"path of {directory}", functools.partial(_leave_path, directory))
    if directory not in sys.path:  # the last session that had it has left meanwhile
        sys.path.insert(1, directory)


def _leave_path(directory: str) -> None:
    set_path([entry for entry in sys.path if entry != directory])


def start_in(directory: str) -> None:
    """Give the session a working directory, if it can have one without moving the executor."""
    if CURRENT.get() in _apart and os.path.isdir(directory):
        os.chdir(directory)


def _record(name: str, restore: Callable[[], object], *, of_lane: bool = False) -> None:
    """Have ``restore`` called when the last session that changed ``name`` has left."""
    state = CURRENT.get()
    if of_lane and state in _apart:
        name = f"{name} of {id(state)}"
    if state is PROCESS or name in state.undo:
        return
    restore, holders = _changed.setdefault(name, (restore, set()))
    holders.add(state)

    def let_go() -> None:
        holders.discard(state)
        if not holders and _changed.pop(name, None) is not None:
            restore()

    state.undo[name] = let_go


def _directory(change: Callable[[Any], None]) -> Any:
    @functools.wraps(change)
    def chdir(path: Any) -> None:
        before = os.getcwd()
        change(path)
        _record("directory", functools.partial(_chdir, before), of_lane=True)

    return chdir


def _umask(change: Callable[[int], int]) -> Any:
    @functools.wraps(change)
    def umask(mask: int, /) -> int:
        before = change(mask)
        _record("umask", functools.partial(change, before), of_lane=True)
        return before

    return umask


def _setlocale(change: Callable[..., str]) -> Any:
    @functools.wraps(change)
    def setlocale(category: int, locale: Any = None) -> str:
        if locale is None:
            return change(category)
        before = change(category)
        result = change(category, locale)
        _record(f"locale {category}", functools.partial(change, category, before))
        return result

    return setlocale


def _setrecursionlimit(change: Callable[[int], None]) -> Any:
    """Let no function ask for more levels than the stack has room for: it would end the JVM."""

    @functools.wraps(change)
    def setrecursionlimit(limit: int, /) -> None:
        before = sys.getrecursionlimit()
        room = None if sys.version_info >= (3, 12) else lane.stack_bytes()
        change(limit if room is None else min(limit, max(room // LEVEL_BYTES, before)))
        _record("recursion limit", functools.partial(change, before))

    return setrecursionlimit


def _one_by_one(invalidate: Callable[[], None]) -> Any:
    """Let one session at a time: each entry of ``sys.path_importer_cache`` can be dropped once."""
    lock: Any = threading.Lock()
    os.register_at_fork(after_in_child=lock._at_fork_reinit)

    @functools.wraps(invalidate)
    def invalidate_caches() -> None:
        with lock:
            invalidate()

    return invalidate_caches


def _tzset(change: Callable[[], None]) -> Any:
    """Let ``time.tzset`` follow the session's ``TZ``, which the C library cannot see."""

    def use(zone: bytes | None) -> None:
        if zone is None:
            _unsetenv(b"TZ")
        else:
            _putenv(b"TZ", zone)
        change()

    @functools.wraps(change)
    def tzset() -> None:
        use(CURRENT.get().environment.get(b"TZ"))
        _record("time zone", functools.partial(use, PROCESS.environment.get(b"TZ")))

    return tzset
