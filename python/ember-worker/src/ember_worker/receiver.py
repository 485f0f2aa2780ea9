"""The header of a session as a message, which PySpark's worker since 4.3 asks a receiver for."""

from __future__ import annotations

import struct
from typing import Any

from pyspark.messages import SparkMessageReceiver, ZeroCopyByteStream
from pyspark.serializers import SpecialLengths

from ember_worker.transport import DataStream

_ENVELOPE = struct.Struct("!ii")


class Header(ZeroCopyByteStream):
    """The header of a session, and what was read from it."""

    info: Any = None


class Receiver(SparkMessageReceiver):
    """Gives PySpark the header of the session and then its input."""

    def __init__(self, endpoint: Any) -> None:
        """Receive from ``endpoint``."""
        super().__init__()
        self._endpoint = endpoint
        self._header: Header | None = None

    @property
    def header(self) -> Header:
        """The header; unread the first time, and after it was forgotten."""
        if self._header is None:
            self._header = self._whole_header()
        return self._header

    def forget_header(self) -> None:
        """Have the next reader begin at its first byte."""
        self._header = None

    def _whole_header(self) -> Header:
        header = memoryview(self._endpoint.header)
        kind, length = _ENVELOPE.unpack_from(header)
        content = header[_ENVELOPE.size :]
        if kind != SpecialLengths.START_OF_INIT_MESSAGE or length != len(content):
            message = f"malformed header: message {kind} of {length} bytes, {len(content)} there"
            raise ValueError(message)
        stream = Header(content)
        stream.finish()
        return stream

    def _do_get_init_message(self) -> ZeroCopyByteStream:
        return self.header

    def _do_get_data_stream(self) -> Any:
        return DataStream(self._endpoint)

    def _do_get_finish_signal_from_stream(self) -> None:
        # Spark's reader must see "do not reuse": the worker it believes in does not exist.
        message = "an embedded session is never reused"
        raise RuntimeError(message)
