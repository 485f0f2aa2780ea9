"""Groups of pandas functions: what a function sees and what comes of it, as in Spark's worker."""

from __future__ import annotations

import datetime as dt
import decimal
import io
import re
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyspark.sql import types as sql

from protocol import error_text, header, run, run_vanilla_bytes, without_times

if TYPE_CHECKING:
    from collections.abc import Callable

MAP, AGGREGATE, WINDOW = 201, 202, 203
WINDOWS = {"window_bound_types": "unbounded"}
#: Rows of each group, and those of the groups in several pieces.
GROUPS = [[1], [3], [2], [1], [4, 3], [5], [2]] * 3


def _column(of: pa.DataType, value: Callable[[int], Any], nulls: str) -> pa.Array:
    """Return a column with no null, with nulls in some groups, or with nulls alone."""
    count = sum(map(sum, GROUPS))
    gone = {"none": lambda _: False, "some": lambda n: n % 9 == 4, "all": lambda _: True}[nulls]
    return pa.array([None if gone(n) else value(n) for n in range(count)], of)


TYPES: dict[str, tuple[pa.DataType, Callable[[int], Any]]] = {
    "bool": (pa.bool_(), lambda n: n % 2 == 0),
    "int8": (pa.int8(), lambda n: n),
    "int32": (pa.int32(), lambda n: n),
    "int64": (pa.int64(), lambda n: n),
    "float": (pa.float32(), float),
    "double": (pa.float64(), lambda n: float("nan") if n % 4 == 1 else n / 3),
    "string": (pa.string(), str),
    "binary": (pa.binary(), lambda n: b"b" * n),
    "date": (pa.date32(), lambda n: dt.date(2020, 1, 1) + dt.timedelta(n)),
    "timestamp": (pa.timestamp("us", "UTC"), lambda n: n * 10**9),
    "ntz": (pa.timestamp("us"), lambda n: n * 10**9),
    "decimal": (pa.decimal128(10, 2), decimal.Decimal),
    "list": (pa.list_(pa.int64()), lambda n: [n, n]),
    "null": (pa.null(), lambda _: None),
}


def _both(kind: int, function: Any, result: Any, table: pa.RecordBatch, **conf: str) -> Any:
    offsets = (0,)
    if kind == MAP:
        columns = range(table.num_columns)
        offsets = (table.num_columns + 2, 1, 0, *columns)
    told = {**(WINDOWS if kind == WINDOW else {}), **conf}
    head = header(kind, function, result, arguments=offsets, conf=told)
    pieces = [(rows, at + 1 < len(group)) for group in GROUPS for at, rows in enumerate(group)]
    counts = [-rows if more else rows for rows, more in pieces]
    padded = pa.array(counts + [0] * (table.num_rows - len(counts)), pa.int32())
    data, start = io.BytesIO(), 0
    for group in GROUPS:
        data.write(struct.pack("!i", 1))
        with pa.RecordBatchStreamWriter(data, table.schema) as writer:
            for rows in group:
                writer.write_batch(table.slice(start, rows))
                start += rows
    theirs = run_vanilla_bytes(head, data.getvalue() + struct.pack("!i", 0))
    return run(head, [table.append_column("pieces", padded)]), theirs


def _check(both: Any) -> bool:
    """Compare rows and ends, and what came before an error; tell whether there was none."""
    (ours, our_tail), (theirs, their_tail) = both
    rows = [str(batch.to_pylist()) for batch in _joined(ours)]
    assert rows == [str(batch.to_pylist()) for batch in _joined(theirs)]
    assert [batch.schema for batch in ours[:1]] == [batch.schema for batch in theirs[:1]]
    if our_tail.startswith(struct.pack("!i", -2)):
        start = their_tail.index(struct.pack("!i", -2))
        assert _text(our_tail) == _text(their_tail[start:])
        return False
    assert without_times(our_tail) == without_times(their_tail)
    return True


