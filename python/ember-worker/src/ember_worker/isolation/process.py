"""What only the whole process has: working directory, umask, locale, limits, ``sys.path``.

A function may change these; the change is taken back when its session ends. On Linux the first two
belong to the lane alone where the kernel allows it (``unshare(CLONE_FS)``), so the executor and the
other lanes never see them change.
"""

from __future__ import annotations

import ctypes
import functools
import locale
import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from ember_worker.state import CURRENT, PROCESS, State

if TYPE_CHECKING:
    from collections.abc import Callable

CLONE_FS = 0x00000200

# Taken before the other concerns replace them.
_chdir, _putenv, _unsetenv = os.chdir, os.putenv, os.unsetenv

_lane = threading.local()
_active: set[State] = set()
_baseline: list[str] = []


def install() -> None:
    """Record changes, so that they can be taken back."""
    os.chdir = _recorded("cwd", os.chdir, _restore_cwd)
    os.fchdir = _recorded("cwd", os.fchdir, _restore_cwd)
    os.umask = _umask(os.umask)
    locale.setlocale = _setlocale(locale.setlocale)
    sys.setrecursionlimit = _recorded("recursion", sys.setrecursionlimit, _restore_recursion)
    if hasattr(time, "tzset"):
        time.tzset = _tzset(time.tzset)


def settle_path() -> None:
    """Make ``sys.path`` as it is now the one that every session starts from."""
    _baseline[:] = sys.path


def enter(state: State) -> None:
    """Count a session in; the first one on a lane gives the lane its own directory and umask."""
    _active.add(state)
    if not getattr(_lane, "apart", False):
        _lane.apart = True
        _unshare_directory()


def leave(state: State) -> None:
    """Count a session out and take back what it changed. A second call does nothing."""
    state.take_back()
    _active.discard(state)
    # Another session may be importing through it: the last one out cleans up.
    if not _active and sys.path != _baseline:
        sys.path[:] = _baseline


def path_entries() -> list[str]:
    """Return ``sys.path`` as it is now."""
    return sys.path.copy()


def keep_path_additions(before: list[str]) -> None:
    """Keep what PySpark has just added for the session's files: every session adds the same."""
    added = [entry for entry in sys.path if entry not in before and entry not in _baseline]
    _baseline[1:1] = added


def _unshare_directory() -> None:
    if sys.platform == "linux":
        try:
            ctypes.CDLL(None).unshare(CLONE_FS)
        except (AttributeError, OSError):
            return


def _recorded(name: str, change: Callable[..., Any], before: Callable[[Any], Any]) -> Any:
    """Wrap ``change`` so that the first change of a session records the way back."""

    @functools.wraps(change)
    def changing(*args: Any, **kwargs: Any) -> Any:
        state = CURRENT.get()
        if state is PROCESS or name in state.undo:
            return change(*args, **kwargs)
        restore = before(change)
        result = change(*args, **kwargs)
        state.undo[name] = restore
        return result

    return changing


def _restore_cwd(_change: Any) -> Callable[[], object]:
    return functools.partial(_chdir, os.getcwd())


def _restore_recursion(change: Any) -> Callable[[], object]:
    return functools.partial(change, sys.getrecursionlimit())


def _umask(change: Callable[[int], int]) -> Any:
    @functools.wraps(change)
    def umask(mask: int, /) -> int:
        before = change(mask)
        state = CURRENT.get()
        if state is not PROCESS:
            state.undo.setdefault("umask", functools.partial(change, before))
        return before

    return umask


def _setlocale(change: Callable[..., str]) -> Any:
    @functools.wraps(change)
    def setlocale(category: int, locale: Any = None) -> str:
        state = CURRENT.get()
        name = f"locale {category}"
        if locale is None or state is PROCESS or name in state.undo:
            return change(category, locale)
        before = change(category)
        result = change(category, locale)
        state.undo[name] = functools.partial(change, category, before)
        return result

    return setlocale


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
        state = CURRENT.get()
        before = PROCESS.environment.get(b"TZ")
        if state is not PROCESS and state.environment.get(b"TZ") != before:
            state.undo.setdefault("timezone", functools.partial(use, before))
        use(state.environment.get(b"TZ"))

    return tzset
