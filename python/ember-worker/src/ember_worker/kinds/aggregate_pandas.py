"""pandas aggregates (202, 203): a group's values wait, and those of many groups become Series.

PySpark makes a Series of each value, repeats it for the rows of a window, and converts it to
Arrow. Values of the types that need no conversion wait for those of other groups, and PySpark's
code converts them together. The Series of all other values are made and converted at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspark.sql import types as sql

from ember_worker.kinds import frames, pandas_groups
from ember_worker.kinds.plain import plain
from ember_worker.kinds.waiting import Waiting

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

_TYPES = (
    sql.BooleanType,
    sql.ByteType,
    sql.ShortType,
    sql.IntegerType,
    sql.LongType,
    sql.DoubleType,
    sql.StringType,
)


class _Value:
    """The Series of one value, or of its copies."""

    __slots__ = ("times", "value")

    def __init__(self, value: Any, times: int | None = None) -> None:
        self.value = value
        self.times = times

    def repeat(self, times: int) -> _Value:
        return _Value(self.value, times)

    def series(self) -> Any:
        import pandas as pd

        series = pd.Series([self.value])
        return series if self.times is None else series.repeat(self.times)


class _Pandas:
    """``pandas`` for that code."""

    def __init__(self) -> None:
        import numpy as np

        #: What a value of each type is as one of Python's own; a Series of either is the same.
        self._own: dict[type, Any] = {
            **dict.fromkeys((bool, int, float, str), lambda value: value),
            **dict.fromkeys((np.bool_, np.int64, np.float64), lambda value: value.item()),
        }

    def Series(self, data: list[Any]) -> Any:  # noqa: N802 - as pandas has it
        import pandas as pd

        if len(data) == 1:
            (value,) = data
            own = self._own.get(type(value))
            if own is not None:
                return _Value(own(value))
        return pd.Series(data)

    def __getattr__(self, name: str) -> Any:
        import pandas as pd

        return getattr(pd, name)


class _Conversion:
    """``PandasToArrowConversion`` for that code, in one session."""

    schema: pa.Schema = None

    def __init__(self) -> None:
        self._of: Any = None
        self._options: dict[str, Any] = {}
        #: For each column what values of it may wait; none if there is a column that has none.
        self._checks: list[Callable[[Any], bool]] = []

    def convert(self, data: list[Any], of: sql.StructType, **options: Any) -> Any:
        """Return the batch of a group, or what stands for it."""
        if self._of is not None and self._may_wait(data):
            rows = data[0].times
            values = [series.value for series in data]
            return Waiting(self, (rows, values), 1 if rows is None else rows)
        series = [one.series() if type(one) is _Value else one for one in data]
        batch = frames.conversion().convert(series, of, **options)
        if self._of is None:
            self._learn(batch, of, options)
        return batch

    def converted(self, waiting: list[tuple[int | None, list[Any]]]) -> pa.RecordBatch:
        """Return the batch of values that waited."""
        import pandas as pd

        times = [rows for rows, _ in waiting]
        columns = [
            pd.Series(list(column))
            for column in zip(*(values for _, values in waiting), strict=True)
        ]
        if times[0] is not None:
            columns = [column.repeat(times) for column in columns]
        return frames.conversion().convert(columns, self._of, **self._options)

    def _learn(self, batch: pa.RecordBatch, of: sql.StructType, options: dict[str, Any]) -> None:
        """Remember what the first batch shows of all others."""
        self.schema = batch.schema
        self._of = of
        self._options = options
        kinds = [field.dataType for field in of]
        if all(type(kind) in _TYPES for kind in kinds):
            checks = [plain(kind) for kind in kinds]
            self._checks = [check for check in checks if check is not None]

    def _may_wait(self, data: list[Any]) -> bool:
        if not self._checks:
            return False
        for check, series in zip(self._checks, data):  # noqa: B905 - as long, and this is faster
            if type(series) is not _Value or not check(series.value):
                return False
        return True


def meanings() -> dict[str, Any]:
    """Return what names of ``read_udfs`` mean in one session."""
    return {**pandas_groups.meanings(_Pandas()), "PandasToArrowConversion": _Conversion()}
