"""Prepares the interpreter, once, on Python's main thread.

Order: first the guards and the isolation of Python's own globals, before any third-party module can
take a reference to what they replace; then PySpark, its isolation, and the heavy imports, so that
no two sessions race for the first one.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import sys
from typing import Any

#: PySpark version (major.minor) -> the module that knows it.
SEAMS = {
    "3.5": "ember_worker.seam_3_5",
    "4.0": "ember_worker.seam_4_0",
    "4.1": "ember_worker.seam_4_1",
    "4.2": "ember_worker.seam_4_2",
    "4.3": "ember_worker.seam_4_3",
}


class SessionCancelled(BaseException):
    """The task no longer wants the result of this session; the function must stop."""


class CannotEmbedError(RuntimeError):
    """Spark's functions cannot run in this interpreter; the message says why."""


def start(config: dict[str, Any]) -> None:
    """Make this interpreter ready for sessions, or raise with the reason why it cannot be."""
    from ember_worker import blocks, children, guards, isolation, limits, seeds, signals, streams
    from ember_worker.isolation import environment, modules, process

    guards.install()
    signals.install()
    limits.install()
    seeds.install()
    blocks.install()
    streams.install()
    process.settle_locale()
    isolation.install_for_python()
    children.install()
    environment.widen(_worker_environment(config))
    with contextlib.suppress(OSError):
        sys.path.insert(0, os.getcwd())
    # Modules read these while they load. A later session brings its own, or means to have none.
    entries = config.get("environment") or {}
    process.settle_threads(entries)
    with environment.while_loading(entries):
        load_worker(in_executor=True)
        seeds.install_for_numpy()
        blocks.install_for_pandas()
    process.settle_path()
    modules.settle()
    gc.collect()
    gc.freeze()


def _worker_environment(config: dict[str, Any]) -> dict[str, str]:
    """Return what Spark's factory adds to the environment of every worker process."""
    entries = {"PYTHONUNBUFFERED": "YES"}
    if config.get("pythonPath"):
        entries["PYTHONPATH"] = config["pythonPath"]
    return entries


def load_worker(*, in_executor: bool) -> None:
    """Import PySpark's worker with its globals per session, and rebind it to our transport."""
    from ember_worker import guards, isolation

    guards.SHARED = in_executor
    try:
        import pyarrow as pa
        import pyspark
    except ImportError as error:
        message = f"cannot embed: {error}"
        raise CannotEmbedError(message) from error
    if in_executor:
        _limit_threads(pa)
    name = SEAMS.get(".".join(pyspark.__version__.split(".")[:2]))
    if name is None:
        message = f"cannot embed: PySpark {pyspark.__version__} has no seam"
        raise CannotEmbedError(message)
    sys.argv = [os.path.join(os.path.dirname(pyspark.__file__), "daemon.py"), "pyspark.worker"]
    sys.orig_argv = [sys.executable, "-m", "pyspark.daemon", "pyspark.worker"]
    isolation.install_for_pyspark()
    with contextlib.suppress(ImportError):
        import pandas  # noqa: F401, ICN001 - only so that it is loaded
    from ember_worker import session

    session.use(importlib.import_module(name).install(in_executor=in_executor))


def _limit_threads(pa: Any) -> None:
    """Give Arrow the threads of a worker, where it reads them from the C environment."""
    threads = os.environ.get("OMP_NUM_THREADS", "")
    if threads.isdecimal() and int(threads) > 0:
        pa.set_cpu_count(int(threads))
