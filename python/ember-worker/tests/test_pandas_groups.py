"""Groups of pandas functions: what a function sees and what comes of it, as in Spark's worker."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyspark.sql import types as sql

from grouped import TYPES, both, column, same

if TYPE_CHECKING:
    from collections.abc import Callable

MAP, AGGREGATE, WINDOW = 201, 202, 203


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
    values = column(*TYPES[of], nulls)
    table = pa.RecordBatch.from_arrays([values], ["v"])
    if of == "late" and nulls != "all":
        assert not same(both(AGGREGATE, _seen, sql.StringType(), table))
        return
    assert same(both(AGGREGATE, _seen, sql.StringType(), table))
    assert same(both(MAP, _seen_frame, TEXT, table))
    beside = column(*TYPES["int64"], "none")
    text = column(*TYPES["string"], "some")
    for columns in ([values, beside], [beside, values, text], [values, values]):
        names = [f"c{at}" for at in range(len(columns))]
        wide = pa.RecordBatch.from_arrays(columns, names)
        assert same(both(MAP, _seen_frame, TEXT, wide))


def _sorted_by_one(first: pd.Series, second: pd.Series) -> str:
    first.sort_values(ascending=False, inplace=True)  # noqa: PD002 - what the other one shows
    return f"{first is second} {second.tolist()} {second.index.tolist()}"


@pytest.mark.parametrize("kind", [AGGREGATE, WINDOW])
@pytest.mark.parametrize("of", ["int64", "string", "double", "decimal"])
def test_a_column_is_one_series_wherever_functions_of_a_group_see_it(of: str, kind: int) -> None:
    table = pa.RecordBatch.from_arrays([column(*TYPES[of], "none")], ["v"])
    assert same(both(kind, _sorted_by_one, sql.StringType(), table, (0, 0)))


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
@pytest.mark.parametrize("kind", [AGGREGATE, pytest.param(WINDOW, marks=pytest.mark.slow)])
@pytest.mark.parametrize("of", AGGREGATED, ids=str)
@pytest.mark.parametrize("form", RESULTS)
def test_a_value_of_any_form_is_converted_as_by_spark(
    form: str, of: sql.DataType, kind: int
) -> None:
    table = pa.RecordBatch.from_arrays([column(*TYPES["int64"], "none")], ["v"])
    same(both(kind, RESULTS[form], of, table))


def test_values_of_windows_are_repeated_as_by_spark() -> None:
    table = pa.RecordBatch.from_arrays([column(*TYPES["int64"], "none")], ["v"])
    for form, of in (("nan", 5), ("an integer", 3), ("text", 6), ("none", 5)):
        assert same(both(WINDOW, RESULTS[form], AGGREGATED[of], table))


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
    numbers = column(*TYPES["int64"], "none")
    table = pa.RecordBatch.from_arrays([numbers, numbers.cast(pa.float64())], ["a", "b"])
    setting = "spark.sql.legacy.execution.pandas.groupedMap.assignColumnsByName"
    same(both(MAP, FRAMES[form], NUMBERS, table, **{setting: by_name}))


def _again(frame: pd.DataFrame) -> pd.DataFrame:
    """Return one and the same frame for each group, with other values."""
    if not _KEPT:
        _KEPT.append(pd.DataFrame({"a": [0], "b": [0.0]}))
    _KEPT[0].iloc[0, 0] = frame["a"].iloc[0]
    return _KEPT[0]


_KEPT: list[pd.DataFrame] = []


def test_a_frame_may_be_written_again_for_each_group() -> None:
    numbers = column(*TYPES["int64"], "none")
    table = pa.RecordBatch.from_arrays([numbers, numbers.cast(pa.float64())], ["a", "b"])
    assert same(both(MAP, _again, NUMBERS, table))
