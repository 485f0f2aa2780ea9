"""Headers as Spark 4.3.0 writes them, an endpoint in Python, and Spark's own worker to compare."""

from __future__ import annotations

import atexit
import builtins
import ctypes
import functools
import io
import json
import os
import pickle
import struct
import subprocess
import sys
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark import cloudpickle
from pyspark.serializers import write_int, write_long, write_with_length

from ember_worker import session
from ember_worker.boot import SessionCancelled

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql.types import DataType

SCALAR_ROW, SCALAR_PANDAS, PANDAS_ITER = 101, 200, 204
SCALAR_ARROW, ARROW_ITER, MAP_PANDAS, MAP_ARROW = 250, 251, 205, 207
PICKLED_ROW, PICKLED_TABLE = 100, 300
COGROUPED_ARROW = 210


def header(  # noqa: PLR0913 - the fields of the message
    eval_type: int,
    function: Callable[..., Any],
    result: DataType,
    *,
    arguments: tuple[int, ...] = (0,),
    broadcasts: tuple[tuple[int, str], ...] = (),
    input_type: str | None = None,
    partition: int = 0,
    barrier: bool = False,
    conf: dict[str, str] | None = None,
    files: str = "/nonexistent-files",
) -> bytes:
    """Return the init message of one function, in its envelope."""
    out = io.BytesIO()
    _before_the_function(out, eval_type, partition, files, broadcasts, barrier=barrier)
    _conf({"spark.sql.session.timeZone": "UTC", **(conf or {})}, out)
    _conf({} if input_type is None else {"input_type": input_type}, out)
    write_int(1, out)
    _offsets(arguments, out)
    write_int(1, out)
    write_with_length(_by_value(function, result), out)
    write_long(1, out)
    return _enveloped(out)


def table_header(
    eval_type: int,
    handler: type,
    result: DataType,
    input_type: str | None = None,
    *,
    conf: dict[str, str] | None = None,
) -> bytes:
    """Return the init message of one table function of one argument, in its envelope."""
    out = io.BytesIO()
    _before_the_function(out, eval_type, 0, "/nonexistent-files", (), barrier=False)
    _conf({"spark.sql.session.timeZone": "UTC", **(conf or {})}, out)
    _conf({} if input_type is None else {"input_type": input_type}, out)
    _offsets((0,), out)
    write_int(0, out)
    out.write(b"\0")
    write_with_length(_by_value(handler), out)
    _text(result.json(), out)
    _text(handler.__name__, out)
    return _enveloped(out)


def rdd_header(command: tuple[Any, ...]) -> bytes:
    """Return the init message of a function over an RDD: it, a profiler and two serializers."""
    out = io.BytesIO()
    _before_the_function(out, 0, 0, "/nonexistent-files", (), barrier=False)
    _conf({}, out)
    _conf({}, out)
    write_with_length(cloudpickle.dumps(command), out)
    return _enveloped(out)


def _before_the_function(  # noqa: PLR0913 - the fields of the message
    out: Any,
    eval_type: int,
    partition: int,
    files: str,
    broadcasts: tuple[tuple[int, str], ...],
    *,
    barrier: bool,
) -> None:
    write_int(partition, out)
    _text("{}.{}".format(*sys.version_info), out)
    _text(json.dumps(_task_context(partition, barrier=barrier)), out)
    _text(files, out)
    write_int(0, out)
    out.write(b"\0")
    write_int(len(broadcasts), out)
    for bid, path in broadcasts:
        write_long(bid, out)
        _text(path, out)
    write_int(eval_type, out)


def _enveloped(out: io.BytesIO) -> bytes:
    return struct.pack("!ii", -8, len(out.getvalue())) + out.getvalue()


def _offsets(arguments: tuple[int, ...], out: Any) -> None:
    write_int(len(arguments), out)
    for offset in arguments:
        write_int(offset, out)
        out.write(b"\0")


