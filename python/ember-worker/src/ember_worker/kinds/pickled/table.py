"""Table functions whose rows Spark pickles: its pickles cross in a column, and so do the results'.

PySpark's ``read_udtf`` and its pickling serializer stay the code that runs. Where the serializer
reads and writes the bytes of a pickle, some names that it looks up lead here.
"""

from __future__ import annotations

import time
from types import MethodType
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark import cloudpickle, serializers
from pyspark.serializers import SpecialLengths

from ember_worker import transport
from ember_worker.kinds.pickled.names import Pickling, no_length
from ember_worker.kinds.pickled.turns import PATIENCE
from ember_worker.rebound import rebound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Pickles are sent when there are so many, or when they have so many bytes.
_MOST, _BYTES = 1024, 64 << 10
_SCHEMA = pa.schema([("pickles", pa.large_binary())])


def serializer() -> Any:
    """Make PySpark's pickling serializer, over columns of pickles."""
    made: Any = serializers.CPickleSerializer()
    framed: Any = serializers.FramedSerializer
    own: Any = type(made)
    module = "cloudpickle" if own is serializers.CloudPickleSerializer else "pickle"
    source, output = _Source(made.load_stream), _Output()
    pickling = Pickling(getattr(serializers, module), cloudpickle.loads, output.dumps)
    methods = {
        "_read_with_length": rebound(framed._read_with_length, {"read_int": source.read_int}),
        "_write_with_length": rebound(framed._write_with_length, {"write_int": no_length}),
        "dumps": rebound(own.dumps, {module: pickling}),
    }
    for name, function in methods.items():
        setattr(made, name, MethodType(function, made))
    made.load_stream = source.load_stream
    return made


class _Source:
    """Gives PySpark's ``_read_with_length`` one pickle after the other."""

    def __init__(self, load_stream: Callable[[Any], Iterator[Any]]) -> None:
        """Stand before the serializer's ``load_stream``."""
        self._load_stream = load_stream
        self._pickles: Iterator[bytes] = iter(())
        self._next: bytes | None = None

    def load_stream(self, stream: Any) -> Iterator[Any]:
        """Read from the columns of ``stream``."""
        self._pickles = _pickles(stream.endpoint)
        stream.read = self._taken
        return self._load_stream(stream)

    def read_int(self, _stream: Any) -> int:
        """Return the length of the next pickle, or say that the input has ended."""
        self._next = next(self._pickles, None)
        return SpecialLengths.END_OF_DATA_SECTION if self._next is None else len(self._next)

    def _taken(self, _length: int) -> bytes | None:
        return self._next


def _pickles(endpoint: Any) -> Iterator[bytes]:
    for batch in transport.batches(endpoint):
        yield from (pickle.as_py() for pickle in batch.column(0))


class _Output:
    """Gathers what PySpark's serializer writes, and sends it in batches."""

    def __init__(self) -> None:
        self._gathered: list[bytes] = []
        self._bytes = 0
        self._sent = time.perf_counter()
        self._writer: transport.BatchWriter | None = None

    def dumps(self, rows: list[Any], protocol: int) -> _Parcel:
        pickle: bytes = cloudpickle.dumps(rows, protocol)  # type: ignore[no-untyped-call]
        return _Parcel(self, pickle)

    def add(self, pickle: bytes, endpoint: Any) -> None:
        self._gathered.append(pickle)
        self._bytes += len(pickle)
        late = time.perf_counter() - self._sent >= PATIENCE
        if late or len(self._gathered) >= _MOST or self._bytes >= _BYTES:
            self.flush(endpoint)

    def flush(self, endpoint: Any) -> None:
        """Send the pickles that are there."""
        gathered, self._gathered, self._bytes = self._gathered, [], 0
        if gathered:
            if self._writer is None:
                self._writer = transport.BatchWriter(endpoint, _SCHEMA)
            column = pa.array(gathered, pa.large_binary())
            self._writer.write_batch(pa.RecordBatch.from_arrays([column], schema=_SCHEMA))
            self._sent = time.perf_counter()


class _Parcel(transport.Parcel):
    """The pickle of what one call gave."""

    def __init__(self, output: _Output, pickle: bytes) -> None:
        self._output = output
        self._pickle = pickle

    def __len__(self) -> int:
        return len(self._pickle)

    def deliver(self, endpoint: Any) -> Callable[[Any], None]:
        self._output.add(self._pickle, endpoint)
        return self._output.flush
