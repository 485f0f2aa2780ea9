"""Runs a plain function inside a session and brings back what it returned."""

from __future__ import annotations

import itertools
import sys
import threading
import types
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark.sql.types import LongType

from ember_worker import session
from protocol import SCALAR_ARROW, FakeEndpoint, error_text, header, on_lane

if TYPE_CHECKING:
    from collections.abc import Callable

ONE_ROW = [pa.RecordBatch.from_pydict({"_0": [1]})]

_numbers = itertools.count()
_desk: dict[int, Any] = {}
sys.modules["ember_test_desk"] = types.SimpleNamespace(desk=_desk)  # type: ignore[assignment]


class Raised(Exception):  # noqa: N818 - a report, not an error of ours
    """The session ended with this traceback."""


def call(
    function: Callable[..., Any],
    *arguments: Any,
    on_this_thread: bool = False,
    environment: dict[str, str] | None = None,
    **fields: Any,
) -> Any:
    """Call ``function`` in a session of its own and return its result, or raise its traceback."""
    number = next(_numbers)
    _desk[number] = (function, arguments)

    def inside(values: Any) -> Any:
        import ember_test_desk

        called, given = ember_test_desk.desk[number]
        ember_test_desk.desk[number] = called(*given)
        return values

    head = header(SCALAR_ARROW, inside, LongType(), **fields)
    endpoint = FakeEndpoint(head, ONE_ROW, environment or {})
    tail = session.run(endpoint) if on_this_thread else on_lane(endpoint)
    result = _desk.pop(number)
    if not endpoint.taken:
        raise Raised(error_text(tail))
    return result


def on_own_thread(function: Callable[[], object]) -> None:
    """Call ``function`` on a thread that the caller starts and waits for."""
    thread = threading.Thread(target=function)
    thread.start()
    thread.join()
