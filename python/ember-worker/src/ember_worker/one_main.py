"""The worker of PySpark 3.5 to 4.2: one ``main``, which reads header and data from one file.

It runs as it is, over a file whose first part is the header and whose rest only our reader can
read. Functions over columns run through PySpark's own code alone: what ``seam_4_3`` rebinds for
speed has another form here.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from pyspark import worker, worker_util
from pyspark.sql.pandas.serializers import ArrowStreamSerializer

from ember_worker import depth, stand_ins, transport
from ember_worker.rebound import rebound

if TYPE_CHECKING:
    from collections.abc import Callable

#: The Python frames below ``main`` in a worker of Spark's daemon: two of ``python -m``, the
#: daemon's module, ``manager``, ``worker``, and since 4.1 the wrapper with the fault handler.
FRAMES_BELOW = 6
#: What is not the end of a stream: the worker that Spark believes in is not to be used again.
_NO_END = (-1).to_bytes(4, "big", signed=True)


def install(
    infile: Callable[[Any], Infile] | None = None,
    *,
    levels: Callable[[Any], int] | None = None,
    in_executor: bool,
    **others: Any,
) -> Any:
    """Rebind the stream serializer and ``main``; return ``invoke(endpoint, outfile)``.

    ``infile`` makes of an endpoint what ``main`` reads, ``others`` are names that it uses.
    ``levels`` tells how many frames of ours an endpoint has above it, which are to be fewer below.
    """
    opened = infile or Infile
    for name in ("load_stream", "dump_stream"):
        stock = getattr(ArrowStreamSerializer, name)
        setattr(ArrowStreamSerializer, name, rebound(stock, {"__builtins__": stand_ins.BUILTINS}))
    meanings: dict[str, Any] = {
        "setup_spark_files": _setup_spark_files if in_executor else _setup_spark_files_alone,
        "handle_worker_exception": stand_ins.handle_worker_exception,
        **others,
    }
    if in_executor:
        meanings |= stand_ins.IN_EXECUTOR
    bare: Any = getattr(worker.main, "__wrapped__", worker.main)
    main = rebound(bare, meanings)
    below = FRAMES_BELOW if bare is not worker.main else FRAMES_BELOW - 1

    def invoke(endpoint: Any, outfile: transport.Outfile) -> None:
        frames = below - levels(endpoint) if levels else below
        depth.call_above(frames, main, opened(endpoint), outfile)

    return invoke


class Infile(transport.DataStream):
    """The header in bytes, and behind it the data, which only the embedded reader can read."""

    def __init__(self, endpoint: Any) -> None:
        """Read the header of ``endpoint``, then its batches."""
        super().__init__(endpoint)
        self._header = io.BytesIO(endpoint.header)

    def read(self, *sizes: int) -> bytes:
        """Return bytes of the header; behind it, what is no end of a stream."""
        size = sizes[0] if sizes else -1
        data = self._header.read(size)
        if data or size == 0:
            return data
        return _NO_END if size == len(_NO_END) else super().read(size)


def _setup_spark_files(infile: Any) -> None:
    with stand_ins.files_of_session():
        worker_util.setup_spark_files(infile)


def _setup_spark_files_alone(infile: Any) -> None:
    with stand_ins.files_of_session_alone():
        worker_util.setup_spark_files(infile)
