"""What stands in PySpark's worker code for what that takes from a process: in every version."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark import util

from ember_worker import transport
from ember_worker.isolation import process, spark_files
from ember_worker.moved import SparkFiles
from ember_worker.process import clients
from ember_worker.rebound import importing, rebound
from ember_worker.tracebacks import hide_our_frames, in_words

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What Spark calls the artifacts of an application that knows no clients.
_DEFAULT = "default"


@contextlib.contextmanager
def files_of_session() -> Iterator[None]:
    """Keep what PySpark sets up in this block for the session."""
    before = sys.path.copy()
    yield
    spark_files.remember()
    if _artifacts() == _DEFAULT:
        process.keep_path_additions(before)
    else:
        process.lend_path(_directory())
        process.start_in(_directory())  # where Spark starts the workers of a Connect session


@contextlib.contextmanager
def files_of_session_alone() -> Iterator[None]:
    """Do the same in a process that serves one session at a time."""
    artifacts = _artifacts()
    clients.begin(artifacts)
    yield
    spark_files.remember()
    if artifacts != _DEFAULT and os.path.isdir(_directory()):
        os.chdir(_directory())  # where Spark starts the workers of a Connect session


def _directory() -> str:
    return str(SparkFiles._root_directory)


def _artifacts() -> str:
    """Return Spark's name for what the client of this session brings."""
    return os.environ.get("SPARK_JOB_ARTIFACT_UUID", _DEFAULT)


def _leave_memory_limits(_limit: int) -> None:
    """Leave the limits alone: they would be the executor's."""


def _leave_faulthandler() -> None:
    """Leave the fault handlers alone: they are the JVM's."""


#: What is the executor's own.
IN_EXECUTOR = {
    "setup_memory_limits": _leave_memory_limits,
    "start_faulthandler_periodic_traceback": _leave_faulthandler,
}


def handle_worker_exception(error: BaseException, outfile: Any) -> None:
    """Write it as PySpark does, without our frames."""
    if not outfile.endpoint.cancelled:
        hide_our_frames(error)
        with in_words():
            _handler_of(error)(error, outfile)


def _handler_of(error: BaseException) -> Any:
    """Return PySpark's handler, to which ``error`` has the frames that were left.

    Up to Python 3.10 an error that is being handled has those that it was caught with.
    """
    if sys.version_info >= (3, 11):
        return util.handle_worker_exception
    left = type(error), error, error.__traceback__
    names = {
        "sys": SimpleNamespace(exc_info=lambda: left, stderr=sys.stderr),
        "traceback": SimpleNamespace(
            format_exc=lambda: "".join(traceback.format_exception(*left)),
            format_exception=traceback.format_exception,
            format_exception_only=traceback.format_exception_only,
        ),
    }
    return rebound(util.handle_worker_exception, names)


class _Ipc:
    """``pyarrow.ipc`` for the serializer: an embedded input has its batches itself."""

    @staticmethod
    def open_stream(source: Any) -> Any:
        if isinstance(source, transport.DataStream):
            return source.batches()
        return pa.ipc.open_stream(source)


class _Pyarrow:
    """``pyarrow`` for the serializer: an embedded output is written to its endpoint."""

    ipc = _Ipc

    @staticmethod
    def RecordBatchStreamWriter(sink: Any, schema: pa.Schema) -> Any:  # noqa: N802
        if isinstance(sink, transport.Outfile):
            return transport.BatchWriter(sink.endpoint, schema)
        return pa.RecordBatchStreamWriter(sink, schema)


#: Of a serializer's methods.
BUILTINS = importing(pyarrow=_Pyarrow)
