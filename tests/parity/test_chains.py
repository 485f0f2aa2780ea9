"""Maps over maps: columns stay columns between them, and each function sees what Spark shows it.

Each case also asks the plan of its first leg whether the map above read columns.
"""

import itertools
from collections.abc import Iterator

import pandas as pd
import pyarrow as pa
import pytest
from parity.case import Case, Then
from parity.kinds import MAP_IN_ARROW, MAP_IN_PANDAS, Kind, same
from pyspark.sql import functions as F
from test_columnar import BYTES, RECORDS, of_columns, of_rows, typed

MAPS = (MAP_IN_ARROW, MAP_IN_PANDAS)
PAIRS = list(itertools.product(MAPS, MAPS))
TENS = {RECORDS: "10"}


def nodes(*kinds: Kind) -> frozenset[str]:
    """The nodes of these kinds."""
    return frozenset(kind.node for kind in kinds)


def named(pair: tuple[Kind, Kind]) -> str:
    """A pair's name for a test."""
    return f"{pair[1].name}_over_{pair[0].name}"


def in_parts(sizes: tuple[int, ...]):
    """A function whose batches are of these sizes, over and over, whatever it was given."""

    def uneven(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        wanted = itertools.cycle(sizes)
        for batch in batches:
            start = 0
            while start < batch.num_rows:
                size = next(wanted)
                yield batch.slice(start, size)
                start += size

    return uneven


def counted_in_arrow(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Says which batch a row was in and how many it was among."""
    for number, batch in enumerate(batches):
        seen = f"{number} of {batch.num_rows}"
        yield pa.RecordBatch.from_arrays(
            [batch.column("id"), pa.array([seen] * batch.num_rows)], ["id", "seen"]
        )


def counted_in_pandas(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Says the same of the rows of frames."""
    for number, frame in enumerate(frames):
        yield pd.DataFrame({"id": frame["id"], "seen": f"{number} of {len(frame)}"})


def counted(frame, kind):
    """A map that says how its input was cut."""
    if kind is MAP_IN_PANDAS:
        return frame.mapInPandas(counted_in_pandas, "id bigint, seen string")
    return frame.mapInArrow(counted_in_arrow, "id bigint, seen string")


@pytest.mark.parametrize("nulls", [True, False], ids=["nulls", "no_nulls"])
@pytest.mark.parametrize("pair", PAIRS, ids=named)
def test_every_type_goes_from_map_to_map(pair, nulls, parity_legs):
    lower, upper = pair

    def build(spark):
        frame = typed(spark, 60, 2, nulls=nulls)
        below = lower.map(frame, same, frame.schema)
        return upper.map(below, same, frame.schema)

    parity_legs.check(Case(named(pair), build, nodes(*pair), conf=TENS, act=of_columns))


@pytest.mark.parametrize("sizes", [(7,), (1, 0, 23, 4), (10,), (400,)], ids=str)
@pytest.mark.parametrize("upper", MAPS, ids=lambda kind: kind.name)
def test_the_map_above_sees_batches_cut_as_spark_cuts_rows(sizes, upper, parity_legs):
    def build(spark):
        frame = spark.range(0, 123, 1, 3).select("id", F.lit("x").alias("t"))
        below = frame.mapInArrow(in_parts(sizes), frame.schema)
        return counted(below, upper)

    parity_legs.check(
        Case(str(sizes), build, nodes(MAP_IN_ARROW, upper), conf=TENS, act=of_columns)
    )


@pytest.mark.parametrize("limit", [1, 200, 1000])
@pytest.mark.parametrize("upper", MAPS, ids=lambda kind: kind.name)
def test_it_sees_batches_cut_by_their_bytes(limit, upper, parity_legs):
    def build(spark):
        text = F.expr("if(id % 5 = 0, null, repeat('ü☃', cast(id * 7 % 30 as int)))")
        frame = spark.range(0, 123, 1, 2).select("id", text.alias("t"))
        below = frame.mapInArrow(in_parts((7, 30)), frame.schema)
        return counted(below, upper)

    conf = {BYTES: str(limit)}
    parity_legs.check(
        Case(f"{limit}_bytes", build, nodes(MAP_IN_ARROW, upper), conf=conf, act=of_columns)
    )


def reordered(frame):
    return frame.select("t", "id")


def renamed(frame):
    return frame.select("id", F.col("t").alias("u"), F.col("id").alias("again"))


def left_out(frame):
    return frame.select("id")


BETWEEN = {"reordered": reordered, "renamed": renamed, "left_out": left_out}


@pytest.mark.parametrize("name", BETWEEN)
@pytest.mark.parametrize("codegen", ["true", "false"])
def test_a_projection_of_columns_between_makes_no_rows(name, codegen, parity_legs):
    def build(spark):
        frame = spark.range(0, 50, 1, 2).select("id", F.expr("repeat('x', id % 4)").alias("t"))
        return counted(BETWEEN[name](frame.mapInArrow(in_parts((7,)), frame.schema)), MAP_IN_ARROW)

    conf = {**TENS, "spark.sql.codegen.wholeStage": codegen}
    parity_legs.check(Case(name, build, nodes(MAP_IN_ARROW), conf=conf, act=of_columns))


def computed(frame):
    return frame.select((F.col("id") * 2).alias("id"))


def filtered(frame):
    return frame.where("id % 3 > 0")


def limited(frame):
    return frame.limit(13)


def shuffled(frame):
    return frame.repartition(2, "id").sortWithinPartitions("id")


WITH_ROWS = {"computed": computed, "filtered": filtered, "limited": limited, "shuffled": shuffled}


@pytest.mark.parametrize("name", WITH_ROWS)
def test_anything_else_between_makes_rows(name, parity_legs):
    def build(spark):
        frame = spark.range(0, 50, 1, 1).select("id")
        below = frame.mapInArrow(in_parts((7,)), frame.schema)
        return counted(WITH_ROWS[name](below), MAP_IN_ARROW)

    parity_legs.check(Case(name, build, nodes(MAP_IN_ARROW), conf=TENS, act=of_rows))


NOT_NULL = {
    "bigint": "if(id = 23, null, id)",
    "boolean": "if(id = 23, null, id % 2 = 0)",
    "date": "if(id = 23, null, date_add(DATE'2020-01-01', cast(id as int)))",
    "string": "if(id = 23, null, 'x')",
}


@pytest.mark.parametrize("of", NOT_NULL)
@pytest.mark.parametrize("upper", MAPS, ids=lambda kind: kind.name)
def test_a_null_that_was_not_declared_is_read_as_by_spark(of, upper, parity_legs):
    def build(spark):
        frame = spark.range(0, 50, 1, 2).select("id", F.expr(NOT_NULL[of]).alias("v"))
        below = frame.mapInArrow(in_parts((7,)), f"id bigint, v {of} not null")
        return upper.map(below, same, f"id bigint, v {of}")

    parity_legs.check_either_way(Case(of, build, nodes(MAP_IN_ARROW, upper), conf=TENS))


def failing(at: int):
    """A function that fails at one row, after it gave those before it."""

    def fails(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for number in batch.column("id").to_pylist():
                if number == at:
                    message = f"no row {number}"
                    raise ValueError(message)
                yield pa.RecordBatch.from_pydict({"id": [number]})

    return fails


def passing(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Gives what it is given."""
    yield from batches


@pytest.mark.parametrize("where", ["lower", "upper"])
@pytest.mark.parametrize("at", [0, 34, 49])
def test_an_error_in_either_map_is_the_one_of_spark(where, at, parity_legs):
    def build(spark):
        functions = (failing(at), passing) if where == "lower" else (passing, failing(at))
        frame = spark.range(0, 50, 1, 1)
        for function in functions:
            frame = frame.mapInArrow(function, "id bigint")
        return frame

    parity_legs.check(Case(where, build, nodes(MAP_IN_ARROW), conf=TENS, fails=True))


def test_a_limit_is_met_before_an_error_in_the_map_above(parity_legs):
    def build(spark):
        frame = spark.range(0, 10000, 1, 1).mapInArrow(passing, "id bigint")
        return frame.mapInArrow(failing(9000), "id bigint").limit(15)

    parity_legs.check(Case("limit", build, nodes(MAP_IN_ARROW), conf=TENS))


def other_types(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield pa.RecordBatch.from_pydict({"id": pa.array([1.5] * batch.num_rows)})


def no_columns(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield batch.select([])


@pytest.mark.parametrize("wrong", [other_types, no_columns], ids=lambda it: it.__name__)
@pytest.mark.parametrize("validated", ["true", "false"])
def test_columns_that_were_not_declared_are_refused_as_by_spark(wrong, validated, parity_legs):
    def build(spark):
        below = spark.range(0, 30, 1, 1).mapInArrow(wrong, "id bigint")
        return below.mapInArrow(passing, "id bigint")

    conf = {"spark.sql.execution.arrow.pyspark.validateSchema.enabled": validated}
    parity_legs.check(Case(wrong.__name__, build, nodes(MAP_IN_ARROW), conf=conf, fails=True))


def empty(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield batch.slice(0, 0)


def unread(_batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield pa.RecordBatch.from_pydict({"id": [5]})


def kept(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield from list(batches)


@pytest.mark.parametrize("lower", [passing, empty, kept], ids=lambda it: it.__name__)
@pytest.mark.parametrize("upper", [empty, unread, kept], ids=lambda it: it.__name__)
def test_maps_that_read_or_give_little_or_late(lower, upper, parity_legs):
    def build(spark):
        frame = spark.range(0, 90, 1, 4).where("id not between 20 and 50")
        return frame.mapInArrow(lower, "id bigint").mapInArrow(upper, "id bigint")

    name = f"{upper.__name__}_over_{lower.__name__}"
    parity_legs.check(Case(name, build, nodes(MAP_IN_ARROW), conf=TENS))


def test_three_maps_and_what_they_count(parity_legs):
    def build(spark):
        counts = [spark.sparkContext.accumulator(0) for _ in range(3)]
        frame = spark.range(0, 100, 1, 3)
        for count in counts:

            def counting(batches, count=count):
                for batch in batches:
                    count.add(batch.num_rows)
                    yield batch

            frame = frame.mapInArrow(counting, "id bigint")
        return Then(frame, lambda: [count.value for count in counts])

    parity_legs.check(Case("three", build, nodes(MAP_IN_ARROW), conf=TENS))


def test_three_maps_in_one_place_do_not_wait_for_one_another(parity_legs):
    def ahead(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        while several := list(itertools.islice(batches, 5)):
            yield from several

    def build(spark):
        frame = spark.range(0, 60, 1, 1)
        for _ in range(3):
            frame = frame.mapInArrow(ahead, "id bigint")
        return frame

    conf = {
        RECORDS: "1",
        "spark.ember.embedded.tasks": "1",
        "spark.ember.pipeline.depth": "1",
    }
    parity_legs.check(Case("one_place", build, nodes(MAP_IN_ARROW), conf=conf, act=of_columns))


@pytest.mark.parametrize("barriers", [(True, True), (False, True), (True, False)], ids=str)
def test_maps_with_barriers(barriers, parity_legs):
    def build(spark):
        def told(batches):
            from pyspark import TaskContext

            kind = type(TaskContext.get()).__name__
            for batch in batches:
                yield pa.RecordBatch.from_arrays(
                    [batch.column("id"), pa.array([kind] * batch.num_rows)], ["id", "t"]
                )

        frame = spark.range(0, 30, 1, 2)
        for barrier in barriers:
            frame = frame.mapInArrow(told, "id bigint, t string", barrier=barrier)
        return frame

    parity_legs.check(Case(str(barriers), build, nodes(MAP_IN_ARROW), conf=TENS))
