"""Results whose declared type forbids nulls: as Spark reads them, with such nulls and without.

Without one, native code writes the rows, and no batch is left for Spark's own code to read.  With
one, that code has the batch, and fails, or reads something, as it would in Spark's own runner.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from parity.case import Case
from parity.evidence import executed, metric, walk
from parity.kinds import ARROW, ARROW_ITERATOR, PANDAS, PANDAS_ITERATOR, ROW
from pyspark.sql import DataFrame, Row, Window
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import arrow_udf, pandas_udf
from pyspark.sql.pandas.types import to_arrow_schema, to_arrow_type
from pyspark.sql.types import (
    ArrayType,
    DayTimeIntervalType,
    DecimalType,
    DoubleType,
    LongType,
    MapType,
    StringType,
    StructField,
    StructType,
)

from parity import witness

SUMS = ArrayType(DecimalType(5, 2), containsNull=False)
PARTS = StructType(
    [
        StructField("number", LongType(), nullable=False),
        StructField("text", StringType(), nullable=False),
        StructField("great", DecimalType(30, 2), nullable=False),
        StructField("span", DayTimeIntervalType(), nullable=False),
        StructField("numbers", ArrayType(DoubleType(), containsNull=False)),
        StructField("texts", ArrayType(StringType(), containsNull=False)),
        StructField("sums", SUMS),
        StructField("named", MapType(StringType(), LongType(), valueContainsNull=False)),
        StructField("deep", ArrayType(StructType([StructField("d", LongType(), nullable=False)]))),
    ]
)
ROWS = StructType([StructField("k", LongType(), nullable=False), *PARTS.fields])
PLACES = PARTS.names
SILENT = ("great", "span", "sums")
"""Spark reads what lies under these nulls, or writes a null nevertheless."""
OFFENDER = 13
SMALL_BATCHES = {"spark.sql.execution.arrow.maxRecordsPerBatch": "3"}

Unit = Callable[[Any], Any]


def parts(value: int, place: str | None = None) -> dict[str, Any]:
    """Values of a row, with a null in one place of the offender's."""
    missing = place if value == OFFENDER else None
    some = lambda name, given: None if name == missing else given
    return {
        "number": some("number", value),
        "text": some("text", f"text {value}"),
        "great": some("great", Decimal(value)),
        "span": some("span", timedelta(seconds=value)),
        "numbers": [value / 2, some("numbers", 1.5)],
        "texts": None if value % 4 == 2 else ["x" * (value % 9), some("texts", "y")],
        "sums": [some("sums", Decimal(value)), Decimal("1.25")],
        "named": {"a": value, "b": some("named", 2)},
        "deep": [{"d": value}, None, {"d": some("deep", 3)}],
    }


def made(values: list[int], place: str | None) -> list[dict[str, Any]]:
    return [parts(value, place) for value in values]


def as_array(values: list[int], place: str | None) -> pa.Array:
    return pa.array(made(values, place), to_arrow_type(PARTS, timezone="UTC"))


def as_batch(values: list[int], place: str | None) -> pa.RecordBatch:
    rows = [{"k": value, **row} for value, row in zip(values, made(values, place), strict=True)]
    return pa.RecordBatch.from_pylist(rows, to_arrow_schema(ROWS, timezone="UTC"))


def as_frame(values: list[int], place: str | None) -> pd.DataFrame:
    rows = [{"k": value, **row} for value, row in zip(values, made(values, place), strict=True)]
    return pd.DataFrame(rows, columns=ROWS.names)


@dataclass(frozen=True)
class Kind:
    """How rows (k, v) are sent through a function that has a null in one place, or in none."""

    name: str
    node: str
    through: Callable[[DataFrame, str | None, Callable[[], None]], DataFrame]


def scalar(kind: Any, unit: Callable[[Any, str | None], Any], of: Any = PARTS) -> Kind:
    def through(frame, place, sign):
        def work(values):
            sign()
            return unit(values, place)

        return kind.through(frame, work, of)

    return Kind(kind.name, kind.node, through)


def of_series(values: pd.Series, place: str | None) -> pd.Series:
    """Spark takes no structs of pandas functions whose fields may not be null."""
    return pd.Series([parts(value, place)["sums"] for value in values])


