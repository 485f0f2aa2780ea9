"""A worker: one session after the other, until one fails or the executor goes."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import struct
import sys
from typing import Any

from pyspark.serializers import SpecialLengths

from ember_worker import guards
from ember_worker.process import session

#: The kernel's word for whom it ends when memory runs out, and what a worker adds to it:
#: it counts as if it held so many thousandths of the memory more.
_OFFER = "/proc/self/oom_score_adj"
_OFFERED, _MOST = 300, 1000

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
    _offer_itself()
    # The modules were imported once for all workers; their dice must not fall alike.
    random = sys.modules.get("numpy.random")
    if random is not None:
        random.seed()


def _offer_itself() -> None:
    """Let the kernel take this process before the executor when memory runs out."""
    with contextlib.suppress(OSError), open(_OFFER, "r+") as offer:
        raised = min(_MOST, int(offer.read()) + _OFFERED)
        offer.seek(0)
        offer.write(str(raised))
