"""``applyInPandas`` over groups (201): frames of many groups are made and converted together.

PySpark picks the columns of each result by their names, in the order of the schema, and converts
each by itself, which costs more than all else about a small frame. A frame whose columns stand in
that order is the same frame by position; if they are numbers of the very types of the schema, a
copy of them waits, and PySpark's code converts those of many groups at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspark import worker
from pyspark.sql import types as sql

from ember_worker.kinds import frames, pandas_groups
from ember_worker.kinds.waiting import FEW, Waiting

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    #: The types of a frame's blocks, and the places of their columns.
    _Form = tuple[tuple[Any, tuple[int, ...]], ...]

#: What values of a type are in numpy if their conversion changes nothing.
_NUMBERS: dict[type[sql.DataType], str] = {
    sql.BooleanType: "bool",
    sql.ByteType: "int8",
    sql.ShortType: "int16",
    sql.IntegerType: "int32",
    sql.LongType: "int64",
    sql.FloatType: "float32",
    sql.DoubleType: "float64",
}


class _Column:
    """A column of a group, for its key or its frame."""

    __slots__ = ("of", "place")

    def __init__(self, of: pandas_groups.SeriesOfPiece, place: int) -> None:
        self.of = of
        self.place = place

    @property
    def iloc(self) -> Any:
        return self.of[self.place].iloc


class _Columns:
    """The columns of a group."""

    __slots__ = ("_of",)

    def __init__(self, of: pandas_groups.SeriesOfPiece) -> None:
        self._of = of

    def __getitem__(self, place: int) -> _Column:
        return _Column(self._of, place)


class _Transformer(pandas_groups.Transformer):
    """``ArrowBatchTransformer`` for that code."""

    @staticmethod
    def to_pandas(table: Any, **options: Any) -> Any:
        made = pandas_groups.Transformer.to_pandas(table, **options)
        return _Columns(made) if type(made) is pandas_groups.SeriesOfPiece else made


class _Pandas:
    """``pandas`` for that code."""

    @staticmethod
    def concat(columns: list[Any], axis: int) -> Any:
        import pandas as pd

        if columns and type(columns[0]) is _Column:
            of = columns[0].of
            places = tuple([column.place for column in columns])
            frame = of.piece.frame(places)
            return pd.concat([of[place] for place in places], axis=axis) if frame is None else frame
        return pd.concat(columns, axis=axis)

    def __getattr__(self, name: str) -> Any:
        import pandas as pd

        return getattr(pd, name)


class _Conversion:
    """``PandasToArrowConversion`` for that code, in one session."""

    def __init__(self) -> None:
        self._schema: pa.Schema = None
        self._orders: dict[tuple[Any, ...], list[int] | None] = {}
        self._layouts: dict[tuple[_Form, tuple[Any, ...]], _Layout | None] = {}

    def verify(self, result: Any, of: Any, by_name: bool, truncate_return_schema: bool) -> None:  # noqa: FBT001 - PySpark's own signature
        """Do as ``verify_pandas_result``, which looks at the names of columns alone."""
        if type(result) is not _frame() or self._order(result, of, by_name=by_name) is None:
            worker.verify_pandas_result(result, of, by_name, truncate_return_schema)

    def convert(self, data: list[Any], of: sql.StructType, **options: Any) -> Any:
        """Return the batch of a group's result, or what stands for it."""
        if self._schema is not None and type(data[0]) is _frame() and len(data[0]) <= FEW:
            waiting = self._waiting(data[0], of, options)
            if waiting is not None:
                return waiting
        batch = frames.conversion().convert(data, of, **options)
        if self._schema is None:
            self._schema = batch.schema
        return batch

    def _waiting(self, frame: Any, of: Any, options: dict[str, Any]) -> Waiting | None:
        blocks = getattr(frame._mgr, "blocks", ())
        form = tuple([(block.dtype, tuple(block.mgr_locs)) for block in blocks])
        key = form, tuple(frame.columns)
        if key not in self._layouts:
            by_name = options["assign_cols_by_name"]
            order = self._order(frame, of.fields[0].dataType, by_name=by_name)
            made = None if order is None else _layout(form, order, of)
            self._layouts[key] = _Layout(made, self._schema, of, options) if made else None
        layout = self._layouts[key]
        if layout is None:
            return None
        values = [block.values.copy() for block in blocks]  # noqa: PD011 - a block's
        return Waiting(layout, values, len(frame), sum([part.nbytes for part in values]))

    def _order(self, frame: Any, of: Any, *, by_name: bool) -> list[int] | None:
        """Return where the columns of a result stand; None if PySpark has to look for them."""
        labels = tuple(frame.columns)
        if labels not in self._orders:
            names = getattr(of, "names", ())
            places = {label: at for at, label in enumerate(labels) if type(label) is str}
            if len(places) == len(labels) == len(names) > 0 and (
                not by_name or places.keys() == set(names)
            ):
                order = [places[name] for name in names] if by_name else list(places.values())
                self._orders[labels] = order
            else:
                self._orders[labels] = None
        return self._orders[labels]


class _Layout:
    """How columns lie in the frames that wait together."""

    def __init__(self, places: list[list[int]], schema: pa.Schema, of: Any, options: Any) -> None:
        self.schema = schema
        self._places = places
        self._of = of
        self._options = {**options, "assign_cols_by_name": False}

    def converted(self, waiting: list[list[np.ndarray]]) -> pa.RecordBatch:
        """Return the batch of frames that waited."""
        import numpy as np

        columns: dict[int, Any] = {}
        for places, parts in zip(self._places, zip(*waiting, strict=True), strict=True):
            columns.update(zip(places, np.concatenate(parts, axis=1), strict=True))
        frame = _frame()({place: columns[place] for place in sorted(columns)}, copy=False)
        return frames.conversion().convert([frame], self._of, **self._options)


def _layout(form: _Form, order: list[int], of: Any) -> list[list[int]] | None:
    """Return which fields a frame's blocks are; None if one needs more than a copy."""
    fields = of.fields[0].dataType.fields
    field_of = {place: at for at, place in enumerate(order)}
    for kind, places in form:
        for place in places:
            if _NUMBERS.get(type(fields[field_of[place]].dataType)) != kind:
                return None
    return [[field_of[place] for place in places] for _, places in form]


def _frame() -> Any:
    import pandas as pd

    return pd.DataFrame


def meanings() -> dict[str, Any]:
    """Return what names of ``read_udfs`` mean in one session."""
    conversion = _Conversion()
    return {
        **pandas_groups.meanings(_Pandas()),
        "ArrowBatchTransformer": _Transformer,
        "PandasToArrowConversion": conversion,
        "verify_pandas_result": conversion.verify,
    }


class _InOrder:
    """``PandasToArrowConversion`` for functions over iterators of frames."""

    @staticmethod
    def convert(data: list[Any], of: Any, **options: Any) -> Any:
        frame, names = data[0], getattr(of.fields[0].dataType, "names", None)
        if type(frame) is _frame() and frame.columns.tolist() == names:
            options["assign_cols_by_name"] = False
        return frames.conversion().convert(data, of, **options)


def in_order() -> dict[str, Any]:
    """Return what names mean for functions over iterators (216)."""
    return {"PandasToArrowConversion": _InOrder}