def of_frames(frame, place, sign):
    def each(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for one in frames:
            sign()
            yield as_frame(one["v"].tolist(), place)

    return frame.mapInPandas(each, ROWS)


def of_batches(frame, place, sign):
    def each(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for one in batches:
            sign()
            yield as_batch(one["v"].to_pylist(), place)

    return frame.mapInArrow(each, ROWS)


def of_groups_in_pandas(frame, place, sign):
    def each(group: pd.DataFrame) -> pd.DataFrame:
        sign()
        return as_frame(group["v"].tolist(), place)

    return frame.groupBy("k").applyInPandas(each, ROWS)


def of_groups_in_arrow(frame, place, sign):
    def each(group: pa.Table) -> pa.Table:
        sign()
        return pa.Table.from_batches([as_batch(group["v"].to_pylist(), place)])

    return frame.groupBy("k").applyInArrow(each, ROWS)


def of_cogroups_in_arrow(frame, place, sign):
    def each(left: pa.Table, right: pa.Table) -> pa.Table:
        sign()
        values = left["v"].to_pylist() + right["v"].to_pylist()
        return pa.Table.from_batches([as_batch(values, place)])

    other = frame.where("v % 2 = 0").groupBy("k")
    return frame.groupBy("k").cogroup(other).applyInArrow(each, ROWS)


def aggregate_of_array(place, sign):
    numbers = ArrayType(DoubleType(), containsNull=False)

    def aggregate(v: pa.Array) -> list[float]:
        sign()
        values = v.to_pylist()
        return [1.0, None if place and OFFENDER in values else float(sum(values))]

    return arrow_udf(aggregate, numbers)


def aggregate_of_series(place, sign):
    def aggregate(v: pd.Series) -> list[Decimal]:
        sign()
        return [None if place and OFFENDER in v.tolist() else Decimal(int(v.sum()))]

    return pandas_udf(aggregate, SUMS)


def grouped(make):
    return lambda frame, place, sign: frame.groupBy("k").agg(make(place, sign)("v").alias("n"))


def ungrouped(make):
    return lambda frame, place, sign: frame.agg(make(place, sign)("v").alias("n"))


def size_of_grouped(frame, place, sign):
    made = aggregate_of_array(place, sign)("v")
    return frame.groupBy("k").agg(F.size(made).alias("n"))


def windowed(make):
    def through(frame, place, sign):
        window = Window.partitionBy("k").orderBy("v").rowsBetween(-1, 1)
        return frame.withColumn("n", make(place, sign)("v").over(window))

    return through


ROW_KIND = scalar(ROW, parts)
ARROWS = scalar(ARROW, lambda values, place: as_array(values.to_pylist(), place))
MAP_IN_ARROW = Kind("map_in_arrow", "MapInArrow", of_batches)
IN_ROWS = [
    Kind("map_in_pandas", "MapInPandas", of_frames),
    Kind("groups_in_pandas", "FlatMapGroupsInPandas", of_groups_in_pandas),
    Kind("groups_in_arrow", "FlatMapGroupsInArrow", of_groups_in_arrow),
    Kind("cogroups_in_arrow", "FlatMapCoGroupsInArrow", of_cogroups_in_arrow),
]
OTHERS = [
    scalar(PANDAS, of_series, SUMS),
    scalar(PANDAS_ITERATOR, of_series, SUMS),
    scalar(ARROW_ITERATOR, lambda values, place: as_array(values.to_pylist(), place)),
    *IN_ROWS,
]
AGGREGATES = [
    Kind("groups_of_arrays", "ArrowAggregatePython", grouped(aggregate_of_array)),
    Kind("groups_of_series", "ArrowAggregatePython", grouped(aggregate_of_series)),
    Kind("no_groups_of_arrays", "ArrowAggregatePython", ungrouped(aggregate_of_array)),
    Kind("sizes_of_arrays", "ArrowAggregatePython", size_of_grouped),
    Kind("windows_of_arrays", "ArrowWindowPython", windowed(aggregate_of_array)),
    Kind("windows_of_series", "ArrowWindowPython", windowed(aggregate_of_series)),
]
EVERY = [ROW_KIND, ARROWS, MAP_IN_ARROW, *OTHERS, *AGGREGATES]


def asking(kind: Kind, place: str | None, *, fails: bool = False, ordered: bool = False) -> Case:
    def build(spark):
        number = F.col("id")
        frame = spark.range(0, 20, 1, 2).select((number % 3).alias("k"), number.alias("v"))
        return kind.through(frame, place, witness.signer())

    name = f"{kind.name}_{place}"
    return Case(
        name, build, frozenset({kind.node}), conf=SMALL_BATCHES, fails=fails, ordered=ordered
    )


def left_for_spark(frame: DataFrame) -> int:
    nodes = [node for node in walk(executed(frame)) if node.nodeName().startswith("Ember")]
    return sum(metric(node, "emberBatchesForSpark") for node in nodes)


def noting(case: Case, noted: list[int]) -> Case:
    """The same case; what its embedded legs left for Spark's code is noted."""

    def act(frame):
        answer = frame.collect()
        if any(node.nodeName().startswith("Ember") for node in walk(executed(frame))):
            noted.append(left_for_spark(frame))
        return answer

    return Case(**{**vars(case), "act": act})


def check_noting(legs: Any, case: Case) -> int:
    noted: list[int] = []
    legs.check(noting(case, noted))
    return sum(noted)


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.name)
def test_without_a_null_native_code_writes_every_row(kind, parity_legs):
    assert check_noting(parity_legs, asking(kind, None)) == 0


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", [ARROWS, MAP_IN_ARROW], ids=lambda kind: kind.name)
def test_a_forbidden_null_is_read_as_by_spark(kind, place, parity_legs):
    case = asking(kind, place, fails=place not in SILENT)
    left = check_noting(parity_legs, case)
    if not case.fails and parity_legs.plugin:
        assert left == 1


@pytest.mark.parametrize("kind", [ROW_KIND, *OTHERS], ids=lambda kind: kind.name)
def test_every_kind_reads_a_forbidden_null_as_spark_does(kind, parity_legs):
    """A row function's null is refused by PySpark's own conversion."""
    parity_legs.check(asking(kind, "sums", fails=kind is ROW_KIND))


@pytest.mark.parametrize("kind", IN_ROWS, ids=lambda kind: kind.name)
def test_a_null_in_a_column_that_has_none_is_read_as_by_spark(kind, parity_legs):
    parity_legs.check(asking(kind, "number", fails=True))


@pytest.mark.parametrize("kind", AGGREGATES, ids=lambda kind: kind.name)
def test_a_forbidden_null_in_a_value_of_a_group_is_read_as_by_spark(kind, parity_legs):
    parity_legs.check_either_way(asking(kind, "a value"))


@pytest.mark.parametrize("rows", [3, 4])
def test_rows_before_a_forbidden_null_come_as_from_spark(rows, parity_legs):
    """The offender is the fourth row of its batch, which has ten."""

    def build(spark):
        frame = spark.range(10, 20, 1, 1).select(F.col("id").alias("v"))
        return MAP_IN_ARROW.through(frame, "number", witness.signer()).limit(rows)

    parity_legs.check(Case(f"{rows}_rows", build, frozenset({MAP_IN_ARROW.node}), fails=rows > 3))


def test_results_of_several_batches_go_on_after_a_forbidden_null(parity_legs):
    """Only the batch that has it is left for Spark's code, and every row joins its own input."""

    def build(spark):
        frame = spark.range(0, 40, 1, 1).select(
            F.concat(F.lit("row "), "id").alias("t"), F.col("id").alias("v")
        )
        sign = witness.signer()

        def unit(values: pa.Array) -> pa.Array:
            sign()
            return as_array(values.to_pylist(), "sums")

        function = arrow_udf(unit, PARTS)
        return frame.select("t", function("v").alias("p"), "v")

    case = Case("many_batches", build, frozenset({ARROWS.node}), conf=SMALL_BATCHES)
    left = check_noting(parity_legs, case)
    assert left == (1 if parity_legs.plugin else 0)


@pytest.mark.parametrize("place", [None, "number", "sums"])
def test_results_beside_columns_of_files_are_read_as_by_spark(place, parity_legs, tmp_path):
    """The input crosses as columns there, and Spark makes columns of the rows that it joins."""
    path = str(tmp_path / "numbers")
    written = parity_legs.spark.range(0, 20, 1, 1)
    written.select("id", F.concat(F.lit("t"), "id").alias("t")).write.parquet(path)

    def build(spark):
        sign = witness.signer()

        def unit(values: pa.Array) -> pa.Array:
            sign()
            return as_array(values.to_pylist(), place)

        return spark.read.parquet(path).select("t", arrow_udf(unit, PARTS)("id").alias("p"))

    case = Case("columns", build, frozenset({ARROWS.node}), fails=place is not None)
    assert check_noting(parity_legs, case) == 0


def test_a_function_that_copies_its_input_keeps_the_schema(parity_legs):
    def build(spark):
        frame = spark.range(0, 100, 1, 2)
        sign = witness.signer()

        def each(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for one in batches:
                sign()
                yield one

        return frame.mapInArrow(each, frame.schema)

    case = Case("identity", build, frozenset({MAP_IN_ARROW.node}))
    assert check_noting(parity_legs, case) == 0


def test_a_null_key_of_a_map_is_read_as_by_spark(parity_legs):
    """No map may have one, whatever its declared type."""

    def build(spark):
        frame = spark.range(0, 20, 1, 2).select(F.col("id").alias("v"))
        sign = witness.signer()

        def unit(values: pa.Array) -> pa.Array:
            sign()
            keys = pa.array([None if v == OFFENDER else v for v in values.to_pylist()], pa.int64())
            offsets = pa.array(range(len(keys) + 1), pa.int32())
            type_ = to_arrow_type(MapType(LongType(), LongType()), timezone="UTC")
            entries = pa.StructArray.from_arrays([keys, values], fields=list(type_.flatten()))
            buffers = [None, offsets.buffers()[1]]
            return pa.Array.from_buffers(type_, len(keys), buffers, children=[entries])

        return frame.select(arrow_udf(unit, MapType(LongType(), LongType()))("v").alias("m"))

    parity_legs.check_either_way(Case("null_key", build, frozenset({ARROWS.node})))


def test_a_decimal_with_too_many_digits_is_read_as_by_spark(parity_legs):
    """Arrow does not look at the digits of values that were not converted."""

    def build(spark):
        frame = spark.range(0, 20, 1, 2).select(F.col("id").alias("v"))
        sign = witness.signer()

        def unit(values: pa.Array) -> pa.Array:
            sign()
            great = [Decimal(v * 100) for v in values.to_pylist()]
            buffers = pa.array(great, pa.decimal128(38, 0)).buffers()
            return pa.Array.from_buffers(pa.decimal128(3, 0), len(great), buffers)

        return frame.select(arrow_udf(unit, DecimalType(3, 0))("v").alias("d"))

    parity_legs.check_either_way(Case("digits", build, frozenset({ARROWS.node})))


def test_a_chosen_result_beside_another_is_read_as_by_spark(parity_legs):
    """Two functions of one node, chosen in another order than they were made in."""

    def build(spark):
        frame = spark.range(0, 20, 1, 2).select(F.col("id").alias("v"), (-F.col("id")).alias("w"))
        sign = witness.signer()

        def unit(values: pa.Array) -> pa.Array:
            sign()
            rows = [[None if v == OFFENDER else Decimal(v), Decimal(1)] for v in values.to_pylist()]
            return pa.array(rows, to_arrow_type(SUMS, timezone="UTC"))

        first, second = arrow_udf(unit, SUMS), arrow_udf(unit, SUMS)
        return frame.select(second("w").alias("b"), first("v").alias("a"), "w")

    parity_legs.check(Case("chosen", build, frozenset({ARROWS.node})))


def test_a_row_of_the_plain_api_has_the_parts_too(parity_legs):
    """A forbidden null that Python's own conversion refuses never leaves the worker."""

    def build(spark):
        frame = spark.range(0, 20, 1, 2).select(F.col("id").alias("v"))
        sign = witness.signer()

        def each(value: int) -> Row:
            sign()
            return Row(**parts(value))

        return frame.select(F.udf(each, PARTS)("v").alias("p"))

    assert check_noting(parity_legs, Case("rows", build, frozenset({ROW.node}))) == 0
