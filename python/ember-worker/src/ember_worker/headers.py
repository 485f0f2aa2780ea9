"""Of which kind of function a header of PySpark 3.5 to 4.2 is, before ``main`` has read it."""

from __future__ import annotations

import io
from typing import IO, TYPE_CHECKING, Any

from pyspark import serializers

if TYPE_CHECKING:
    from collections.abc import Callable

_pyspark: Any = serializers
_int: Callable[[IO[bytes]], int] = _pyspark.read_int
_long: Callable[[IO[bytes]], int] = _pyspark.read_long
_bool: Callable[[IO[bytes]], bool] = _pyspark.read_bool
_text: Callable[[IO[bytes]], Any] = _pyspark.UTF8Deserializer().loads


def eval_type(header: bytes, pass_task: Callable[[IO[bytes]], None]) -> int:
    """Return it; ``pass_task`` reads what tells of the task."""
    stream = io.BytesIO(header)
    _int(stream)  # the partition
    _text(stream)  # Python's version
    pass_task(stream)
    _text(stream)  # the folder of files
    _texts(stream, 1)
    _broadcasts(stream)
    return _int(stream)


def task_as_text(stream: IO[bytes]) -> None:
    """Read the context of the task as 4.2 has it."""
    _text(stream)


def task_as_fields(stream: IO[bytes]) -> None:
    """Read the context of the task as 4.1 has it."""
    if _bool(stream):
        _address(stream)
    _fields(stream)


def task_behind_address(stream: IO[bytes]) -> None:
    """Read the same as 3.5 and 4.0 have it: with a port also where there is no barrier."""
    _bool(stream)
    _address(stream)
    _fields(stream)


def _address(stream: IO[bytes]) -> None:
    _int(stream)  # a port, and the secret or the path of a socket
    _text(stream)


def _fields(stream: IO[bytes]) -> None:
    stream.read(3 * 4 + 8 + 4)  # stage, partition, attempt; its number; cores
    for _ in range(_int(stream)):
        _resource(stream)
    _texts(stream, 2)  # local properties


def _resource(stream: IO[bytes]) -> None:
    _text(stream)
    _text(stream)
    _texts(stream, 1)


def _texts(stream: IO[bytes], together: int) -> None:
    """Read as many texts as is said, or pairs of them."""
    for _ in range(_int(stream) * together):
        _text(stream)


def _broadcasts(stream: IO[bytes]) -> None:
    encrypted = _bool(stream)
    count = _int(stream)
    if encrypted:
        _address(stream)  # as for a barrier; values come from there
    for _ in range(count):
        if _long(stream) >= 0 and not encrypted:
            _text(stream)  # the path of its file
