"""Pickled row functions without the pickles, where the types allow.

Spark sends such a function its rows in pickles of a hundred, and takes its results in as many.
PySpark's ``read_udfs`` and its serializer stay the code that runs; some names that they look up
lead here. Arguments come in columns (or in Spark's own pickles, where only Spark knows what object
a type becomes), and results leave in columns, as long as each has exactly the declared type::

    columns, pickles --> Whole:  one row that stands for all          --> Results   --> columns
                     --> Single: the rows of a group, one at a time   --> a list    --> a pickle

A group of rows with any other result goes PySpark's own way, through a pickle that Spark's own
code in the JVM reads. So every conversion, error and frame of a traceback stays Spark's, and an
error loses the rows of its group, as with Spark.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ember_worker import rowfn
from ember_worker.moved import PythonEvalType
from ember_worker.pickled.input import pickles_both_ways
from ember_worker.pickled.names import Names

if TYPE_CHECKING:
    from collections.abc import Callable


def reader(stock: Callable[..., Any], others: Callable[..., Any]) -> Callable[..., Any]:
    """Return PySpark's ``read_udfs`` for pickled row functions, and ``others`` for all others.

    What follows the kind differs from version to version, as does what the functions are read from.
    """

    def read_udfs(pickler: Any, source: Any, kind: int, *confs: Any) -> Any:
        read = others
        if kind == PythonEvalType.SQL_BATCHED_UDF:
            read = Names(rowfn.bridge(), stock, calls=calls(kind)).reader()
        return read(pickler, source, kind, *confs)

    return read_udfs


def levels(kind: int, endpoint: Any) -> int:
    """Return how many frames of ours stand between PySpark's loop and the functions."""
    return 0 if not calls(kind) or pickles_both_ways(endpoint) else rowfn.LEVELS


def calls(kind: int) -> bool:
    """Tell whether functions are called from here: shown locals need PySpark's own loop."""
    return bool(
        kind in (PythonEvalType.SQL_BATCHED_UDF, PythonEvalType.SQL_TABLE_UDF)
        and rowfn.bridge()
        and not os.environ.get("SPARK_TRACEBACK_WITH_LOCALS")
    )