def _by_value(function: Any, *more: Any) -> bytes:
    """Pickle as if the function came from a driver's script: Spark's worker cannot import it."""
    command = (function, *more) if more else function
    module = sys.modules[function.__module__]
    if module is builtins:
        return cloudpickle.dumps(command)
    cloudpickle.register_pickle_by_value(module)
    try:
        return cloudpickle.dumps(command)
    finally:
        cloudpickle.unregister_pickle_by_value(module)


def _task_context(partition: int, *, barrier: bool) -> dict[str, Any]:
    return {
        "isBarrier": barrier,
        "connInfo": "/nonexistent.sock" if barrier else None,
        "secret": "secret" if barrier else None,
        "stageId": 7,
        "partitionId": partition,
        "attemptNumber": 0,
        "taskAttemptId": 100 + partition,
        "cpus": 1,
        "cpuAmount": "1",
        "resources": {},
        "localProperties": {"key": f"value {partition}"},
    }


def _text(text: str, out: Any) -> None:
    write_with_length(text.encode(), out)


def _conf(entries: dict[str, str], out: Any) -> None:
    write_int(len(entries), out)
    for key, value in entries.items():
        _text(key, out)
        _text(value, out)


class FakeEndpoint:
    """The bridge's ``Endpoint``, with lists in the place of queues."""

    def __init__(
        self,
        head: bytes,
        given: list[pa.RecordBatch],
        environment: dict[str, str] | None = None,
        schema: pa.Schema | None = None,
    ) -> None:
        """Serve ``head`` and ``given``."""
        self.header = head
        self.input_schema = (schema or given[0].schema).serialize().to_pybytes()
        entries = {"SPARK_SIMPLIFIED_TRACEBACK": "1"} if environment is None else environment
        self.environment = "\0".join(f"{k}={v}" for k, v in entries.items()).encode()
        self.cancelled = False
        self.stateless = False
        self.threads_left = False
        self.taken: list[pa.RecordBatch] = []
        self._given = deque(given)
        self._schema: pa.Schema | None = None
        self._structs = [ctypes.create_string_buffer(80) for _ in range(3)]

    @property
    def array_address(self) -> int:
        """Return where to export the next output."""
        return ctypes.addressof(self._structs[0])

    @property
    def schema_address(self) -> int:
        """Return where to export the schema of the output."""
        return ctypes.addressof(self._structs[1])

    def pull(self) -> int:
        """Lend the next input batch."""
        if self.cancelled:
            raise SessionCancelled
        if not self._given:
            return 0
        address = ctypes.addressof(self._structs[2])
        self._given.popleft()._export_to_c(address)
        return address

    def keeps_nothing(self) -> None:
        """Hear that the function keeps nothing between batches."""
        self.stateless = True

    def left_threads(self) -> None:
        """Hear that threads of the function run on."""
        self.threads_left = True

    def push(self, schema_message: bytes | None) -> None:
        """Take the batch that was exported."""
        if self.cancelled:
            raise SessionCancelled
        if schema_message is not None:
            self._schema = pa.ipc.read_schema(pa.py_buffer(schema_message))
            exported = pa.Schema._import_from_c(self.schema_address)
            assert exported.equals(self._schema, check_metadata=True)
        self.taken.append(pa.RecordBatch._import_from_c(self.array_address, self._schema))


def run(
    head: bytes,
    given: list[pa.RecordBatch],
    environment: dict[str, str] | None = None,
    schema: pa.Schema | None = None,
) -> tuple[list[pa.RecordBatch], bytes]:
    """Run one session on a lane of its own; return its batches and its tail."""
    endpoint = FakeEndpoint(head, given, environment, schema)
    return endpoint.taken, on_lane(endpoint)


def on_lane(endpoint: Any) -> bytes:
    """Run the session of ``endpoint`` on a fresh thread."""
    tails: list[bytes] = []
    thread = threading.Thread(target=lambda: tails.append(session.run(endpoint)))
    thread.start()
    thread.join()
    return tails[0]


