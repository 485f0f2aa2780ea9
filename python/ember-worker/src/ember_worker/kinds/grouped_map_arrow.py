"""``applyInArrow`` over groups: what PySpark's code does for each group is done for many at once.

PySpark takes the struct column of a group's batch apart and makes batches of its key columns and
of its value columns. All groups of a batch have the same columns, so here the batch is taken apart
once, by the same expressions, and each group has slices of the result. PySpark's code stays what
runs: it asks for columns and names by their places, and gives them to ``RecordBatch.from_arrays``.

How the columns of a result are picked depends on its schema alone, so PySpark is asked once for
each schema. A copy of the result waits: a function may write again into what it has returned.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark import worker
from pyspark.sql.conversion import ArrowBatchTransformer

from ember_worker.kinds.waiting import FEW, Waiting
from ember_worker.rebound import importing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


#: So many schemas of results are remembered.
_FORMS = 4


class Columns:
    """The columns of a batch of many groups."""

    def __init__(self, flat: pa.RecordBatch) -> None:
        """Give out columns of ``flat``."""
        self._columns = flat.columns
        self.schema = SimpleNamespace(names=flat.schema.names)
        self._chosen: dict[tuple[int, ...], tuple[pa.RecordBatch, pa.Table]] = {}

    def cut(self, start: int, rows: int) -> Piece:
        """Show some rows."""
        return Piece(self, start, rows)

    def chosen(self, places: tuple[int, ...], names: list[str]) -> tuple[pa.RecordBatch, pa.Table]:
        """Return the columns at these places as a batch and as a table."""
        chosen = self._chosen.get(places)
        if chosen is None:
            columns = [self._columns[place] for place in places]
            batch = pa.RecordBatch.from_arrays(columns, names)
            chosen = self._chosen[places] = batch, pa.Table.from_batches([batch])
        return chosen


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

    def chosen(self, places: tuple[int, ...], names: list[str]) -> tuple[Any, Any]:
        """Return these rows of the columns at these places, when they are asked for."""
        batch, table = self._of.chosen(places, names)
        start, rows = self._start, self._rows
        return lambda: batch.slice(start, rows), lambda: table.slice(start, rows)

    def batch(self, places: tuple[int, ...], names: list[str]) -> pa.RecordBatch:
        """Return these rows of the columns at these places."""
        batch, _ = self._of.chosen(places, names)
        return batch.slice(self._start, self._rows)


class _Part:
    """A batch of the columns of a piece."""

    __slots__ = ("batch", "table")

    def __init__(self, batch: Callable[[], pa.RecordBatch], table: Callable[[], pa.Table]) -> None:
        self.batch = batch
        self.table = table

    @property
    def columns(self) -> list[pa.Array]:
        columns: list[pa.Array] = self.batch().columns
        return columns


class _RecordBatch:
    """``pyarrow.RecordBatch`` for that code."""

    @staticmethod
    def from_arrays(arrays: list[Any], names: list[str]) -> Any:
        if arrays and type(arrays[0]) is tuple:
            piece: Piece = arrays[0][0]
            return _Part(*piece.chosen(tuple([place for _, place in arrays]), names))
        return pa.RecordBatch.from_arrays(arrays, names)


class _Table:
    """``pyarrow.Table`` for that code."""

    @staticmethod
    def from_batches(batches: Iterable[Any]) -> pa.Table:
        parts = list(batches)
        if len(parts) == 1 and type(parts[0]) is _Part:
            return parts[0].table()
        return pa.Table.from_batches(
            [part.batch() if type(part) is _Part else part for part in parts]
        )


class _Pyarrow:
    """``pyarrow`` for that code."""

    RecordBatch = _RecordBatch
    Table = _Table

    def __getattr__(self, name: str) -> Any:
        return getattr(pa, name)


def _verify(result: Any, _expected: type) -> Any:
    if type(result) is pa.Table:
        return result
    return worker.verify_return_type(result, pa.Table)


class _Result:
    """A result whose columns are known to be the right ones."""

    __slots__ = ("_of", "_table")

    def __init__(self, of: _Form, table: pa.Table) -> None:
        self._of = of
        self._table = table

    def to_batches(self) -> list[Any]:
        """Return its batches, the small ones as copies that wait."""
        return [self._of.batch(batch) for batch in self._table.to_batches()]


class _Form:
    """What results of one schema become."""

    def __init__(self, given: pa.Schema, order: list[int], names: list[str]) -> None:
        self.given = given
        self._order = None if order == list(range(len(given))) else order
        self._fields = [
            given.field(at).with_name(name) for at, name in zip(order, names, strict=True)
        ]
        self.schema = pa.schema([pa.field("_0", pa.struct(self._fields))])

    def batch(self, batch: pa.RecordBatch) -> Any:
        if self._order is not None:
            batch = batch.select(self._order)
        if batch.num_rows > FEW:
            return batch
        batch.validate()
        copy = pa.concat_batches([batch])
        return Waiting(self, copy, copy.num_rows, copy.get_total_buffer_size())

    def converted(self, waiting: list[pa.RecordBatch]) -> pa.RecordBatch:
        """Return the batch of results that waited."""
        batch = pa.concat_batches(waiting)
        struct = pa.StructArray.from_arrays(batch.columns, fields=self._fields)
        return pa.RecordBatch.from_arrays([struct], schema=self.schema)


class Transformer:
    """``ArrowBatchTransformer`` for that code, in one session: pieces are flat already."""

    def __init__(self) -> None:
        """Know no form of results yet."""
        self._forms: list[_Form] = []

    @staticmethod
    def flatten_struct(piece: Piece) -> Piece:
        """Return it as it is."""
        return piece

    def enforce_schema(self, result: pa.Table, schema: pa.Schema, **options: Any) -> Any:
        """Return a result of this schema, or what stands for it."""
        given = result.schema
        for form in self._forms:
            if given.equals(form.given, check_metadata=True):
                return _Result(form, result)
        table = ArrowBatchTransformer.enforce_schema(result, schema, **options)
        order = _order(given, table.schema, by_name=options["reorder_by_name"])
        if order is not None and len(self._forms) < _FORMS:
            self._forms.append(_Form(given, order, table.schema.names))
        return table

    @staticmethod
    def wrap_struct(batch: Any) -> Any:
        """Return its columns as the fields of one."""
        if type(batch) is Waiting:
            return batch
        if batch.num_columns == 0:
            return ArrowBatchTransformer.wrap_struct(batch)
        return pa.RecordBatch.from_arrays([batch.to_struct_array()], ["_0"])


def _order(given: pa.Schema, made: pa.Schema, *, by_name: bool) -> list[int] | None:
    """Return which columns of a result PySpark has picked; None if it did more than that."""
    names = given.names
    if not names or len(set(names)) < len(names) or len(made) != len(names):
        return None
    order = [names.index(name) for name in made.names] if by_name else list(range(len(names)))
    picked = pa.schema([given.field(at) for at in order])
    return order if picked.equals(made, check_metadata=True) else None


def show(batch: pa.RecordBatch) -> Callable[[int, int], Piece]:
    """Show the groups of a batch as pieces."""
    return Columns(ArrowBatchTransformer.flatten_struct(batch)).cut


def meanings() -> dict[str, Any]:
    """Return what names of ``read_udfs`` mean here."""
    return {
        "__builtins__": importing(pyarrow=_Pyarrow()),
        "ArrowBatchTransformer": Transformer(),
        "verify_return_type": _verify,
    }
