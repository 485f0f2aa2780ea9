"""Row functions without the lists between Arrow and the function.

PySpark's ``read_udfs`` stays the code that runs. It looks up by name how a column becomes a list,
how columns become rows, and how results become an array; the names lead here, and here to the
bridge's Rust. Whatever the bridge does not take (a type, a value, a setting) goes on to the object
that PySpark meant, so every conversion, error and frame of a traceback stays PySpark's.

::

    to_pylist -> Column, zip -> Rows, list -> the same Rows,
    _evaluate_batch_udf([one row: the whole batch]) -> Results, array -> pa.Array

The function runs inside the frames it always ran in, only that the loop over the rows turns once.
What a function can notice: arguments live for one call, not for one batch, unless it keeps them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ember_worker.moved import PythonEvalType
from ember_worker.rebound import rebound
from ember_worker.rowfn.names import LEVELS as LEVELS
from ember_worker.rowfn.names import Names

if TYPE_CHECKING:
    from collections.abc import Callable

#: What the bridge offers; empty in an interpreter without one.
_bridge: list[Any] = []


def use(bridge: Any) -> None:
    """Run row functions with the bridge's module."""
    _bridge[:] = [bridge]


def bridge() -> Any:
    """Return the bridge's module, or nothing."""
    return _bridge[0] if _bridge else None


def reader(stock: Callable[..., Any]) -> Callable[..., Any]:
    """Return PySpark's ``read_udfs`` which takes the bridge's way for row functions."""

    def read_udfs(pickler: Any, infos: Any, kind: int, runner_conf: Any, eval_conf: Any) -> Any:
        read = stock
        if takes(kind, runner_conf):
            read = rebound(stock, Names(_bridge[0], stock.__globals__).meanings())
        return read(pickler, infos, kind, runner_conf, eval_conf)

    return read_udfs


def takes(kind: int, runner_conf: Any) -> bool:
    """Tell whether the loop may turn in the bridge: threads and shown locals need PySpark's."""
    return bool(
        _bridge
        and kind == PythonEvalType.SQL_ARROW_BATCHED_UDF
        and not runner_conf.use_legacy_pandas_udf_conversion
        and runner_conf.arrow_concurrency_level <= 0
        and not os.environ.get("SPARK_TRACEBACK_WITH_LOCALS")
    )
