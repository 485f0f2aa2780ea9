"""Groups for pandas functions: the columns of many groups are converted at once.

PySpark converts the columns of a group one by one, for each group. Where a value's conversion does
not depend on the values beside it, all groups of a batch are converted together, and a group's
Series are made over parts of the result. Its frame is made of copies, as by ``pandas.concat``.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import types
from pyspark.sql.conversion import ArrowBatchTransformer

from ember_worker.rebound import importing

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np


class Columns:
    """The columns of a batch of many groups."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        """Convert nothing yet."""
        self.batch = batch
        #: The columns that have to be converted for each group.
        self.others: list[int] | None = None
        self._series: dict[int, Any] = {}
        self._values: dict[int, np.ndarray] = {}
        self._frames: dict[tuple[int, ...], Any] = {}

    def cut(self, start: int, rows: int) -> Piece:
        """Show some rows."""
        return Piece(self, start, rows)

    def convert(self, options: dict[str, Any]) -> None:
        """Convert the columns of all groups that can be, as PySpark converts those of one."""
        if self.others is None:
            columns = self.batch.columns
            places = [at for at, column in enumerate(columns) if _is_separable(column)]
            with contextlib.suppress(Exception):  # a group's own, which is to fail for itself
                series = converted(self.batch, places, options)
                self._series = {at: one for at, one in series.items() if _is_of_numpy(one)}
            self._values = {at: one.to_numpy() for at, one in self._series.items()}
            self.others = [at for at in range(len(columns)) if at not in self._values]

    def series(self, place: int, start: int, rows: int) -> Any:
        """Return these rows of a column that is converted."""
        import pandas as pd

        part = self._values[place][start : start + rows]
        return pd.Series(part, name=self._series[place].name, dtype=part.dtype, copy=False)

    def frame(self, places: tuple[int, ...], start: int, rows: int) -> Any:
        """Return these rows of some columns; None if one has to be converted for each group."""
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

        if not places or any(place not in self._values for place in places):
            return None, None
        whole = pd.concat([self._series[place] for place in places], axis=1)
        kinds = {self._values[place].dtype for place in places}
        one = len(kinds) == 1 and all(np.issubdtype(kind, np.number) for kind in kinds)
        return whole, whole.to_numpy() if one else None


def _is_separable(column: pa.Array) -> bool:
    """Tell whether each value becomes what it would become without the others.

    Numbers with a null among them become others, and are in memory that may be written to.
    """
    of = column.type
    if types.is_string(of) or types.is_binary(of) or types.is_date(of):
        return True
    numbers = types.is_integer(of) or types.is_floating(of) or types.is_boolean(of)
    return bool(column.null_count == 0 and (numbers or types.is_timestamp(of)))


def _is_of_numpy(series: Any) -> bool:
    import numpy as np

    return isinstance(series.dtype, np.dtype)


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
        batch = self._of.batch
        if self.num_rows == batch.num_rows or batch.num_columns == 0:
            table = pa.Table.from_batches([self.batch()]).combine_chunks()
            return ArrowBatchTransformer.to_pandas(table, **options)
        self._of.convert(options)
        others = self._of.others
        return SeriesOfPiece(self, converted(self.batch(), others, options) if others else {})

    def series(self, place: int) -> Any:
        """Return the rows of a column that is converted."""
        return self._of.series(place, self._start, self.num_rows)

    def frame(self, places: tuple[int, ...]) -> Any:
        """Return the rows of some columns, if all are converted."""
        return self._of.frame(places, self._start, self.num_rows)


class SeriesOfPiece:
    """The Series of a group, made when they are asked for."""

    __slots__ = ("_made", "piece")

    def __init__(self, piece: Piece, others: dict[int, Any]) -> None:
        """Have the ``others``, which were converted for this group."""
        self.piece = piece
        self._made = others

    def __getitem__(self, place: int) -> Any:
        """Return that of a column: one object, which all functions of the group are given."""
        made = self._made.get(place)
        if made is None:
            made = self._made[place] = self.piece.series(place)
        return made


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
    return {
        "__builtins__": importing(pyarrow=_Pyarrow(), pandas=pandas),
        "ArrowBatchTransformer": Transformer,
    }


def converted(batch: pa.RecordBatch, places: list[int], options: dict[str, Any]) -> dict[int, Any]:
    """Return the Series of the columns at these places, as PySpark makes them."""
    if not places:
        return {}
    table = pa.Table.from_batches([batch.select(places)]).combine_chunks()
    series = ArrowBatchTransformer.to_pandas(table, **options)
    return dict(zip(places, series, strict=True))
