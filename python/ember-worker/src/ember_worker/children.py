"""Processes that a function starts: subprocess, multiprocessing, ``os.system``.

They inherit what a worker process would have handed them: the session's environment, an empty
standard input and the executor's standard error. The executor's own input and output are not
theirs to use: with a local master, its standard input is what keeps the driver alive.

``multiprocessing`` starts fresh interpreters ("spawn") unless the function chooses otherwise: a
forked copy of a JVM holds whatever locks other threads held at that moment.
"""

from __future__ import annotations

import contextlib
import functools
import io
import os
import pickle
import subprocess
import types
from collections import ChainMap
from typing import Any

from ember_worker import guards
from ember_worker.state import CURRENT

_CLOSED = -1
_STDERR = 2
_ENVIRONMENT, _STDIN, _STDOUT = 5, 6, 9


def install() -> None:
    """Replace the one call that every new process goes through, and ``os.system``."""
    with contextlib.suppress(ImportError):
        import _posixsubprocess as posix

        empty = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        fork_exec = _inheriting(posix.fork_exec, empty)
        _replace(
            (posix, "fork_exec", fork_exec),
            (subprocess, "_fork_exec", fork_exec),
            # It would not go through fork_exec, which uses vfork and is as fast.
            (subprocess, "_USE_POSIX_SPAWN", False),
            (os, "system", _system),
        )
    _choose_spawn()


def _replace(*replacements: tuple[Any, str, Any]) -> None:
    for module, name, replacement in replacements:
        setattr(module, name, replacement)


def _inheriting(stock: Any, empty: int) -> Any:
    """Wrap ``fork_exec``, whose arguments are positional and the same from 3.8 to 3.14."""

    @functools.wraps(stock)
    def fork_exec(*args: Any) -> Any:
        given = list(args)
        if given[_ENVIRONMENT] is None:
            entries = CURRENT.get().environment.items()
            given[_ENVIRONMENT] = [key + b"=" + value for key, value in entries]
        if guards.in_executor():
            if given[_STDIN] == _CLOSED:
                given[_STDIN] = empty
            if given[_STDOUT] == _CLOSED:
                given[_STDOUT] = _STDERR
        return stock(*given)

    return fork_exec


def _system(command: str | bytes) -> int:
    """Run a shell command like ``os.system``, through ``subprocess``; return its wait status."""
    status = subprocess.call(command, shell=True)  # noqa: S602 - what os.system is for
    return -status if status < 0 else status << 8


def _choose_spawn() -> None:
    """Make "spawn" the default, leave ``set_start_method`` to the function, and let closures go.

    Spark sends functions by value; a spawned child could not import them, so what cannot be
    pickled by name goes to the child as it came from the driver.
    """
    from multiprocessing import context, reduction

    default: Any = context._default_context
    if default.get_start_method(allow_none=True) is None:
        default._default_context = context.SpawnContext()
    _replace((reduction.ForkingPickler, "reducer_override", _by_value))


def _by_value(_pickler: Any, found: Any) -> Any:
    if not isinstance(found, (types.FunctionType, type)):
        return NotImplemented
    import pyspark.cloudpickle

    cloudpickle: Any = pyspark.cloudpickle
    if cloudpickle.cloudpickle._should_pickle_by_reference(found):
        return NotImplemented
    return pickle.loads, (_pickled(cloudpickle.CloudPickler, found),)


def _pickled(stock: Any, found: Any) -> bytes:
    """Pickle it by value, and what it has of ``multiprocessing`` as that does."""
    from multiprocessing.reduction import ForkingPickler

    reducers: Any = ForkingPickler._extra_reducers  # type: ignore[attr-defined]
    table = ChainMap(stock.dispatch_table, reducers)
    pickled = io.BytesIO()
    type("Pickler", (stock,), {"dispatch_table": table})(pickled).dump(found)
    return pickled.getvalue()
