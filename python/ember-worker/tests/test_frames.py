"""Columns of pandas become Arrow as in PySpark, whoever says which of their values are null."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyspark.sql import types as sql
from pyspark.sql.conversion import ArrowBatchTransformer, PandasToArrowConversion

from rowfn_bridge import bridge

RANDOM = random.Random("objects")


class Text(str):
    __slots__ = ()


class Number(Decimal):
    pass


def texts(count: int) -> list[str]:
    """Make text of every width that Python has, and of every length that UTF-8 treats apart."""
    letters = ("a", "é", "ÿ", "€", "\uffff", "𝄞", "\0", "\x7f", "\x80")
    return ["".join(RANDOM.choices(letters[: 1 + at % 9], k=at % 7)) for at in range(count)]


def numbers(count: int) -> list[Decimal]:
    """Make decimals of many digits and exponents."""
    digits = (str(RANDOM.randint(-(10 ** RANDOM.randint(0, 9)), 10**6)) for _ in range(count))
    return [Decimal(of).scaleb(RANDOM.choice((-4, -2, -2, -1, 0, 2))) for of in digits]


#: Values that pandas keeps as objects, alone and beside one that fits.
ODD: dict[str, Any] = {
    "none": None, "not a number": float("nan"), "no value": pd.NA, "no time": pd.NaT,
    "a surrogate": "a\ud800", "two surrogates": "\ud83d\ude00", "bytes": b"ab",
    "text of numpy": np.str_("n"),
    "text of another class": Text("t"), "a whole number": 3, "a float": 1.5, "a truth": True,
    "a list": ["a"], "a decimal": Decimal("1.25"), "without digits": Decimal("NaN"),
    "a signal": Decimal("sNaN"), "endless": Decimal("-Infinity"), "minus zero": Decimal("-0"),
    "zero of a scale": Decimal("0E-9"), "zero of an exponent": Decimal("0E+4"),
    "an exponent": Decimal("1E+3"), "too fine": Decimal("0.001"),
    "too large": Decimal("123456789012.25"), "huge": Decimal(10) ** 40,
    "all digits": Decimal("9" * 38), "of another class": Number("2.50"),
    "a float of numpy": np.float64("nan"),
}  # fmt: skip
OBJECTS = {
    "texts": pd.Series(texts(200), dtype=object),
    "texts with nulls": pd.Series([None, "a", float("nan"), "é"] * 3, dtype=object),
    "nothing but nulls": pd.Series([None] * 9, dtype=object),
    "no objects": pd.Series([], dtype=object),
    "every other text": pd.Series(texts(40), dtype=object)[::-2],
    "text of pandas": pd.Series(texts(200), dtype="string[python]"),
    "text of pandas with nulls": pd.Series(["a", None, "é"], dtype="string[python]"),
    "every other text of pandas": pd.Series(texts(40), dtype="string[python]")[::-2],
    "text of pandas with a surrogate": pd.Series(["a", "\ud800"], dtype="string[python]"),
    "no text of pandas": pd.Series([], dtype="string[python]"),
    "text of pyarrow": pd.Series(["a", None, "é"], dtype="string[pyarrow]"),
    "a column among others": pd.DataFrame({"a": ["b", "c"], "d": ["é", None]}).iloc[:, 1],
    "decimals": pd.Series(numbers(300), dtype=object),
    "decimals of one scale": pd.Series([Decimal(at).scaleb(-2) for at in range(-60, 60)]),
    "decimals with nulls": pd.Series([Decimal("1.50"), None, float("nan")], dtype=object),
    **{name: pd.Series([odd], dtype=object) for name, odd in ODD.items()},
    **{f"{name}, and text": pd.Series(["a", odd], dtype=object) for name, odd in ODD.items()},
    **{f"1.00, and {name}": pd.Series([Decimal("1.00"), odd], dtype=object)
       for name, odd in ODD.items()},
}  # fmt: skip
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
    **OBJECTS,
}
TEXT_SCHEMA = sql.StructType([sql.StructField("_0", sql.StringType())])
TYPES = [
    sql.BooleanType(), sql.ByteType(), sql.IntegerType(), sql.LongType(), sql.FloatType(),
    sql.DoubleType(), sql.StringType(), sql.StringType("UNICODE_CI"), sql.DecimalType(10, 2),
    sql.DecimalType(38, 18), sql.DecimalType(38, 0), sql.DecimalType(2, 2), sql.DateType(),
    sql.TimestampType(), sql.TimestampNTZType(), sql.ArrayType(sql.LongType()),
    sql.StructType([sql.StructField("a", sql.LongType()), sql.StructField("b", sql.BooleanType())]),
]  # fmt: skip


@pytest.fixture(name="conversion")
def make_conversion() -> Any:
    """Import it once the worker has booted: its package imports PySpark's worker."""
    from ember_worker.kinds import frames

    assert bridge() is not None
    return frames.conversion()


