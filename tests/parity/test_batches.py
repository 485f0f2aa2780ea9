"""Where batches begin and end, what an empty partition does, and what is not read to the end."""

import pytest
from parity.case import Case
from parity.kinds import EVERY, MAP_IN_ARROW, MAP_IN_PANDAS, SCALAR, Kind, same
from pyspark.sql import functions as F

from parity import kinds

LIMITS = {
    "default": {},
    "three_records": {"spark.sql.execution.arrow.maxRecordsPerBatch": "3"},
    "no_records_limit": {"spark.sql.execution.arrow.maxRecordsPerBatch": "0"},
    "negative_records_limit": {"spark.sql.execution.arrow.maxRecordsPerBatch": "-1"},
    "small_bytes": {"spark.sql.execution.arrow.maxBytesPerBatch": "4096"},
    "no_pipeline": {
        "spark.ember.pipeline.enabled": "false",
        "spark.sql.execution.arrow.maxRecordsPerBatch": "3",
    },
    "output_records": {"spark.sql.execution.arrow.maxRecordsPerOutputBatch": "7"},
}


def lengths(kind: Kind):
    """A unit that answers its own length in every row, so that boundaries show."""
    import pandas as pd
    import pyarrow as pa

    if kind.name == "row":
        return lambda value: value
    if kind is MAP_IN_PANDAS:
        return lambda frame: pd.DataFrame({"id": frame["id"], "v": [len(frame)] * len(frame)})
    if kind is MAP_IN_ARROW:
        return lambda batch: pa.RecordBatch.from_arrays(
            [batch.column(0), pa.array([batch.num_rows] * batch.num_rows, pa.int64())], ["id", "v"]
        )
    if "pandas" in kind.name:
        return lambda series: pd.Series([len(series)] * len(series))
    return lambda array: pa.array([len(array)] * len(array), pa.int64())


def sized(kind: Kind, limit: str, rows: int, partitions: int) -> Case:
    def build(spark):
        frame = spark.range(0, rows, 1, partitions).withColumn("v", F.col("id") + 1)
        return kind.through(frame, lengths(kind), "bigint")

    name = f"{rows}_rows_{partitions}_partitions_{limit}-{kind.name}"
    return Case(name, build, frozenset({kind.node}), conf=LIMITS[limit])


def long_strings(kind: Kind) -> Case:
    def build(spark):
        text = F.concat(F.col("id").cast("string"), F.repeat(F.lit("\u2603x"), 30000))
        return kind.through(spark.range(0, 40, 1, 2).withColumn("v", text), same, "string")

    conf = {"spark.sql.execution.arrow.maxBytesPerBatch": "200000"}
    return Case(f"long_strings-{kind.name}", build, frozenset({kind.node}), conf=conf)


def wide(kind: Kind) -> Case:
    def build(spark):
        columns = [(F.col("id") * i).alias(f"c{i}") for i in range(300)]
        return kind.through(spark.range(0, 50, 1, 2).select(*columns), same, None)

    return Case(f"three_hundred_columns-{kind.name}", build, frozenset({kind.node}))


def wide_function(spark):
    columns = [(F.col("id") * i).alias(f"c{i}") for i in range(300)]
    total = F.udf(lambda *values: sum(values), "bigint")
    return spark.range(0, 50, 1, 2).select(total(*columns).alias("v"))


def empty(kind: Kind) -> Case:
    def build(spark):
        frame = spark.range(0, 10, 1, 2).withColumn("v", F.col("id")).where("id < -1 + rand() * 0")
        return kind.through(frame, same, "bigint")

    return Case(
        f"no_rows-{kind.name}", build, frozenset({kind.node}), sessions=kind.map is not None
    )


def some_empty_partitions(kind: Kind) -> Case:
    def build(spark):
        frame = spark.range(0, 12, 1, 6).withColumn("v", F.col("id")).where("id % 6 = 1")
        return kind.through(frame, same, "bigint")

    return Case(f"empty_partitions-{kind.name}", build, frozenset({kind.node}))