_VANILLA = """
import io, json, os, struct, sys
import pandas, pyarrow
from pyspark.worker import main
requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
os.dup2(2, 1)
while head := requests.read(8):
    environment, data = (requests.read(size) for size in struct.unpack("!ii", head))
    source, sink = os.pipe()
    if os.fork() == 0:
        os.close(source)
        os.environ.update(json.loads(environment))
        with os.fdopen(sink, "wb") as outfile:
            try:
                main(io.BytesIO(data), outfile)
            except SystemExit:
                pass
        os._exit(0)
    os.close(sink)
    with os.fdopen(source, "rb") as outfile:
        reply = outfile.read()
    os.wait()
    replies.write(struct.pack("!i", len(reply)) + reply)
    replies.flush()
"""


@functools.lru_cache(maxsize=1)
def _vanilla() -> subprocess.Popen[bytes]:
    """Start Spark's own worker in a process of its own; it forks for every run."""
    environment = {**os.environ, "SPARK_PYTHON_RUNTIME": "PYTHON_WORKER"}
    command = [sys.executable, "-W", "ignore", "-c", _VANILLA]
    pipe = subprocess.PIPE
    server = subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe)
    atexit.register(server.communicate)
    return server


def run_vanilla(
    head: bytes, given: list[pa.RecordBatch], environment: dict[str, str] | None = None
) -> tuple[list[pa.RecordBatch], bytes]:
    """Run Spark's own worker over pipes; return its batches and its tail, ended by -1."""
    data = io.BytesIO()
    with pa.RecordBatchStreamWriter(data, given[0].schema) as writer:
        for batch in given:
            writer.write_batch(batch)
    return run_vanilla_bytes(head, data.getvalue(), environment)


def run_vanilla_bytes(
    head: bytes, data: bytes, environment: dict[str, str] | None = None
) -> tuple[list[pa.RecordBatch], bytes]:
    """Run it over an input as Spark's own runner writes it."""
    return _split(exchange(head + data + struct.pack("!i", -4), environment))


def exchange(request: bytes, environment: dict[str, str] | None = None) -> bytes:
    """Send Spark's own worker all that it is sent in a task; return all that it answers."""
    entries = {"SPARK_SIMPLIFIED_TRACEBACK": "1"} if environment is None else environment
    server = _vanilla()
    assert server.stdin is not None
    assert server.stdout is not None
    options = json.dumps(entries).encode()
    server.stdin.write(struct.pack("!ii", len(options), len(request)) + options + request)
    server.stdin.flush()
    (size,) = struct.unpack("!i", server.stdout.read(4))
    return server.stdout.read(size)


def exchange_pickles(
    head: bytes, pickles: list[bytes], environment: dict[str, str] | None = None
) -> tuple[list[Any], bytes]:
    """Send Spark's own worker pickles; return what it pickled, and its tail."""
    data = b"".join(struct.pack("!i", len(each)) + each for each in pickles)
    answer = exchange(head + data + struct.pack("!ii", -1, -4), environment)
    came = []
    while (size := struct.unpack_from("!i", answer)[0]) >= 0:
        came.append(pickle.loads(answer[4 : 4 + size]))
        answer = answer[4 + size :]
    return came, answer


def _split(output: bytes) -> tuple[list[pa.RecordBatch], bytes]:
    batches: list[pa.RecordBatch] = []
    if output[:4] == struct.pack("!i", -6):
        source = pa.BufferReader(output[4:])
        try:
            with pa.ipc.open_stream(source) as reader:
                batches += reader
        except pa.ArrowInvalid:
            return batches, output
        output = output[4 + source.tell() :]
    if output.endswith(struct.pack("!i", -4)):
        output = output[:-4] + struct.pack("!i", -1)
    return batches, output


def error_text(tail: bytes) -> str:
    """Return the traceback of a tail that reports one."""
    kind, length = struct.unpack_from("!ii", tail)
    assert kind == -2, tail
    assert length == len(tail) - 8
    return tail[8:].decode()


def without_times(tail: bytes) -> bytes:
    """Return a tail with its four times and its two spill counters taken out."""
    kind, *_ = struct.unpack_from("!i6q", tail)
    assert kind == -3, tail
    return tail[4 + 6 * 8 :]
