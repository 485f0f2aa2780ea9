"""Values of Arrow aggregates come as from Spark's own worker, whatever they are."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyspark.sql import types as sql

from grouped import TYPES, both, column, same

if TYPE_CHECKING:
    from collections.abc import Callable

AGGREGATE, WINDOW = 252, 253


def _first(array: pa.Array) -> int:
    return array[0].as_py()


RESULTS: dict[str, Callable[[pa.Array], Any]] = {
    "a float": lambda x: float(_first(x)),
    "nan": lambda x: float("nan") if _first(x) % 3 == 0 else 0.5,
    "an integer": _first,
    "a large integer": lambda x: 2**63 if _first(x) > 20 else 1,
    "a huge integer": lambda x: 2**70 if _first(x) > 20 else 1,
    "a truth": lambda x: _first(x) % 2 == 1,
    "text": lambda x: str(_first(x)),
    "long text": lambda x: "long" * 500 + str(_first(x)),
    "no text": lambda x: "\ud800" if _first(x) > 20 else "text",
    "none": lambda x: None if _first(x) % 3 == 0 else 1.5,
    "one and the other": lambda x: 1 if _first(x) % 3 == 0 else 1.5,
    "a scalar": pc.mean,
    "an integer scalar": pc.sum,
    "a scalar of nothing": lambda x: pc.mean(x.slice(0, _first(x) % 2)),
    "a text scalar": lambda x: x.cast(pa.string())[0],
    "a date": lambda _: dt.date(2020, 1, 1),
    "a list": lambda x: x.to_pylist(),
    "the length": len,
}
TYPE = [
    sql.BooleanType(), sql.IntegerType(), sql.LongType(), sql.DoubleType(), sql.StringType(),
    sql.DateType(), sql.ArrayType(sql.LongType()),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", [AGGREGATE, pytest.param(WINDOW, marks=pytest.mark.slow)])
@pytest.mark.parametrize("of", TYPE, ids=str)
@pytest.mark.parametrize("form", RESULTS)
def test_a_value_of_any_form_is_converted_as_by_spark(
    form: str, of: sql.DataType, kind: int
) -> None:
    table = pa.RecordBatch.from_arrays([column(*TYPES["int64"], "none")], ["v"])
    same(both(kind, RESULTS[form], of, table))


@pytest.mark.parametrize("kind", [AGGREGATE, WINDOW])
def test_values_of_their_type_come_without_an_error(kind: int) -> None:
    table = pa.RecordBatch.from_arrays([column(*TYPES["int64"], "none")], ["v"])
    for form, of in (("a float", TYPE[3]), ("an integer", TYPE[2]), ("text", TYPE[4])):
        assert same(both(kind, RESULTS[form], of, table))
