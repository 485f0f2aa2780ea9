"""Runs one function over one partition: ``init -> process -> finish``, or cancelled on the way.

``run`` is called by the bridge on a lane thread and never raises. What the function raised is in
the tail that it returns, in Spark's own form; a cancelled session has no tail.
"""

from __future__ import annotations

import contextvars
import gc
import struct
import sys
import time
import traceback
from typing import TYPE_CHECKING, Any

from pyspark.serializers import SpecialLengths

from ember_worker import guards, sampling, signals, stand_ins, streams
from ember_worker.boot import SessionCancelled
from ember_worker.isolation import broadcasts, environment, process, threads
from ember_worker.state import CURRENT, State
from ember_worker.transport import Outfile

if TYPE_CHECKING:
    from collections.abc import Callable

#: At most this share of the time goes to full garbage collections at the end of sessions.
_COLLECTING_SHARE = 0.02

_FAILED = struct.pack("!i", SpecialLengths.PYTHON_EXCEPTION_THROWN)

#: No more than so many are on their way to a session when it ends.
_MOST_CANCELLATIONS = 8

_seam: list[Callable[[Any, Any], None]] = []


def use(seam: Callable[[Any, Any], None]) -> None:
    """Run sessions with ``seam(endpoint, outfile)``."""
    _seam[:] = [seam]


def invoke(endpoint: Any, outfile: Any) -> None:
    """Call PySpark's worker code over our transport."""
    _seam[0](endpoint, outfile)


def run(endpoint: Any) -> bytes:
    """Run the session of ``endpoint``; return the bytes Spark's worker would have ended with."""
    tail = b""
    try:
        # So called, it is always a level of recursion, as is the daemon's ``exec``, and not only
        # until Python knows the call well enough to save it (3.11).
        tail = contextvars.Context().run(*(_run, endpoint))  # type: ignore[call-arg, arg-type]
        _collector.collect()
    except BaseException:  # noqa: BLE001, S110 - nothing may leave: above is native code
        pass
    guards.end_forked_child()
    return tail


def _run(endpoint: Any) -> bytes:
    state = environment.session_state(endpoint.environment)
    CURRENT.set(state)
    state.endpoint = endpoint
    outfile = Outfile(endpoint)
    try:
        sampling.begin()
        process.enter(state, lambda: endpoint.cancelled)
        invoke(endpoint, outfile)
    except SystemExit:
        pass  # how PySpark ends every session that will not be reused
    except BaseException:  # noqa: BLE001 - Spark's worker would die here, with this on stderr
        if not endpoint.cancelled:
            sys.stderr.write(f"PySpark worker failed with exception:\n{traceback.format_exc()}\n")
    finally:
        _leave(state)
    return b"" if endpoint.cancelled else _tail(outfile)


def _tail(outfile: Outfile) -> bytes:
    """Return what the session ends with: that it needs a process, whatever its function caught."""
    tail = outfile.tail()
    try:
        signals.insist()
    except signals.NeedsProcess as error:
        told = tail.startswith(_FAILED) and b"ember_worker.signals.NeedsProcess: " in tail
        if not told:
            outfile = Outfile(outfile.endpoint)
            stand_ins.handle_worker_exception(error, outfile)
            return outfile.tail()
    return tail


def _leave(state: State) -> None:
    """Leave the session, even when cancellations arrive in the middle of it."""
    steps: list[Callable[[], None]] = [
        streams.reopen,
        lambda: sampling.end(state),
        lambda: process.leave(state),
        lambda: threads.leave(state),
        lambda: broadcasts.keep(state),
        streams.flush,
    ]
    cancellations = 0
    while steps and cancellations < _MOST_CANCELLATIONS:
        try:
            while steps:
                steps[0]()
                del steps[0]
        except SessionCancelled:
            cancellations += 1
        except BaseException:  # noqa: BLE001 - of an object of the function's
            del steps[0]
            sys.stderr.write(f"PySpark worker failed at its end:\n{traceback.format_exc()}\n")


class _Collector:
    """Collects garbage as Spark's daemon does after each task, within its share of the time."""

    def __init__(self) -> None:
        self._not_before = 0.0

    def collect(self) -> None:
        now = time.perf_counter()
        if now >= self._not_before:
            gc.collect()
            done = time.perf_counter()
            self._not_before = done + (done - now) / _COLLECTING_SHARE


_collector = _Collector()
