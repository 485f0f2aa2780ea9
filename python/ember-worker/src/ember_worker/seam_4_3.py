"""PySpark 4.3: its own code objects, with our transport where it takes a socket.

A function made from a stock code object keeps its file name and line numbers, so a traceback reads
the same as in Spark's worker, simplified or not. Nothing of PySpark is copied.
"""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
from pyspark import worker, worker_util
from pyspark.sql.pandas.serializers import ArrowStreamSerializer

from ember_worker import depth, kinds, pickled, rowfn, stand_ins, stateless, transport
from ember_worker.kinds import gathering, table_function
from ember_worker.pickled import table
from ember_worker.rebound import importing, rebound
from ember_worker.receiver import Header, Receiver

#: The Python frames below ``invoke_udf`` in a worker of Spark's daemon: two of ``python -m``, the
#: daemon's module, ``manager``, ``worker``, the wrapper with the fault handler, and ``main``.
FRAMES_BELOW = 7


def install(*, in_executor: bool) -> Any:
    """Rebind the stream serializer; return ``invoke(endpoint, outfile)``.

    In a process of its own, limits and fault handlers are PySpark's to set.
    """
    dump_stream = ArrowStreamSerializer.dump_stream
    for name in ("load_stream", "dump_stream"):
        stock = getattr(ArrowStreamSerializer, name)
        setattr(ArrowStreamSerializer, name, rebound(stock, {"__builtins__": stand_ins.BUILTINS}))
    ways = {
        writer: rebound(dump_stream, {"__builtins__": importing(pyarrow=_Gathering(writer))})
        for writer in (
            gathering.GatheringWriter,
            gathering.CopyingWriter,
            table_function.ListWriter,
        )
    }
    meanings = {
        "read_udfs": stateless.reader(
            kinds.reader(
                worker.read_udfs,
                pickled.reader(worker.read_udfs, rowfn.reader(worker.read_udfs)),
                ways,
            )
        ),
        "read_udtf": table.reader(worker.read_udtf, table_function.reader(worker.read_udtf, ways)),
        "WorkerInitInfo": _ReadOnce,
        "setup_spark_files": _setup_spark_files if in_executor else _setup_spark_files_alone,
        "handle_worker_exception": stand_ins.handle_worker_exception,
        "os": SimpleNamespace(environ=_Settings),
    }
    if in_executor:
        meanings |= stand_ins.IN_EXECUTOR
    invoke_udf = rebound(worker.invoke_udf, meanings)

    def invoke(endpoint: Any, outfile: transport.Outfile) -> None:
        receiver = Receiver(endpoint)
        depth.call_above(_frames_below(receiver, endpoint), invoke_udf, receiver, outfile)

    return invoke


class _ReadOnce:
    """``WorkerInitInfo`` for ``invoke_udf``: what the header says, which was read before."""

    @staticmethod
    def from_stream(stream: Header) -> Any:
        if stream.info is None:
            stream.info = worker.WorkerInitInfo.from_stream(stream)  # type: ignore[attr-defined]
        return stream.info


class _Settings:
    """``os.environ`` for ``invoke_udf``, which might start a thread that reads a socket ahead.

    Batches are prepared ahead on either lane; what a function is shown is for Spark to say.
    """

    @staticmethod
    def get(name: str, default: str | None = None) -> str | None:
        return None if name == "SPARK_PIPELINED_UDF" else os.environ.get(name, default)


def _frames_below(receiver: Receiver, endpoint: Any) -> int:
    """Return how many frames the stack needs so that the function itself is as deep as Spark's."""
    try:
        info = _ReadOnce.from_stream(receiver.header)
        rows = rowfn.takes(info.eval_type, worker.RunnerConf(info.runner_conf))
        levels = rowfn.LEVELS if rows else pickled.levels(info.eval_type, endpoint)
    except Exception:  # noqa: BLE001 - invoke_udf reads another header, and says what is wrong
        receiver.forget_header()
        return FRAMES_BELOW
    return FRAMES_BELOW - levels


def _setup_spark_files(directory: str, includes: list[str]) -> None:
    with stand_ins.files_of_session():
        worker_util.setup_spark_files(directory, includes)


def _setup_spark_files_alone(directory: str, includes: list[str]) -> None:
    with stand_ins.files_of_session_alone():
        worker_util.setup_spark_files(directory, includes)


class _Gathering:
    """The same where small output batches are gathered."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def RecordBatchStreamWriter(self, sink: Any, schema: pa.Schema) -> Any:  # noqa: N802
        if isinstance(sink, transport.Outfile):
            return self._writer(sink.endpoint, schema)
        return pa.RecordBatchStreamWriter(sink, schema)