def _joined(batches: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
    return pa.Table.from_batches(batches).combine_chunks().to_batches() if batches else []


def _text(tail: bytes) -> str:
    return re.sub(r"0x[0-9a-f]+", "0x", error_text(tail))


def _seen(series: pd.Series) -> str:
    import numpy as np

    writeable = isinstance(series.dtype, np.dtype) and series.to_numpy().flags.writeable
    values = [type(value).__name__ + str(value) for value in series]
    return f"{series.dtype} {series.index!r} {series.name} {writeable} {values}"


def _seen_frame(key: Any, frame: pd.DataFrame) -> pd.DataFrame:
    frame["new"] = 1  # warns if this is known as a part of another frame
    layout = [str(frame[name].to_numpy().flags.writeable) for name in frame.columns]
    parts = [_seen(frame[name]) for name in frame.columns]
    told = [type(key[0]).__name__, str(key), repr(frame.columns), *layout, *parts]
    frame.columns.name = "not to be seen by the next group"
    return pd.DataFrame({"seen": [" ".join(told)]})


TEXT = sql.StructType([sql.StructField("seen", sql.StringType())])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("nulls", ["none", "some", "all"])
@pytest.mark.parametrize("of", TYPES)
def test_a_function_sees_the_series_and_frames_that_spark_shows(of: str, nulls: str) -> None:
    column = _column(*TYPES[of], nulls)
    table = pa.RecordBatch.from_arrays([column], ["v"])
    assert _check(_both(AGGREGATE, _seen, sql.StringType(), table))
    assert _check(_both(MAP, _seen_frame, TEXT, table))
    beside = _column(*TYPES["int64"], "none")
    text = _column(*TYPES["string"], "some")
    for columns in ([column, beside], [beside, column, text], [column, column]):
        names = [f"c{at}" for at in range(len(columns))]
        wide = pa.RecordBatch.from_arrays(columns, names)
        assert _check(_both(MAP, _seen_frame, TEXT, wide))


RESULTS: dict[str, Callable[[pd.Series], Any]] = {
    "a float": lambda x: float(x.iloc[0]),
    "nan": lambda x: float("nan") if x.iloc[0] % 3 == 0 else 0.5,
    "an integer": lambda x: int(x.iloc[0]),
    "numpy's float": lambda x: x.mean(),
    "numpy's integer": lambda x: x.iloc[0],
    "a small integer": lambda x: np.int8(x.iloc[0]),
    "a large integer": lambda x: 2**63 if x.iloc[0] > 20 else 1,
    "a truth": lambda x: bool(x.iloc[0] % 2),
    "numpy's truth": lambda x: np.bool_(x.iloc[0] % 2),
    "text": lambda x: str(x.iloc[0]),
    "no text": lambda x: "\ud800" if x.iloc[0] > 20 else "text",
    "none": lambda x: None if x.iloc[0] % 3 == 0 else 1.5,
    "one and the other": lambda x: 1 if x.iloc[0] % 3 == 0 else 1.5,
    "a date": lambda _: dt.date(2020, 1, 1),
}
AGGREGATED = [
    sql.BooleanType(), sql.ByteType(), sql.IntegerType(), sql.LongType(), sql.FloatType(),
    sql.DoubleType(), sql.StringType(), sql.DecimalType(10, 2), sql.DateType(),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", [AGGREGATE, WINDOW])
@pytest.mark.parametrize("of", AGGREGATED, ids=str)
@pytest.mark.parametrize("form", RESULTS)
def test_a_value_of_any_form_is_converted_as_by_spark(
    form: str, of: sql.DataType, kind: int
) -> None:
    table = pa.RecordBatch.from_arrays([_column(*TYPES["int64"], "none")], ["v"])
    _check(_both(kind, RESULTS[form], of, table))


FRAMES: dict[str, Callable[[pd.DataFrame], Any]] = {
    "as it is": lambda frame: frame,
    "other order": lambda frame: frame[["b", "a"]],
    "other types": lambda frame: frame.astype({"a": "int32"}),
    "nan": lambda frame: frame.assign(b=float("nan")),
    "fractions": lambda frame: frame.assign(a=frame["a"] + 0.5),
    "objects": lambda frame: frame.astype(object),
    "extension": lambda frame: frame.astype("Int64"),
    "no rows": lambda frame: frame.iloc[:0],
    "nothing": lambda _: pd.DataFrame(),
    "a column too many": lambda frame: frame.assign(c=1),
    "other names": lambda frame: frame.set_axis([0, 1], axis=1),
    "one name": lambda frame: frame.set_axis(["a", "a"], axis=1),
    "other index": lambda frame: frame.set_index("a", drop=False),
    "a part": lambda frame: frame.iloc[::2],
    "a subclass": type("Other", (pd.DataFrame,), {}),
    "not always": lambda frame: frame.astype({"b": "float32"}) if len(frame) == 2 else frame,
    "text at last": lambda frame: frame.assign(a="text") if frame["a"].iloc[0] > 20 else frame,
    "no frame at last": lambda frame: 5 if frame["a"].iloc[0] > 20 else frame,
}
NUMBERS = sql.StructType(
    [sql.StructField("a", sql.LongType()), sql.StructField("b", sql.DoubleType())]
)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("by_name", ["true", "false"])
@pytest.mark.parametrize("form", FRAMES)
def test_a_frame_of_any_form_is_converted_as_by_spark(form: str, by_name: str) -> None:
    numbers = _column(*TYPES["int64"], "none")
    table = pa.RecordBatch.from_arrays([numbers, numbers.cast(pa.float64())], ["a", "b"])
    setting = "spark.sql.legacy.execution.pandas.groupedMap.assignColumnsByName"
    _check(_both(MAP, FRAMES[form], NUMBERS, table, **{setting: by_name}))


def _again(frame: pd.DataFrame) -> pd.DataFrame:
    """Return one and the same frame for each group, with other values."""
    if not _KEPT:
        _KEPT.append(pd.DataFrame({"a": [0], "b": [0.0]}))
    _KEPT[0].iloc[0, 0] = frame["a"].iloc[0]
    return _KEPT[0]


_KEPT: list[pd.DataFrame] = []


def test_a_frame_may_be_written_again_for_each_group() -> None:
    numbers = _column(*TYPES["int64"], "none")
    table = pa.RecordBatch.from_arrays([numbers, numbers.cast(pa.float64())], ["a", "b"])
    assert _check(_both(MAP, _again, NUMBERS, table))
