"""Batches in and out of the bridge, behind the faces that PySpark's worker knows.

``DataStream`` is its input, ``Outfile`` its output. PySpark hands both to pyarrow's stream reader
and writer; ``batches`` and ``BatchWriter`` stand in their place and move pointers instead of bytes.
"""

from __future__ import annotations

import functools
import io
import os
import struct
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark.serializers import SpecialLengths

from ember_worker import guards, signals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_START_ARROW_STREAM = struct.pack("!i", SpecialLengths.START_ARROW_STREAM)


class DataStream:
    """The input of a session: only the embedded reader can read it."""

    def __init__(self, endpoint: Any) -> None:
        """Read from ``endpoint``."""
        self.endpoint = endpoint

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield what a stream of Arrow's would hold here."""
        return batches(self.endpoint)

    def read(self, *_size: int) -> bytes:
        """Refuse: a serializer that reads bytes belongs to a kind that is not embedded."""
        message = "this kind of Python function cannot run embedded"
        raise io.UnsupportedOperation(message)


class Parcel:
    """What a serializer writes in the place of bytes."""

    def __len__(self) -> int:
        """Return how many bytes it stands for."""
        raise NotImplementedError

    def deliver(self, endpoint: Any) -> Callable[[Any], None]:
        """Bring it to ``endpoint``; return what to call with that before other bytes come."""
        raise NotImplementedError


class Outfile:
    """The output of a session: batches go to the endpoint, every other byte is the tail."""

    def __init__(self, endpoint: Any) -> None:
        """Write to ``endpoint``."""
        self.endpoint = endpoint
        self._tail = bytearray()
        self._flush: Callable[[Any], None] | None = None

    def write(self, data: bytes | Parcel) -> int:
        """Add to the tail. The marker of an Arrow stream is dropped: none follows in it."""
        if isinstance(data, Parcel):
            self._flush = data.deliver(self.endpoint)
            return len(data)
        flush, self._flush = self._flush, None
        if flush is not None:
            flush(self.endpoint)
        if self._tail or data != _START_ARROW_STREAM:
            self._tail += data
        return len(data)

    def flush(self) -> None:
        """Do nothing: the tail is read when the session has ended."""

    def tail(self) -> bytes:
        """Return what was written besides batches."""
        return bytes(self._tail)


def batches(endpoint: Any) -> Iterator[pa.RecordBatch]:
    """Yield the input of a session, each batch over the memory that the JVM lent."""
    schema = _schema(endpoint.input_schema)
    pull = endpoint.pull
    load = pa.RecordBatch._import_from_c
    process, here = os.getpid, guards.EXECUTOR
    while address := pull():
        yield load(address, schema)
        if process() != here:
            guards.end_forked_child()


class BatchWriter:
    """Pushes the output of a session, with the checks of pyarrow's own stream writer."""

    def __init__(self, endpoint: Any, schema: pa.Schema) -> None:
        """Write batches of ``schema`` to ``endpoint``."""
        self._endpoint = endpoint
        self._schema = schema
        #: What crosses, unless it is what was written.
        self._sent = schema
        self._announced = False

    def write_batch(self, batch: pa.RecordBatch) -> None:
        """Export one batch and wait until there is room for it."""
        self._check(batch)
        self._push(batch)

    def close(self) -> None:
        """Do nothing: the endpoint sees the end when the session returns."""

    def _check(self, batch: pa.RecordBatch) -> None:
        if type(batch) is not pa.RecordBatch or batch.schema != self._schema:
            self._refuse(batch)
        if os.getpid() != guards.EXECUTOR:
            guards.end_forked_child()
        batch.validate()

    def _push(self, batch: pa.RecordBatch) -> None:
        signals.insist()
        endpoint = self._endpoint
        if self._announced:
            batch._export_to_c(endpoint.array_address)
            endpoint.push(None)
            return
        batch._export_to_c(endpoint.array_address, endpoint.schema_address)
        self._announced = True
        endpoint.push(self._sent.serialize().to_pybytes())

    def _refuse(self, batch: Any) -> None:
        """Raise what pyarrow's own writer raises for this batch."""
        with pa.RecordBatchStreamWriter(pa.MockOutputStream(), self._schema) as writer:
            writer.write_batch(batch)


@functools.lru_cache(maxsize=64)
def _schema(message: bytes) -> pa.Schema:
    return pa.ipc.read_schema(pa.py_buffer(message))
