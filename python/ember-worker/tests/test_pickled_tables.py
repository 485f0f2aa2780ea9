"""Pickled table functions: the same pickles as from Spark's worker, a few batches of them."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pyspark.sql.types import LongType, StringType, StructField, StructType
from pyspark.sql.udtf import SkipRestOfInputTableException

from protocol import (
    PICKLED_TABLE,
    FakeEndpoint,
    error_text,
    exchange_pickles,
    on_lane,
    table_header,
    without_times,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

ROW = StructType([StructField("n", LongType()), StructField("t", StringType())])
SCHEMA = pa.schema([("pickles", pa.binary())])


class Times:
    """As many rows as it is told, and at its end how many it was asked for."""

    def __init__(self) -> None:
        self.seen = 0

    def eval(self, number: int) -> Iterator[tuple[int, str]]:
        self.seen += 1
        for each in range(number % 4):
            yield number, str(each)

    def terminate(self) -> Iterator[tuple[int, str]]:
        yield self.seen, "end"


class Stops:
    """Reads no further than it likes."""

    def eval(self, number: int) -> Iterator[tuple[int, str]]:
        yield number, "row"
        if number == 150:
            raise SkipRestOfInputTableException


class Raises:
    """Has rows before it fails."""

    def eval(self, number: int) -> Iterator[tuple[int, str]]:
        yield number, "row"
        if number == 150:
            message = "no luck"
            raise ValueError(message)


class Large:
    """Has one row, which is larger than what is gathered."""

    def eval(self, number: int) -> Iterator[tuple[int, str]]:
        yield number, "x" * 100_000


def pickles(rows: int) -> list[bytes]:
    """Return so many rows as Spark sends them."""
    groups = [range(first, min(first + 100, rows)) for first in range(0, rows, 100)]
    return [pickle.dumps([(number,) for number in group]) for group in groups]


def embedded(
    handler: type, rows: int, environment: dict[str, str] | None = None
) -> tuple[list[list[Any]], bytes]:
    """Return what each batch held, and the tail."""
    given = [pa.RecordBatch.from_pydict({"pickles": [each]}, SCHEMA) for each in pickles(rows)]
    endpoint = FakeEndpoint(table_header(PICKLED_TABLE, handler, ROW), given, environment, SCHEMA)
    tail = on_lane(endpoint)
    return [[pickle.loads(it.as_py()) for it in batch.column(0)] for batch in endpoint.taken], tail


def vanilla(
    handler: type, rows: int, environment: dict[str, str] | None = None
) -> tuple[list[Any], bytes]:
    """Return the pickles of Spark's own worker, and its tail."""
    return exchange_pickles(table_header(PICKLED_TABLE, handler, ROW), pickles(rows), environment)


@pytest.mark.parametrize("rows", [0, 1, 100, 555])
@pytest.mark.parametrize("handler", [Times, Stops, Large])
def test_a_table_function_gives_the_pickles_of_sparks_worker(handler: type, rows: int) -> None:
    ours, tail = embedded(handler, rows)
    theirs, their_tail = vanilla(handler, rows)
    assert [each for batch in ours for each in batch] == theirs
    assert without_times(tail)[:8] == without_times(their_tail)[:8]


def test_small_pickles_come_many_at_a_time() -> None:
    ours, _ = embedded(Times, 2000)
    assert sum(map(len, ours)) == 2001
    assert len(ours) < 2001 / 4


@pytest.mark.parametrize("simplified", ["", "1"])
def test_an_error_reads_as_in_sparks_worker_and_loses_no_row_before_it(simplified: str) -> None:
    flags = {"SPARK_SIMPLIFIED_TRACEBACK": simplified}
    ours, tail = embedded(Raises, 400, flags)
    theirs, their_tail = vanilla(Raises, 400, flags)
    assert [each for batch in ours for each in batch] == theirs
    assert len(theirs) == 150
    assert "no luck" in error_text(tail)
    assert error_text(tail) == error_text(their_tail)