@pytest.fixture(name="transformer")
def make_transformer() -> Any:
    """Do the same for the way to pandas."""
    from ember_worker.kinds import frames

    assert bridge() is not None
    return frames.transformer()


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


@pytest.mark.parametrize("large", [True, False])
def test_gathered_text_and_decimals_are_arrays_like_those_of_pyarrow(
    conversion: Any, *, large: bool
) -> None:
    for name, series in OBJECTS.items():
        ends = []
        for which in (conversion, PandasToArrowConversion):
            try:
                batch = which.convert([series], TEXT_SCHEMA, prefers_large_types=large)
            except Exception as error:  # noqa: BLE001 - any of them is compared
                ends.append(str(error))
            else:
                batch.validate(full=True)
                ends.append([batch.schema, batch.to_pylist(), batch.column(0).null_count])
        assert ends[0] == ends[1], name


def test_columns_of_text_and_decimals_do_not_pass_pyarrow(
    conversion: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_args: Any, **_options: Any) -> Any:
        pytest.fail("pyarrow was asked")

    monkeypatch.setattr("ember_worker.kinds.frames.pa", _Refusing(refused))
    for name, kind in {
        "texts": sql.StringType(),
        "texts with nulls": sql.StringType(),
        "every other text": sql.StringType(),
        "text of pandas": sql.StringType(),
        "every other text of pandas": sql.StringType(),
        "decimals of one scale": sql.DecimalType(10, 2),
        "decimals with nulls": sql.DecimalType(10, 2),
    }.items():
        schema, _ = outcome(conversion, SERIES[name], kind, safecheck=True)
        assert schema.names == ["_0"]


class _Refusing:
    """``pyarrow`` whose arrays cannot be made of pandas."""

    def __init__(self, refused: Any) -> None:
        self.Array = type("Array", (), {"from_pandas": staticmethod(refused)})

    def __getattr__(self, name: str) -> Any:
        return getattr(pa, name)


#: Columns of text and of decimals as they come from Spark.
COLUMNS = {
    "texts": pa.array(texts(300)),
    "texts with nulls": pa.array([None, "a", "é", None, "𝄞", "", "a", "é"]),
    "long offsets": pa.array(["a", None, "ab", "é"], pa.large_string()),
    "a part": pa.array(["a", "b", None, "é", "b", "a"]).slice(1, 4),
    "nothing but nulls": pa.array([None, None], pa.string()),
    "no text": pa.array([], pa.string()),
    "no UTF-8": pa.array([b"a", b"\xff"]).view(pa.string()),
    "half a letter": pa.array([b"a", b"\xc3", b"\xa9"]).view(pa.string()),
    "a surrogate": pa.array([b"\xed\xa0\x80"]).view(pa.string()),
    **{
        f"decimals of {digits} and {scale}": pa.array(
            [None, *(Decimal(f"{sign}{'9' * of}E-{scale}") for of in range(1, digits + 1)
                     for sign in "+-"), Decimal(0)],
            pa.decimal128(digits, scale),
        )
        for digits, scale in ((1, 0), (2, 2), (12, 2), (18, 9), (20, 0), (38, 18), (38, 38))
    },
    "a part of decimals": pa.array([Decimal("1.5"), None, Decimal("-2.5"), Decimal(3)]).slice(1, 2),
    "many chunks": pa.chunked_array([["a", None], ["b"]]),
}  # fmt: skip


