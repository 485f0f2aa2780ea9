"""``applyInArrow`` over groups: what PySpark's code does for each group is done for many at once.

PySpark takes the struct column of a group's batch apart and makes batches of its key columns and
of its value columns. All groups of a batch have the same columns, so here the batch is taken apart
once, by the same expressions, and each group has slices of the result. PySpark's code stays what
runs: it asks for columns and names by their places, and gives them to ``RecordBatch.from_arrays``.
"""

from __future__ import annotations

import builtins
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark.sql.conversion import ArrowBatchTransformer

if TYPE_CHECKING:
    from collections.abc import Callable


class Columns:
    """The columns of a batch of many groups."""

    def __init__(self, flat: pa.RecordBatch) -> None:
        """Give out columns of ``flat``."""
        self._columns = flat.columns
        self.schema = SimpleNamespace(names=flat.schema.names)
        self._chosen: dict[tuple[int, ...], pa.RecordBatch] = {}

    def cut(self, start: int, rows: int) -> Piece:
        """Show some rows."""
        return Piece(self, start, rows)

    def chosen(self, places: tuple[int, ...], names: list[str]) -> pa.RecordBatch:
        """Return the batch of the columns at these places."""
        batch = self._chosen.get(places)
        if batch is None:
            columns = [self._columns[place] for place in places]
            batch = self._chosen[places] = pa.RecordBatch.from_arrays(columns, names)
        return batch


class Piece:
    """Some rows of it: a flattened batch, as far as PySpark's code looks at one."""

    __slots__ = ("_of", "_rows", "_start")

    def __init__(self, of: Columns, start: int, rows: int) -> None:
        """Stand for these rows of ``of``."""
        self._of = of
        self._start = start
        self._rows = rows

    @property
    def columns(self) -> Piece:
        """Return what gives a column by its place."""
        return self

    @property
    def schema(self) -> Any:
        """Return what knows the names."""
        return self._of.schema

    def __getitem__(self, place: int) -> tuple[Piece, int]:
        """Return what stands for a column."""
        return self, place

    def batch(self, places: tuple[int, ...], names: list[str]) -> pa.RecordBatch:
        """Return these rows of the columns at these places."""
        return self._of.chosen(places, names).slice(self._start, self._rows)


class _RecordBatch:
    """``pyarrow.RecordBatch`` for that code."""

    @staticmethod
    def from_arrays(arrays: list[Any], names: list[str]) -> pa.RecordBatch:
        if arrays and type(arrays[0]) is tuple:
            piece: Piece = arrays[0][0]
            return piece.batch(tuple([place for _, place in arrays]), names)
        return pa.RecordBatch.from_arrays(arrays, names)


class _Pyarrow:
    """``pyarrow`` for that code."""

    RecordBatch = _RecordBatch

    def __getattr__(self, name: str) -> Any:
        return getattr(pa, name)


class Transformer:
    """``ArrowBatchTransformer`` for that code: pieces are flat already."""

    enforce_schema = ArrowBatchTransformer.enforce_schema

    @staticmethod
    def flatten_struct(piece: Piece) -> Piece:
        """Return it as it is."""
        return piece

    @staticmethod
    def wrap_struct(batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return its columns as the fields of one."""
        if batch.num_columns == 0:
            return ArrowBatchTransformer.wrap_struct(batch)
        return pa.RecordBatch.from_arrays([batch.to_struct_array()], ["_0"])


def show(batch: pa.RecordBatch) -> Callable[[int, int], Piece]:
    """Show the groups of a batch as pieces."""
    return Columns(ArrowBatchTransformer.flatten_struct(batch)).cut


def meanings() -> dict[str, Any]:
    """Return what names of ``read_udfs`` mean here."""
    pyarrow = _Pyarrow()

    def import_(name: str, *args: Any, **kwargs: Any) -> Any:
        return pyarrow if name == "pyarrow" else builtins.__import__(name, *args, **kwargs)

    return {
        "__builtins__": {**vars(builtins), "__import__": import_},
        "ArrowBatchTransformer": Transformer,
    }
