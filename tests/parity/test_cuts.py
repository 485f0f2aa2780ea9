"""Where batches of bytes end, and arguments that are drawn or counted row by row."""

import pytest
from parity.case import Case
from parity.kinds import ARROW, EVERY, MAP_IN_ARROW, MAP_IN_PANDAS, PANDAS, ROW, SCALAR, Kind, same
from pyspark.sql import functions as F

from parity import kinds

EVAL = frozenset({"ArrowEvalPython"})
BYTES = "spark.sql.execution.arrow.maxBytesPerBatch"
RECORDS = "spark.sql.execution.arrow.maxRecordsPerBatch"

# What a column may look like: Arrow's form of it is larger or smaller than that of a row.
SHAPES = {
    "text": "repeat('x☃', cast(id * 7 % 40 as int))",
    "decimal": "cast(id as decimal(38, 4))",
    "decimals": "transform(sequence(0, id % 9), k -> cast(k as decimal(20, 2)))",
    "flags": "transform(sequence(0, id % 90), k -> k % 3 = 0)",
    "nested": "array(named_struct('m', map(id, repeat('y', cast(id % 5 as int)))), null)",
    "null_struct": "if(id % 9 = 0, from_json('{{\"c1\":\"1\"}}', '{}'), null)".format(
        ", ".join(f"c{i} DECIMAL(38,2)" for i in range(30))
    ),
}


def lengths(kind: Kind):
    """A unit that answers its own length in every row, so that boundaries show."""
    import pandas as pd
    import pyarrow as pa

    if kind is MAP_IN_PANDAS:
        return lambda frame: pd.DataFrame({"id": frame["id"], "n": [len(frame)] * len(frame)})
    if kind is MAP_IN_ARROW:
        return lambda batch: pa.RecordBatch.from_arrays(
            [batch.column(0), pa.array([batch.num_rows] * batch.num_rows, pa.int64())], ["id", "n"]
        )
    if "pandas" in kind.name:
        return lambda series: pd.Series([len(series)] * len(series))
    return lambda array: pa.array([len(array)] * len(array), pa.int64())


def cut(kind: Kind, shape: str, limit: int, *, computed: bool = False) -> Case:
    """A column, or an argument made of one, whose batches are cut by their bytes."""

    def build(spark):
        value = F.expr(SHAPES[shape])
        frame = spark.range(0, 150, 1, 2)
        if kind.map is not None:
            return kind.map(frame.select("id", value.alias("v")), lengths(kind), "id long, n long")
        if computed:
            return frame.select("id", kind.make(lengths(kind), "bigint")(value).alias("n"))
        # A shuffle stands between, or the column would be computed as an argument.
        kept = frame.select("id", value.alias("v")).repartition(2, F.col("id") % 3)
        return kept.sortWithinPartitions("id").select(
            "id", "v", kind.make(lengths(kind), "bigint")("v").alias("n")
        )

    name = f"{'computed_' if computed else ''}{shape}_{limit}_bytes-{kind.name}"
    return Case(name, build, frozenset({kind.node}), conf={BYTES: str(limit)})


def drawn(kind: Kind, *, below_coalesce: bool) -> Case:
    """Arguments whose every evaluation counts: one too many, and all later rows differ."""

    def build(spark):
        function, counter = kind.make(same, "double"), kind.make(same, "bigint")
        frame = spark.range(0, 120, 1, 4).select(
            "id",
            function(F.rand(7)).alias("r"),
            counter(F.monotonically_increasing_id()).alias("m"),
            function(F.randn(3) * F.col("id")).alias("n"),
        )
        return frame.coalesce(2) if below_coalesce else frame

    name = f"drawn{'_below_coalesce' if below_coalesce else ''}-{kind.name}"
    return Case(name, build, EVAL, conf={BYTES: "400", RECORDS: "50"})


def drawn_over_columns(kind: Kind) -> Case:
    def build(spark):
        frame = spark.range(0, 9000, 1, 1).select("id").cache()
        frame.count()
        return frame.select("id", kind.make(same, "double")(F.rand(7)).alias("r"))

    return Case(f"drawn_over_columns-{kind.name}", build, EVAL)


def column_beside_expression(kind: Kind) -> Case:
    """One argument is a column and one is not; a result is joined to the row it came from."""

    def build(spark):
        function = kind.make(same, "string")
        text = F.concat(F.lit("t"), F.col("id").cast("string"))
        frame = spark.range(0, 100, 1, 3).repartition(3, "id").sortWithinPartitions("id")
        return frame.select("id", function(text).alias("a"), kind.make(same, "bigint")("id"))

    return Case(f"column_beside_expression-{kind.name}", build, EVAL, conf={BYTES: "300"})


def rows_of_size(kind: Kind, size: int) -> Case:
    """Rows longer than a page, as arguments, as results and passed through."""

    def build(spark):
        text = F.repeat(F.concat(F.col("id").cast("string"), F.lit("\u2603")), size // 4)
        frame = spark.range(0, 9, 1, 2).select(
            "id", F.when(F.col("id") % 3 == 1, "short").otherwise(text).alias("v")
        )
        if kind.map is None:
            frame = frame.withColumn("beside", F.col("v"))
        # Compared whole by its digest: a megabyte would only be printed.
        through = kind.through(frame, same, "string")
        return through.select(*(F.md5(F.col(name).cast("string")) for name in through.columns))

    return Case(f"rows_of_{size}-{kind.name}", build, frozenset({kind.node}))


WHOLE = (PANDAS, ARROW, MAP_IN_PANDAS, MAP_IN_ARROW)
CASES = [
    *(cut(kind, shape, 2000) for shape in SHAPES for kind in (ARROW, MAP_IN_ARROW)),
    *(cut(kind, "text", limit) for limit in (60, 300, 999) for kind in WHOLE),
    *(cut(kind, "nested", 5000) for kind in (PANDAS, MAP_IN_PANDAS)),
    *(cut(ARROW, shape, 700, computed=True) for shape in SHAPES),
    *(cut(PANDAS, shape, 700, computed=True) for shape in ("text", "null_struct")),
    *(cut(kind, "text", 300) for kind in (kinds.PANDAS_ITERATOR, kinds.ARROW_ITERATOR)),
    *(drawn(kind, below_coalesce=False) for kind in SCALAR),
    *(drawn(kind, below_coalesce=True) for kind in (ROW, ARROW, kinds.PANDAS_ITERATOR)),
    *(drawn_over_columns(kind) for kind in (ROW, PANDAS, kinds.ARROW_ITERATOR)),
    *(column_beside_expression(kind) for kind in SCALAR),
    *(rows_of_size(kind, size) for kind in EVERY for size in (70_000, 1_500_000)),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_batches_of_bytes_end_where_sparks_do(case, parity_legs):
    parity_legs.check(case)
