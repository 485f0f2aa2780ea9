"""A function recurses as far, and is as deep, as under Spark's own daemon."""

from __future__ import annotations

import _thread
import io
import os
import re
import struct
import subprocess
import sys
from contextlib import contextmanager
from socket import create_connection
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from ember_worker import session
from protocol import FakeEndpoint, error_text
from test_session import FLAT, KINDS, _message, _vectors

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = b"secret"


@contextmanager
def _daemon() -> Iterator[int]:
    """Start Spark's daemon; give its port."""
    environment = {
        **os.environ,
        "PYTHON_WORKER_FACTORY_SECRET": SECRET.decode(),
        "SPARK_SIMPLIFIED_TRACEBACK": "1",
    }
    command = [sys.executable, "-m", "pyspark.daemon", "pyspark.worker"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield struct.unpack("!i", process.stdout.read(4))[0]
        process.stdin.close()  # it ends itself


@pytest.fixture(scope="module")
def daemon() -> Iterator[int]:
    with _daemon() as port:
        yield port


def _of_sparks(port: int, head: bytes, given: list[pa.RecordBatch]) -> str:
    """Return the error of a worker of the daemon."""
    data = io.BytesIO()
    with pa.RecordBatchStreamWriter(data, given[0].schema) as writer:
        for batch in given:
            writer.write_batch(batch)
    with create_connection(("127.0.0.1", port)) as connection:
        stream = connection.makefile("rwb")
        stream.read(4)
        stream.write(struct.pack("!i", len(SECRET)) + SECRET)
        stream.flush()
        stream.read(4 + len(b"ok"))
        stream.write(head + data.getvalue() + struct.pack("!i", -4))
        stream.flush()
        while struct.unpack("!i", stream.read(4)) != (-2,):
            """The markers and the stream that came before the error."""
        (length,) = struct.unpack("!i", stream.read(4))
        return stream.read(length).decode()


def _of_ours(head: bytes, given: list[pa.RecordBatch]) -> str:
    """Return the error of a session on a thread that has no frame of Python's own."""
    endpoint = FakeEndpoint(head, given)
    done = _thread.allocate_lock()
    done.acquire()
    tails: list[bytes] = []

    def lane() -> None:
        tails.append(session.run(endpoint))
        done.release()

    _thread.start_new_thread(lane, ())
    done.acquire()
    return error_text(tails[0])


def _deep(_values: Any) -> Any:
    def down(level: int) -> int:
        return down(level + 1)

    return down(0)


def _deep_in_an_iterator(batches: Any) -> Any:
    def down(level: int) -> int:
        return down(level + 1)

    for _batch in batches:
        yield down(0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_recursion_ends_where_it_ends_in_sparks_worker(kind: str, daemon: int) -> None:
    body = _deep_in_an_iterator if KINDS[kind][1] is _vectors else _deep
    head = _message(kind, body)
    given = KINDS[kind][3][:1]
    ours, theirs = _of_ours(head, given), _of_sparks(daemon, head, given)
    # Python 3.11 saves a level on calls into C that it has seen often; Spark's worker is new here.
    assert _depth(theirs) <= _depth(ours) <= _depth(theirs) + 1
    assert ours.replace(f" {_depth(ours)} ", " ") == theirs.replace(f" {_depth(theirs)} ", " ")


def _depth(error: str) -> int:
    """Return how often the line of the recursion is repeated."""
    (found,) = re.findall(r"repeated (\d+) more times", error)
    return int(found)


def _limit(_values: Any) -> Any:
    import sys

    raise ValueError(sys.getrecursionlimit())


def test_the_limit_itself_is_pythons() -> None:
    assert f"ValueError: {sys.getrecursionlimit()}" in _of_ours(_message("arrow", _limit), FLAT)
