"""Arrow aggregates (252, 253): values of many groups wait and become an array together.

PySpark copies the batches of a group into one, makes an array of each value, or of its copies for
the rows of a window, a batch of these, and compares that with the schema. A group that is one
batch needs no copy, and a value whose array has the very type of the schema can wait for those of
other groups. All others are converted at once, by PySpark's code.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from pyspark.sql import types as sql
from pyspark.sql.conversion import ArrowBatchTransformer

from ember_worker.kinds.plain import plain
from ember_worker.kinds.waiting import Waiting
from ember_worker.rebound import importing

#: What values of these types become arrays of, by themselves.
_TYPES: dict[type, pa.DataType] = {
    bool: pa.bool_(),
    int: pa.int64(),
    float: pa.float64(),
    str: pa.string(),
}
_FITS = {
    bool: plain(sql.BooleanType()),
    int: plain(sql.LongType()),
    float: plain(sql.DoubleType()),
    str: plain(sql.StringType()),
}
_SCALARS = {pa.BooleanScalar, pa.Int64Scalar, pa.DoubleScalar, pa.StringScalar}


class _Value:
    """The array of one value, or of its copies."""

    __slots__ = ("given", "times", "value")

    def __init__(self, given: Any, value: Any, times: int | None) -> None:
        self.given = given
        self.value = value
        self.times = times

    def array(self) -> pa.Array:
        if self.times is None:
            return pa.array([self.given])
        return pa.repeat(self.given, self.times)


def _value(given: Any, times: int | None) -> _Value | None:
    """Return what stands for the array of a value; None if it is to be made at once."""
    value = given.as_py() if type(given) in _SCALARS else given
    fits = _FITS.get(type(value))
    return _Value(given, value, times) if fits is not None and fits(value) else None


class _Values:
    """The batch of the values of a group."""

    __slots__ = ("columns", "names")

    def __init__(self, columns: list[_Value], names: list[str]) -> None:
        self.columns = columns
        self.names = names

    def batch(self) -> pa.RecordBatch:
        return pa.RecordBatch.from_arrays([value.array() for value in self.columns], self.names)


class _RecordBatch:
    """``pyarrow.RecordBatch`` for that code."""

    @staticmethod
    def from_arrays(arrays: list[Any], names: list[str]) -> Any:
        if all(type(array) is _Value for array in arrays):
            return _Values(arrays, names)
        made = [array.array() if type(array) is _Value else array for array in arrays]
        return pa.RecordBatch.from_arrays(made, names)


class _Pyarrow:
    """``pyarrow`` for that code."""

    RecordBatch = _RecordBatch

    @staticmethod
    def concat_batches(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
        return batches[0] if len(batches) == 1 else pa.concat_batches(batches)

    @staticmethod
    def array(values: list[Any]) -> Any:
        value = _value(values[0], None) if len(values) == 1 else None
        return pa.array(values) if value is None else value

    @staticmethod
    def repeat(given: Any, times: int) -> Any:
        value = _value(given, times)
        return pa.repeat(given, times) if value is None else value

    def __getattr__(self, name: str) -> Any:
        return getattr(pa, name)


class _Transformer:
    """``ArrowBatchTransformer`` for that code, in one session."""

    schema: pa.Schema = None

    def __init__(self) -> None:
        #: For each column what values become its type by themselves, if there are any.
        self._kinds: list[type | None] = []

    def enforce_schema(self, values: Any, schema: pa.Schema) -> Any:
        """Return a batch of this schema, or what stands for it."""
        if type(values) is not _Values:
            return ArrowBatchTransformer.enforce_schema(values, schema)
        if self.schema is None:
            return self._first(values, schema)
        if [type(value.value) for value in values.columns] != self._kinds:
            return ArrowBatchTransformer.enforce_schema(values.batch(), schema)
        times = values.columns[0].times
        data = [value.value for value in values.columns]
        return Waiting(self, (times, data), 1 if times is None else times)

    def converted(self, waiting: list[tuple[int | None, list[Any]]]) -> pa.RecordBatch:
        """Return the batch of values that waited."""
        import numpy as np

        times = [rows for rows, _ in waiting]
        columns = zip(*(values for _, values in waiting), strict=True)
        arrays = [
            pa.array(list(column), kind)
            for column, kind in zip(columns, self.schema.types, strict=True)
        ]
        if times[0] is not None:
            places = pa.array(np.repeat(np.arange(len(times)), [rows or 1 for rows in times]))
            arrays = [array.take(places) for array in arrays]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _first(self, values: _Values, schema: pa.Schema) -> pa.RecordBatch:
        """Convert the first group's values, and remember what they show of all others."""
        batch = ArrowBatchTransformer.enforce_schema(values.batch(), schema)
        self.schema = batch.schema
        kinds = {made: kind for kind, made in _TYPES.items()}
        self._kinds = [kinds.get(kind) for kind in schema.types]
        return batch


def meanings() -> dict[str, Any]:
    """Return what names of ``read_udfs`` mean in one session."""
    return {
        "__builtins__": importing(pyarrow=_Pyarrow()),
        "ArrowBatchTransformer": _Transformer(),
    }
