"""Groups for pandas functions: the columns of many groups are converted at once.

PySpark converts the columns of a group one by one, for each group. Where a value's conversion does
not depend on the values beside it, all groups of a batch are converted together, and a group's
Series are made over parts of the result. Its frame is made of copies, as by ``pandas.concat``.
"""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import types
from pyspark.sql.conversion import ArrowBatchTransformer

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np


class Columns:
    """The columns of a batch of many groups."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        """Convert nothing yet."""
        self.batch = batch
        self._series: list[Any] = []
        self._values: list[np.ndarray | None] = []
        self._frames: dict[tuple[int, ...], Any] = {}

    def cut(self, start: int, rows: int) -> Piece:
        """Show some rows."""
        return Piece(self, start, rows)

    def convert(self, options: dict[str, Any]) -> None:
        """Convert all rows, as PySpark converts those of one group."""
        if not self._series:
            self._series = ArrowBatchTransformer.to_pandas(_table([self.batch]), **options)
            columns = self.batch.columns
            if columns:
                pairs = zip(columns, self._series, strict=True)
                self._values = [_separable(column, series) for column, series in pairs]
            else:
                self._values = [None]

    def series(self, place: int, start: int, rows: int) -> Any:
        """Return these rows of a column; None if they have to be converted for themselves."""
        import pandas as pd

        values = self._values[place]
        if values is None:
            return None
        part = values[start : start + rows]
        return pd.Series(part, name=self._series[place].name, dtype=part.dtype, copy=False)

    def frame(self, places: tuple[int, ...], start: int, rows: int) -> Any:
        """Return these rows of some columns; None if they have to be converted for themselves."""
        import pandas as pd

        if places not in self._frames:
            self._frames[places] = self._whole(places)
        whole, values = self._frames[places]
        if values is not None:
            part = values[start : start + rows].copy(order="F")
            return pd.DataFrame(part, columns=whole.columns.view(), copy=False)
        if whole is not None:
            frame = whole.iloc[start : start + rows].copy()
            frame.index = pd.RangeIndex(rows)
            return frame
        return None

    def _whole(self, places: tuple[int, ...]) -> tuple[Any, np.ndarray | None]:
        """Return the frame of all groups, and its values if they are numbers of one type."""
        import numpy as np
        import pandas as pd

        columns = [self._values[place] for place in places]
        if not columns or any(values is None for values in columns):
            return None, None
        whole = pd.concat([self._series[place] for place in places], axis=1)
        kinds = {values.dtype for values in columns if values is not None}
        one = len(kinds) == 1 and all(np.issubdtype(kind, np.number) for kind in kinds)
        return whole, whole.to_numpy() if one else None


def _separable(column: pa.Array, series: Any) -> np.ndarray | None:
    """Return the values of ``series`` if each is what it would be without the others.

    Numbers with a null among them become others, and are in memory that may be written to.
    """
    import numpy as np

    of = column.type
    objects = types.is_string(of) or types.is_binary(of) or types.is_date(of)
    numbers = types.is_integer(of) or types.is_floating(of) or types.is_boolean(of)
    alone = objects or (column.null_count == 0 and (numbers or types.is_timestamp(of)))
    if not alone or not isinstance(series.dtype, np.dtype):
        return None
    values: np.ndarray = series.to_numpy()
    return values


class Piece:
    """Some rows of it: a batch and the table of it, as far as PySpark's code looks at them."""

    __slots__ = ("_of", "_start", "num_rows")

    def __init__(self, of: Columns, start: int, rows: int) -> None:
        """Stand for these rows of ``of``."""
        self._of = of
        self._start = start
        self.num_rows = rows

    def combine_chunks(self) -> Piece:
        """Return itself."""
        return self

    def batch(self) -> pa.RecordBatch:
        """Return the rows as what they are."""
        return self._of.batch.slice(self._start, self.num_rows)

    def to_pandas(self, options: dict[str, Any]) -> Any:
        """Return its columns."""
        if self.num_rows == self._of.batch.num_rows:
            return ArrowBatchTransformer.to_pandas(_table([self._of.batch]), **options)
        self._of.convert(options)
        return SeriesOfPiece(self, options)

    def series(self, place: int) -> Any:
        """Return the rows of a column, if it needs no conversion."""
        return self._of.series(place, self._start, self.num_rows)

    def frame(self, places: tuple[int, ...]) -> Any:
        """Return the rows of some columns, if they need no conversion."""
        return self._of.frame(places, self._start, self.num_rows)


class SeriesOfPiece:
    """The Series of a group, made when they are asked for."""

    def __init__(self, piece: Piece, options: dict[str, Any]) -> None:
        """Make none yet."""
        self.piece = piece
        self._options = options
        self._converted: list[Any] | None = None

    def __getitem__(self, place: int) -> Any:
        """Return that of a column."""
        series = self.piece.series(place)
        if series is not None:
            return series
        if self._converted is None:
            table = _table([self.piece.batch()])
            self._converted = ArrowBatchTransformer.to_pandas(table, **self._options)
        return self._converted[place]


class Transformer:
    """``ArrowBatchTransformer`` for that code."""

    @staticmethod
    def to_pandas(table: Any, **options: Any) -> Any:
        """Return the columns of a group."""
        if type(table) is Piece:
            return table.to_pandas(options)
        return ArrowBatchTransformer.to_pandas(table, **options)


class _Table:
    """``pyarrow.Table`` for that code."""

    @staticmethod
    def from_batches(pieces: list[Piece]) -> Any:
        if len(pieces) == 1:
            return pieces[0]
        return pa.Table.from_batches([piece.batch() for piece in pieces])


class _Pyarrow:
    """``pyarrow`` for that code."""

    Table = _Table

    def __getattr__(self, name: str) -> Any:
        return getattr(pa, name)


def show(batch: pa.RecordBatch) -> Callable[[int, int], Piece]:
    """Show the groups of a batch as pieces."""
    return Columns(batch).cut


def meanings(pandas: Any) -> dict[str, Any]:
    """Return what names of ``read_udfs`` mean here; ``pandas`` is that module for its code."""
    others = {"pyarrow": _Pyarrow(), "pandas": pandas}

    def import_(name: str, *args: Any, **kwargs: Any) -> Any:
        found = others.get(name)
        return builtins.__import__(name, *args, **kwargs) if found is None else found

    return {
        "__builtins__": {**vars(builtins), "__import__": import_},
        "ArrowBatchTransformer": Transformer,
    }


def _table(batches: list[pa.RecordBatch]) -> pa.Table:
    return pa.Table.from_batches(batches).combine_chunks()
