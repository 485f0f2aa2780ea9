"""Columns of pandas become Arrow as in PySpark, whoever says which of their values are null."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import types as sql
from pyspark.sql.conversion import PandasToArrowConversion

SERIES = {
    **{f"numpy {kind}": pd.Series(np.array([0, 1, 1, 0], kind)) for kind in "?bhilBHILefd"},
    "nothing": pd.Series([], dtype="int64"),
    "floats with nulls": pd.Series([1.5, np.nan, None, 0.0]),
    "large": pd.Series([2**62, -1, 2**31, 300]),
    "objects": pd.Series([1, None, True, 3], dtype=object),
    "texts": pd.Series(["a", None, "1", ""]),
    "nullable": pd.Series([1, None, 3], dtype="Int64"),
    "nullable truths": pd.Series([True, None, False], dtype="boolean"),
    "times": pd.Series(pd.to_datetime(["2020-01-02", None, "1969-12-31"])),
    "categories": pd.Series([1, 2, 1], dtype="category"),
    "part of another": pd.Series(range(10))[::3],
    "frame": pd.DataFrame({"a": [1, 2], "b": [True, False]}),
}
TYPES = [
    sql.BooleanType(), sql.ByteType(), sql.IntegerType(), sql.LongType(), sql.FloatType(),
    sql.DoubleType(), sql.StringType(), sql.DecimalType(10, 2), sql.DateType(),
    sql.TimestampType(), sql.TimestampNTZType(), sql.ArrayType(sql.LongType()),
    sql.StructType([sql.StructField("a", sql.LongType()), sql.StructField("b", sql.BooleanType())]),
]  # fmt: skip


@pytest.fixture(name="conversion")
def make_conversion() -> Any:
    """Import it once the worker has booted: its package imports PySpark's worker."""
    from ember_worker.kinds import frames

    return frames.conversion()


def outcome(conversion: Any, series: Any, kind: sql.DataType, *, safecheck: bool) -> Any:
    schema = sql.StructType([sql.StructField("_0", kind)])
    options: Any = {"timezone": "UTC", "safecheck": safecheck, "arrow_cast": True}
    try:
        batch = conversion.convert([series], schema, **options)
    except Exception as error:  # noqa: BLE001 - any of them is compared
        return type(error), str(error), repr(error.__cause__)
    return batch.schema, batch.serialize().to_pybytes()


@pytest.mark.parametrize("kind", TYPES, ids=lambda it: it.simpleString())
@pytest.mark.parametrize("safecheck", [True, False])
def test_every_column_becomes_what_it_becomes_in_pyspark(
    kind: sql.DataType, conversion: Any, *, safecheck: bool
) -> None:
    for name, series in SERIES.items():
        if isinstance(series, pd.DataFrame) and not isinstance(kind, sql.StructType):
            continue
        ends = [
            outcome(which, series, kind, safecheck=safecheck)
            for which in (conversion, PandasToArrowConversion)
        ]
        assert ends[0] == ends[1], name


def test_only_columns_that_may_have_nulls_are_asked_for_them(
    conversion: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    real = pd.Series.isnull
    monkeypatch.setattr(pd.Series, "isnull", lambda it: asked.append(str(it.dtype)) or real(it))
    for name in ("numpy l", "numpy ?", "numpy d", "texts"):
        outcome(conversion, SERIES[name], sql.StringType(), safecheck=True)
    assert asked == ["float64", "object"]
