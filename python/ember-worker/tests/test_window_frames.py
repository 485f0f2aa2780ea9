"""Aggregates over frames with bounds give what Spark's own worker gives, whatever their values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc
import pytest
from pyspark.sql import types as sql

from grouped import TYPES, both, column, framed, same

if TYPE_CHECKING:
    from collections.abc import Callable

PANDAS, ARROW = 203, 253
BOUNDED = {"window_bound_types": "bounded"}
#: Rows before and after that a frame has; some have none at the ends of a group.
FRAMES = {"around": (1, 1), "all before": (9, 0), "ahead": (-1, 2), "behind": (2, -1)}


def _listed(values: Any) -> list[Any]:
    return list(values.tolist() if hasattr(values, "tolist") else values.to_pylist())


RESULTS: dict[str, Callable[[Any], Any]] = {
    "the length": len,
    "a float": lambda v: sum(_listed(v)) / 3,
    "text": lambda v: str(_listed(v)),
    "none": lambda v: None if len(v) % 2 else 1.5,
    "one and the other": lambda v: 1 if len(v) % 2 else 1.5,
    "text and a number": lambda v: "text" if len(v) % 2 else 1,
    "a list": _listed,
}
TYPE = [sql.IntegerType(), sql.LongType(), sql.DoubleType(), sql.StringType()]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", [PANDAS, ARROW])
@pytest.mark.parametrize("of", TYPE, ids=str)
@pytest.mark.parametrize("form", RESULTS)
def test_a_value_of_any_form_of_a_frame_is_converted_as_by_spark(
    form: str, of: sql.DataType, kind: int
) -> None:
    table = framed(column(*TYPES["int64"], "none"), 1, 1)
    same(both(kind, RESULTS[form], of, table, **BOUNDED))


@pytest.mark.parametrize("nulls", ["none", "some"])
@pytest.mark.parametrize("kind", [PANDAS, ARROW])
@pytest.mark.parametrize("frame", FRAMES)
def test_frames_have_the_rows_that_spark_gives_them(frame: str, kind: int, nulls: str) -> None:
    table = framed(column(*TYPES["int64"], nulls), *FRAMES[frame])
    assert same(both(kind, RESULTS["text"], sql.StringType(), table, **BOUNDED))


def test_a_scalar_of_arrow_is_taken_as_by_spark() -> None:
    table = framed(column(*TYPES["int64"], "none"), 1, 1)
    same(both(ARROW, pc.sum, sql.LongType(), table, **BOUNDED))


def _raises(_values: Any) -> Any:
    message = "no luck with this frame"
    raise ValueError(message)


@pytest.mark.parametrize("kind", [PANDAS, ARROW])
def test_an_error_of_a_frame_reads_as_in_sparks_worker(kind: int) -> None:
    table = framed(column(*TYPES["int64"], "none"), 1, 1)
    assert not same(both(kind, _raises, sql.LongType(), table, **BOUNDED))
