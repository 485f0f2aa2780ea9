"""The embedded kinds, each as one way to send columns through a Python function.

``unit`` is what a kind's function gets at a time: a row's value, a Series, an Array, a frame, a
record batch.  A case says what to do with a unit; the kind says how Spark is asked for it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import arrow_udf, pandas_udf

Unit = Callable[[Any], Any]


@dataclass(frozen=True)
class Kind:
    """A kind: its eval type, the node that runs it, and how to make a function of it."""

    name: str
    eval_type: int
    node: str
    make: Callable[[Unit, Any], Any] | None = None
    map: Callable[[DataFrame, Unit, Any], DataFrame] | None = None
    rows: Callable[[Any], int] = len
    """How many rows a unit has."""

    def through(
        self, frame: DataFrame, unit: Unit, ddl: Any, columns: tuple[str, ...] = ("v",)
    ) -> DataFrame:
        """The frame with its columns sent through ``unit``; a map kind sends whole batches."""
        if self.map is not None:
            return self.map(frame, unit, frame.schema)
        function = self.make(unit, ddl)
        kept = [name for name in frame.columns if name not in columns]
        return frame.select(*kept, *(function(name).alias(name) for name in columns))


def row(unit: Unit, ddl: Any) -> Any:
    """A ``udf``: one row at a time, Arrow underneath since Spark 4.2."""

    def each_row(value):
        return unit(value)

    return F.udf(each_row, ddl)


def pandas(unit: Unit, ddl: Any) -> Any:
    """A ``pandas_udf`` over a Series."""

    def each_series(series: pd.Series) -> pd.Series:
        return unit(series)

    return pandas_udf(each_series, ddl)


def pandas_iterator(unit: Unit, ddl: Any) -> Any:
    """A ``pandas_udf`` over an iterator of Series."""

    def all_series(several: Iterator[pd.Series]) -> Iterator[pd.Series]:
        for series in several:
            yield unit(series)

    return pandas_udf(all_series, ddl)


def arrow(unit: Unit, ddl: Any) -> Any:
    """An ``arrow_udf`` over an Array."""

    def each_array(array: pa.Array) -> pa.Array:
        return unit(array)

    return arrow_udf(each_array, ddl)


def arrow_iterator(unit: Unit, ddl: Any) -> Any:
    """An ``arrow_udf`` over an iterator of Arrays."""

    def all_arrays(several: Iterator[pa.Array]) -> Iterator[pa.Array]:
        for array in several:
            yield unit(array)

    return arrow_udf(all_arrays, ddl)


def map_in_pandas(frame: DataFrame, unit: Unit, schema: Any) -> DataFrame:
    """A function over an iterator of pandas frames."""

    def all_frames(several: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for one in several:
            yield unit(one)

    return frame.mapInPandas(all_frames, schema)


def map_in_arrow(frame: DataFrame, unit: Unit, schema: Any) -> DataFrame:
    """A function over an iterator of record batches."""

    def all_batches(several: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for one in several:
            yield unit(one)

    return frame.mapInArrow(all_batches, schema)


ROW = Kind("row", 101, "ArrowEvalPython", make=row, rows=lambda _: 1)
PANDAS = Kind("pandas", 200, "ArrowEvalPython", make=pandas)
PANDAS_ITERATOR = Kind("pandas_iterator", 204, "ArrowEvalPython", make=pandas_iterator)
ARROW = Kind("arrow", 250, "ArrowEvalPython", make=arrow)
ARROW_ITERATOR = Kind("arrow_iterator", 251, "ArrowEvalPython", make=arrow_iterator)
MAP_IN_PANDAS = Kind("map_in_pandas", 205, "MapInPandas", map=map_in_pandas)
MAP_IN_ARROW = Kind("map_in_arrow", 207, "MapInArrow", map=map_in_arrow, rows=lambda b: b.num_rows)

SCALAR = (ROW, PANDAS, PANDAS_ITERATOR, ARROW, ARROW_ITERATOR)
EVERY = (*SCALAR, MAP_IN_PANDAS, MAP_IN_ARROW)


def same(unit: Any) -> Any:
    """Give back what came in."""
    return unit
