"""A worker: one session after the other, until one fails or the executor goes."""

from __future__ import annotations

import gc
import os
import signal
import struct
import sys
from typing import Any

from pyspark.serializers import SpecialLengths

from ember_worker import guards
from ember_worker.process import session

_FAILED = struct.pack("!i", SpecialLengths.PYTHON_EXCEPTION_THROWN)


def serve(link: Any) -> None:
    """Serve sessions of ``link``."""
    _settle()
    while (opened := link.open()) is not None:
        tail = session.run(opened.endpoint())
        # As Spark's daemon has it: a worker whose function failed is not used again.
        reusable = "SPARK_REUSE_WORKER" in os.environ and not tail.startswith(_FAILED)
        opened.finish(tail, reusable)
        if not reusable:
            return
        gc.collect()


def _settle() -> None:
    """Be a process of its own, as Spark's daemon leaves its forks."""
    guards.EXECUTOR = os.getpid()
    for number in (signal.SIGHUP, signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # The modules were imported once for all workers; their dice must not fall alike.
    random = sys.modules.get("numpy.random")
    if random is not None:
        random.seed()
