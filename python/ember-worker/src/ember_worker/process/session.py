"""Runs one function over one partition in a worker process, one session at a time."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from typing import TYPE_CHECKING, Any

from pyspark import util

from ember_worker import guards, sampling, session
from ember_worker.isolation import broadcasts
from ember_worker.state import PROCESS
from ember_worker.transport import Outfile

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What the last session added to the environment, with what was there before it.
_replaced: dict[str, str | None] = {}


def run(endpoint: Any) -> bytes:
    """Run the session of ``endpoint``; return the bytes Spark's worker would have ended with."""
    PROCESS.clear()
    PROCESS.endpoint = endpoint
    _use_environment(endpoint.environment)
    outfile = Outfile(endpoint)
    sampling.begin()
    try:
        with _fault_handler():
            session.invoke(endpoint, outfile)
    except SystemExit:
        pass  # how PySpark ends every session that will not be reused
    except BaseException:  # noqa: BLE001 - Spark's worker would die here, with this on stderr
        if not endpoint.cancelled:
            sys.stderr.write(f"PySpark worker failed with exception:\n{traceback.format_exc()}\n")
    guards.end_forked_child()
    sampling.end()
    broadcasts.keep(PROCESS)
    PROCESS.endpoint = None
    for stream in (sys.stdout, sys.stderr):
        # A function may have replaced or closed them.
        with contextlib.suppress(Exception):
            stream.flush()
    return b"" if endpoint.cancelled else outfile.tail()


@contextlib.contextmanager
def _fault_handler() -> Iterator[None]:
    """Tell faults as PySpark's wrapper of ``main`` does, and in 4.0 ``main`` by itself."""
    helper = getattr(util, "_faulthandler_helper", None)
    if helper is None:
        yield
        return
    try:
        helper.start()
        yield
    finally:
        helper.stop()


def _use_environment(overlay: bytes) -> None:
    """Put the session's variables in the place of the last one's."""
    pairs = (entry.partition("=") for entry in os.fsdecode(overlay).split("\0") if entry)
    wanted = {name: value for name, _, value in pairs}
    for name in [name for name in _replaced if name not in wanted]:
        _put(name, _replaced.pop(name))
    for name, value in wanted.items():
        _replaced.setdefault(name, os.environ.get(name))
        if os.environ.get(name) != value:
            os.environ[name] = value


def _put(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