def what_an_empty_partition_yields(kind: Kind) -> Case:
    """A map function may give rows where none came in."""
    import pandas as pd
    import pyarrow as pa

    def build(spark):
        def pandas_rows(frames):
            seen = sum(len(frame) for frame in frames)
            yield pd.DataFrame({"seen": [seen]})

        def arrow_rows(batches):
            seen = sum(batch.num_rows for batch in batches)
            yield pa.RecordBatch.from_pydict({"seen": [seen]})

        frame = spark.range(0, 6, 1, 6).where("id = 4")
        if kind is MAP_IN_PANDAS:
            return frame.mapInPandas(pandas_rows, "seen bigint")
        return frame.mapInArrow(arrow_rows, "seen bigint")

    return Case(f"rows_from_nothing-{kind.name}", build, frozenset({kind.node}))


def rows_changed(kind: Kind) -> Case:
    """More rows, fewer rows, no rows and batches of no rows."""

    def build(spark):
        def pandas_frames(frames):
            for frame in frames:
                yield frame[frame["id"] % 2 == 0]
                yield frame.iloc[:0]
                yield frame

        def arrow_batches(batches):
            for batch in batches:
                yield batch.slice(1, 2)
                yield batch.slice(0, 0)
                yield batch

        frame = spark.range(0, 20, 1, 2)
        if kind is MAP_IN_PANDAS:
            return frame.mapInPandas(pandas_frames, frame.schema)
        return frame.mapInArrow(arrow_batches, frame.schema)

    return Case(
        f"rows_changed-{kind.name}", build, frozenset({kind.node}), conf=LIMITS["three_records"]
    )


def kept_batches(kind: Kind) -> Case:
    """A function that keeps all its batches and only then answers."""

    def build(spark):
        def hold(several):
            yield from list(several)

        frame = spark.range(0, 5000, 1, 2).withColumn("s", F.col("id").cast("string"))
        if kind is MAP_IN_PANDAS:
            return frame.mapInPandas(hold, frame.schema)
        return frame.mapInArrow(hold, frame.schema)

    conf = {"spark.sql.execution.arrow.maxRecordsPerBatch": "100"}
    return Case(f"kept_batches-{kind.name}", build, frozenset({kind.node}), conf=conf)


def stopped_early(kind: Kind) -> Case:
    def build(spark):
        frame = spark.range(0, 5000, 1, 1).withColumn("v", F.col("id") + 1)
        return kind.through(frame, same, "bigint").limit(5)

    return Case(
        f"under_limit-{kind.name}", build, frozenset({kind.node}), conf=LIMITS["three_records"]
    )


def output_batches(conf: str, value: str) -> Case:
    def build(spark):
        return MAP_IN_ARROW.through(spark.range(0, 100, 1, 2), same, None)

    whole = {f"spark.sql.execution.arrow.{conf}": value}
    return Case(f"{conf}_{value}", build, frozenset({"MapInArrow"}), conf=whole)


CASES = [
    *(sized(kind, limit, 100, 3) for kind in EVERY for limit in LIMITS),
    *(sized(kind, "default", 25_000, 1) for kind in EVERY),
    *(sized(kind, "no_records_limit", 25_000, 1) for kind in EVERY),
    *(sized(kind, "default", 1, 1) for kind in EVERY),
    *(long_strings(kind) for kind in EVERY),
    *(wide(kind) for kind in (MAP_IN_PANDAS, MAP_IN_ARROW)),
    Case("three_hundred_arguments", wide_function, frozenset({"ArrowEvalPython"})),
    *(empty(kind) for kind in EVERY),
    *(some_empty_partitions(kind) for kind in EVERY),
    *(stopped_early(kind) for kind in EVERY),
    *(
        make(kind)
        for make in (what_an_empty_partition_yields, rows_changed, kept_batches)
        for kind in (MAP_IN_PANDAS, MAP_IN_ARROW)
    ),
    output_batches("maxBytesPerOutputBatch", "64"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_batches_begin_and_end_where_sparks_do(case, parity_legs):
    parity_legs.check(case)


def test_every_scalar_kind_is_asked():
    assert {kind.eval_type for kind in SCALAR} == {101, 200, 204, 250, 251}
    assert {kind.eval_type for kind in kinds.EVERY} == {101, 200, 204, 205, 207, 250, 251}