def shown(transformer: Any, column: Any, *, nested: bool) -> Any:
    table = pa.table({"column": column})
    if nested:
        batches = table.to_batches() or [pa.record_batch([pa.array([], column.type)], ["column"])]
        table = pa.RecordBatch.from_arrays([batches[0].to_struct_array()], ["struct"])
    elif isinstance(column, pa.Array):
        table = pa.RecordBatch.from_arrays([column], ["column"])
    try:
        (made,) = transformer.to_pandas(table, timezone="UTC", df_for_struct=True)
    except Exception as error:  # noqa: BLE001 - any of them is compared
        return type(error), str(error)
    series = made["column"] if nested else made
    values = series.tolist()
    first = [next(at for at, one in enumerate(values) if one is value) for value in values]
    texts_only = not pa.types.is_decimal(column.type)
    return (
        type(made), made.index, series.name, series.dtype,
        [(type(one), repr(one)) for one in values], first if texts_only else None,
        series.to_numpy().flags.writeable, type(series.array),
    )  # fmt: skip


@pytest.mark.parametrize("nested", [True, False], ids=["in a frame", "by itself"])
def test_every_column_of_objects_is_what_pyspark_makes_of_it(
    transformer: Any, *, nested: bool
) -> None:
    for name, column in COLUMNS.items():
        ends = [
            shown(which, column, nested=nested) for which in (transformer, ArrowBatchTransformer)
        ]
        assert str(ends[0]) == str(ends[1]), name


def test_where_pandas_has_a_type_for_text_it_is_that(transformer: Any) -> None:
    with pd.option_context("future.infer_string", True):  # noqa: FBT003 - an option and its value
        ours = shown(transformer, COLUMNS["texts"], nested=False)
        stock = shown(ArrowBatchTransformer, COLUMNS["texts"], nested=False)
    assert str(ours) == str(stock)


def test_only_columns_that_may_have_nulls_are_asked_for_them(
    conversion: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    real = pd.Series.isnull
    monkeypatch.setattr(pd.Series, "isnull", lambda it: asked.append(str(it.dtype)) or real(it))
    for name in ("numpy l", "numpy ?", "numpy d", "texts"):
        outcome(conversion, SERIES[name], sql.StringType(), safecheck=True)
    assert asked == ["float64"]
    outcome(conversion, SERIES["a whole number, and text"], sql.StringType(), safecheck=True)
    assert set(asked) == {"float64", "object"}


def test_batches_of_schemas_that_change_are_each_read_by_their_own(transformer: Any) -> None:
    note = {b"SPARK::metadata::json": b'{"note": 1}'}
    fields = [
        pa.field("a", pa.int64()),
        pa.field("a", pa.int32()),
        pa.field("b", pa.int64()),
        pa.field("b", pa.int64(), nullable=False),
        pa.field("b", pa.int64(), metadata=note),
        pa.field("b", pa.string()),
    ]
    batches = [pa.record_batch([pa.array([1, 2]).cast(of.type)], pa.schema([of])) for of in fields]
    for batch in [*batches, *batches[::-1], *batches]:
        (ours,) = transformer.to_pandas(batch, timezone="UTC", df_for_struct=True)
        (stock,) = ArrowBatchTransformer.to_pandas(batch, timezone="UTC", df_for_struct=True)
        pd.testing.assert_series_equal(ours, stock)
