"""Table functions give, row by row, the batches of Spark's own worker, and its errors."""

from __future__ import annotations

import datetime as dt
import decimal
import re
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pyspark.sql import types as sql

from protocol import error_text, run, run_vanilla, table_header, without_times

if TYPE_CHECKING:
    from collections.abc import Callable

TABLE, PANDAS = 301, "spark.sql.legacy.execution.pythonUDTF.pandas.conversion.enabled"
INPUT = sql.StructType([sql.StructField("x", sql.LongType())]).json()
PAIR = sql.StructType(
    [sql.StructField("n", sql.LongType()), sql.StructField("t", sql.StringType())]
)


def _handler(rows: Callable[[int], Any], end: Callable[[], Any] | None = None) -> type:
    class Handler:
        def eval(self, x: int) -> Any:
            return rows(x)

        if end is not None:

            def terminate(self) -> Any:
                return end()

    return Handler


def _both(handler: type, of: sql.StructType, count: int = 40, **conf: str) -> Any:
    head = table_header(TABLE, handler, of, INPUT, conf=conf)
    given = [
        pa.RecordBatch.from_pydict({"_0": list(range(first, min(first + 15, count)))})
        for first in range(0, count, 15)
    ]
    return run(head, given), run_vanilla(head, given)


def _lists(batches: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
    """Return what stands in each list as a batch."""
    lists = [column for batch in batches for column in [batch.column(0)]]
    return [
        pa.RecordBatch.from_arrays([column.values[start.as_py() : end.as_py()]], ["_0"])
        for column in lists
        for start, end in zip(column.offsets[:-1], column.offsets[1:], strict=True)
    ]


def _struct(*names: str) -> sql.StructType:
    return sql.StructType([sql.StructField(name, sql.StringType()) for name in names])


def _values(batches: list[pa.RecordBatch]) -> list[Any]:
    """Return Python's values, as text of which one NaN is another; names may be equal."""
    return [[child.to_pylist() for child in batch.column(0).flatten()] for batch in batches]


VALUES: dict[str, tuple[sql.DataType, Callable[[int], Any]]] = {
    "boolean": (sql.BooleanType(), lambda x: x % 2 == 0),
    "byte": (sql.ByteType(), lambda x: x - 20),
    "short": (sql.ShortType(), lambda x: x * 800),
    "int": (sql.IntegerType(), lambda x: x - 2**31),
    "long": (sql.LongType(), lambda x: 2**63 - 1 - x),
    "float": (sql.FloatType(), lambda x: 1e300 if x == 4 else x / 3),
    "double": (sql.DoubleType(), lambda x: float("nan") if x == 4 else x / 3),
    "string": (sql.StringType(), lambda x: f"é{x}"),
    "binary": (sql.BinaryType(), lambda x: b"\0" * x),
    "date": (sql.DateType(), lambda x: dt.date(1, 1, 1) + dt.timedelta(x)),
    "timestamp": (sql.TimestampType(), lambda x: dt.datetime(2020, 1, 1, x % 24)),  # noqa: DTZ001
    "ntz": (sql.TimestampNTZType(), lambda x: dt.datetime(2020, 1, 1, x % 24)),  # noqa: DTZ001
    "decimal": (sql.DecimalType(20, 4), lambda x: decimal.Decimal(x) / 3),
    "array": (sql.ArrayType(sql.IntegerType()), lambda x: [x, None]),
    "map": (sql.MapType(sql.StringType(), sql.IntegerType()), lambda x: {"a": x}),
    "struct": (_struct("a", "b"), lambda x: (str(x), "b")),
}


@pytest.mark.parametrize("legacy", ["false", "true"])
@pytest.mark.parametrize("of", VALUES)
def test_values_of_every_type_come_as_from_sparks_worker(of: str, legacy: str) -> None:
    kind, value = VALUES[of]
    schema = sql.StructType([sql.StructField("v", kind), sql.StructField("n", sql.IntegerType())])

    def rows(x: int) -> Any:
        for times in range(x % 3):
            yield (None if x % 5 == 3 else value(x), times)

    (ours, our_tail), (theirs, their_tail) = _both(_handler(rows), schema, **{PANDAS: legacy})
    assert without_times(our_tail) == without_times(their_tail)
    assert len(theirs) == 40
    assert len(ours) == 1
    assert str(_values(_lists(ours))) == str(_values(theirs))
    assert _lists(ours)[0].schema.equals(theirs[0].schema, check_metadata=True)


def _none(_x: int) -> Any:
    return None


def _large(x: int) -> Any:
    return [(x, "t" * 70_000)] * (x % 3)


def _mixed(x: int) -> Any:
    forms: list[Any] = [(x, "t"), {"n": x, "t": "t"}, None, (None, None), (x, 5), (x, True)]
    return [forms[x % len(forms)], forms[(x + 1) % len(forms)]]


class _Pair(tuple):  # noqa: SLOT001 - as a named tuple has it
    """A tuple that shows itself as another."""

    def __iter__(self) -> Any:
        return iter((7, "seven"))


FORMS: dict[str, Callable[[int], Any]] = {
    "nothing": _none,
    "an empty list": lambda _x: [],
    "large text": _large,
    "many rows": lambda x: [(x, "a")] * 3000,
    "rows of many forms": _mixed,
    "tuples of another kind": lambda x: [_Pair((x, "x"))],
    "text that is a number": lambda x: [(x, x)],
    "a number that is a fraction": lambda x: [(x / 2, "half")],
}


@pytest.mark.parametrize("form", FORMS)
def test_rows_of_any_form_come_as_from_sparks_worker(form: str) -> None:
    end = lambda: [(-1, "end")]  # noqa: E731 - as the others
    (ours, our_tail), (theirs, their_tail) = _both(_handler(FORMS[form], end), PAIR)
    assert without_times(our_tail) == without_times(their_tail)
    assert len(theirs) == 41
    assert _lists(ours) == theirs


def _at_20(value: Any) -> Callable[[int], Any]:
    return lambda x: [(value if x == 20 else x, "t")]


def _raise_at_20(x: int) -> Any:
    if x == 20:
        message = "no luck"
        raise ValueError(message)
    yield x, "t"


WRONG: dict[str, Callable[[int], Any]] = {
    "a number too large": _at_20(2**63),
    "text for a number": _at_20("twenty"),
    "a tuple too long": lambda x: [(x, "t", 1) if x == 20 else (x, "t")],
    "half a surrogate": lambda x: [(x, "\ud800" if x == 20 else "t")],
    "a number for a row": lambda x: [20 if x == 20 else (x, "t")],
    "no rows at all": lambda x: 5 if x == 20 else [(x, "t")],
    "an error": _raise_at_20,
    "an error at once": lambda x: [(1 // (20 - x), "t")],
}


@pytest.mark.filterwarnings("ignore::FutureWarning")  # of PySpark's, in its own code
@pytest.mark.parametrize("simplified", ["", "1"])
@pytest.mark.parametrize("wrong", WRONG)
def test_an_error_comes_after_the_rows_before_it(wrong: str, simplified: str) -> None:
    head = table_header(TABLE, _handler(WRONG[wrong]), PAIR, INPUT)
    given = [pa.RecordBatch.from_pydict({"_0": list(range(40))})]
    flags = {"SPARK_SIMPLIFIED_TRACEBACK": simplified}
    (ours, our_tail), (theirs, their_tail) = (
        run(head, given, flags),
        run_vanilla(head, given, flags),
    )
    assert _lists(ours) == theirs[:20]
    text = error_text(their_tail[their_tail.index(b"\xff\xff\xff\xfe") :])
    assert _without_addresses(error_text(our_tail)) == _without_addresses(text)


def _without_addresses(text: str) -> str:
    return re.sub(r"0x[0-9a-f]+", "0x", text)


def test_a_column_that_is_never_null_refuses_null_as_sparks_worker() -> None:
    schema = sql.StructType([sql.StructField("n", sql.LongType(), nullable=False)])
    (ours, our_tail), (theirs, their_tail) = _both(
        _handler(lambda x: [(None if x == 20 else x,)]), schema
    )
    assert len(_lists(ours)) == 20
    assert "non-nullable" in error_text(our_tail)
    assert error_text(our_tail) in their_tail.decode(errors="replace")
    assert not theirs or _lists(ours) == theirs


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_row_is_converted_before_the_next_is_asked_for() -> None:
    def rows(x: int) -> Any:
        if x == 21:
            message = "asked for one row too many"
            raise ValueError(message)
        return [("wrong" if x == 20 else x, "t")]

    (_, our_tail), _ = _both(_handler(rows), PAIR)
    assert "UDTF_ARROW_DATA_CONVERSION_ERROR" in error_text(our_tail)
