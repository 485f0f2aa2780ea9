"""Children that give columns: they go to Arrow without becoming rows; a function cannot tell.

Each case also asks the executed plan of its first leg whether batches of columns were read: a
function over columns that became rows after all would give the same answer.
"""

import functools
import tempfile

import pytest
from parity.case import Case
from parity.evidence import metric, walk
from parity.java import table
from parity.kinds import ARROW, MAP_IN_ARROW, MAP_IN_PANDAS, PANDAS, ROW, Kind, same
from pyspark.sql import functions as F

EVAL = frozenset({"ArrowEvalPython"})
RECORDS = "spark.sql.execution.arrow.maxRecordsPerBatch"
BYTES = "spark.sql.execution.arrow.maxBytesPerBatch"
PARQUET_BATCH = "spark.sql.parquet.columnarReaderBatchSize"
ORC_BATCH = "spark.sql.orc.columnarReaderBatchSize"
PIECES = "spark.sql.inMemoryColumnarStorage.batchSize"
VECTORS_IN_CACHE = "spark.sql.inMemoryColumnarStorage.enableVectorizedReader"
NATIVE_VECTORS = "spark.sql.columnVector.offheap.enabled"
COLUMNAR_INPUT = "spark.sql.execution.arrow.pythonUDF.columnarInput.enabled"
NO_AQE = {"spark.sql.adaptive.enabled": "false"}
NO_CODEGEN = {"spark.sql.codegen.wholeStage": "false"}
SEVENS = {PARQUET_BATCH: "7", ORC_BATCH: "7", PIECES: "7", RECORDS: "10"}

# One column of each type that crosses as columns, in terms of `id`.
TYPES = {
    "flag": "id % 3 = 0",
    "tiny": "cast(id % 100 - 50 as tinyint)",
    "small": "cast(id * 31 % 30000 - 9 as smallint)",
    "whole": "cast(hash(id) as int)",
    "big": "xxhash64(id)",
    "real": "cast(hash(id) as float) / 7",
    "wide": "cast(xxhash64(id) as double) / 3",
    "day": "date_add(DATE'1999-12-31', cast(id * 11 as int))",
    "moment": "timestamp_micros(id * 123456789)",
    "wall": "cast(timestamp_micros(id * 123456789) as timestamp_ntz)",
    "few": "cast(id * 7 % 900 as decimal(5,2))",
    "more": "cast(id * -123457 as decimal(15,3))",
    "most": "cast(id as decimal(38,10)) * -98765432109876543.21",
    "text": "repeat('ü☃x', cast(id % 9 as int))",
    "bytes": "encode(repeat('z', cast(id % 70 as int)), 'UTF-8')",
    "time": "make_dt_interval(cast(id % 5 as int), 1, 2, id % 60)",
}
NOT_IN_ORC = ("time",)
# Spark's cache gives columns only where all of them are of these.
IN_CACHE = ("flag", "tiny", "small", "whole", "big", "real", "wide")


def column_batches(frame):
    """How many batches of columns the embedded nodes of an executed plan read."""
    nodes = walk(frame._jdf.queryExecution().executedPlan())
    ours = [node for node in nodes if node.nodeName().startswith("Ember")]
    return sum(metric(node, "emberColumnBatches") for node in ours) if ours else None


def of_columns(frame):
    """Collect, and insist that the embedded leg read columns."""
    rows = frame.collect()
    assert column_batches(frame) != 0, "rows were made of the columns"
    return rows


def of_rows(frame):
    """Collect, and insist that no columns were read."""
    rows = frame.collect()
    assert not column_batches(frame), "no rows were made of the columns"
    return rows


def typed(spark, rows, partitions, *, nulls, without=()):
    """All types, with nulls here and there, or without."""
    columns = [
        F.expr(f"if(id % {number + 2} = 1, null, {value})" if nulls else value).alias(name)
        for number, (name, value) in enumerate(TYPES.items())
        if name not in without
    ]
    return spark.range(0, rows, 1, partitions).select("id", *columns)


def maybe(name):
    """A column that may be null: results that must not be have another way back than rows."""
    return F.expr(f"if(id < 0, null, {name})").alias(name)


def parquet(spark, frame, **options):
    folder = tempfile.mkdtemp(prefix="parity-") + "/t"
    frame.write.options(**options).parquet(folder)
    return spark.read.parquet(folder)


def once(write):
    """Let the first test that reads a table write it: its columns are many and it is read often."""

    @functools.cache
    def folder(spark, nulls):
        path = tempfile.mkdtemp(prefix="parity-") + "/t"
        write(spark, nulls).save(path)
        return path

    return folder


@once
def plain(spark, nulls):
    written = typed(spark, 60, 2, nulls=nulls).write.format("parquet")
    return written.option("parquet.enable.dictionary", "false")


@once
def dictionaries(spark, nulls):
    doubled = typed(spark, 12, 1, nulls=nulls)
    return doubled.union(doubled).union(doubled).coalesce(1).write.format("parquet")


@once
def orc(spark, nulls):
    return typed(spark, 60, 2, nulls=nulls, without=NOT_IN_ORC).write.format("orc")


def from_parquet(spark, *, nulls):
    return spark.read.parquet(plain(spark, nulls))


def from_dictionaries(spark, *, nulls):
    return spark.read.parquet(dictionaries(spark, nulls))


def from_orc(spark, *, nulls):
    return spark.read.orc(orc(spark, nulls))


def from_cache(spark, *, nulls):
    without = [name for name in TYPES if name not in IN_CACHE]
    frame = typed(spark, 60, 2, nulls=nulls, without=without)
    kept = frame.select(*map(maybe, frame.columns)).cache()
    kept.count()
    return kept


def from_partitions(spark, *, nulls):
    """Partition columns are one value for a whole batch, or no value."""
    folder = tempfile.mkdtemp(prefix="parity-") + "/t"
    frame = spark.range(0, 40, 1, 2).selectExpr(
        "id",
        "id * 2 v",
        f"if({str(nulls).lower()} and id % 4 = 0, null, id % 4) p",
        "concat('k☃', id % 3) q",
        "date_add(DATE'2020-02-28', cast(id % 2 as int)) r",
    )
    frame.write.partitionBy("p", "q", "r").parquet(folder)
    return spark.read.schema("id long, v long, p int, q string, r date").parquet(folder)


SOURCES = {
    "parquet": from_parquet,
    "dictionaries": from_dictionaries,
    "orc": from_orc,
    "cache": from_cache,
    "partitions": from_partitions,
}


def every_type(source: str, kind: Kind, *, nulls: bool, suffix="", conf=None) -> Case:
    """Every column through a function and beside the results; a map kind takes them all."""

    def build(spark):
        frame = SOURCES[source](spark, nulls=nulls)
        if kind.map is not None:
            return kind.map(frame, same, frame.schema)
        through = [
            kind.make(same, field.dataType)(field.name).alias(f"f_{field.name}")
            for field in frame.schema
        ]
        return frame.select("*", *through)

    name = f"{source}{'_nulls' if nulls else ''}{suffix}-{kind.name}"
    # Files of different partitions are read in no order that a query could name.
    return Case(
        name,
        build,
        frozenset({kind.node}),
        conf=conf or {},
        act=of_columns,
        ordered=source != "partitions",
    )


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
    if kind is PANDAS:
        return lambda series: pd.Series([len(series)] * len(series))
    return lambda array: pa.array([len(array)] * len(array), pa.int64())


def boundaries(source: str, kind: Kind, name: str, conf: dict) -> Case:
    """Where batches end, seen by the function itself."""

    def build(spark):
        frame = SOURCES[source](spark, nulls=True)
        columns = ("big", "flag") if source == "cache" else ("text", "most")
        if kind.map is not None:
            return kind.map(frame.select("id", *columns), lengths(kind), "id long, n long")
        given = kind.make(lengths(kind), "bigint")(columns[0])
        return frame.select("id", *columns, given.alias("n"))

    title = f"{name}_of_{source}-{kind.name}"
    return Case(title, build, frozenset({kind.node}), conf=conf, act=of_columns)


def over(name, shape, kind, *, act=of_columns, conf=None) -> Case:
    """A map or scalar kind over some shape of a plan."""

    def build(spark):
        return shape(spark, kind)

    return Case(
        f"{name}-{kind.name}",
        build,
        frozenset({kind.node}),
        conf=conf or {},
        act=act,
        ordered=shape not in SEVERAL_FILES,
    )


def numbers(spark, rows=3000, files=2):
    return parquet(spark, spark.range(0, rows, 1, files).selectExpr("id", "id % 7 v", "uuid(3) s"))


def mapped(frame, kind):
    return kind.through(frame, same, "bigint")


def reordered(spark, kind):
    return mapped(numbers(spark).select("s", "v", "id"), kind)


def renamed_and_doubled(spark, kind):
    frame = numbers(spark)
    return mapped(frame.select(F.col("v"), F.col("id").alias("a"), F.col("id").alias("b")), kind)


def filtered(spark, kind):
    return mapped(numbers(spark).where("v > 2"), kind)


def computed(spark, kind):
    return mapped(numbers(spark).selectExpr("id", "id * 2 v"), kind)


def under_a_limit(spark, kind):
    return mapped(numbers(spark, files=1), kind).limit(13)


def over_many_partitions(spark, kind):
    return mapped(numbers(spark, rows=90, files=9), kind)


def over_empty_files(spark, kind):
    return mapped(
        parquet(spark, spark.range(0, 90, 1, 9).selectExpr("id", "id v").where("id > 70")), kind
    )


def no_file_at_all(spark, kind):
    return mapped(parquet(spark, spark.range(0).selectExpr("id", "id v")), kind)


def missing_column(spark, kind):
    folder = tempfile.mkdtemp(prefix="parity-") + "/t"
    spark.range(0, 30, 1, 1).write.parquet(folder)
    return mapped(
        spark.read.schema("id long, v long, s string, f boolean, m decimal(30,2)").parquet(folder),
        kind,
    )


def cached_numbers(spark, kind):
    values = spark.range(0, 90, 1, 2).selectExpr("id", "if(id % 3 = 0, null, id * 2) v")
    kept = values.withColumn("id", maybe("id")).cache()
    kept.count()
    return mapped(kept, kind)


def cached_and_renamed(spark, kind):
    values = spark.range(0, 90, 1, 2).selectExpr("id", "if(id = 4, null, id * 2) w", "id / 3 x")
    kept = values.withColumn("id", maybe("id")).cache()
    kept.count()
    return mapped(kept.select("x", F.col("w").alias("v"), F.col("id").alias("a"), "id"), kind)


def of_arrow(spark, kind):
    """Batches whose vectors are Arrow's."""
    frame = table(spark, "ArrowSource")
    if kind.map is not None:
        return kind.map(frame, same, frame.schema)
    return frame.select("*", kind.make(same, "bigint")("v"), kind.make(same, "string")("s"))


def nested(spark, kind):
    frame = spark.range(0, 40, 1, 1).selectExpr(
        "id v", "array(id, null) a", "named_struct('x', id) s"
    )
    return mapped(parquet(spark, frame), kind)


def joined_and_sorted(spark, kind):
    left = mapped(numbers(spark, rows=200), kind).select("id", "v")
    right = numbers(spark, rows=50).select(F.col("id").alias("v"), F.col("s").alias("t"))
    return left.join(right, "v").orderBy("id", "t")


def nothing_but_results(spark, kind):
    import pyarrow as pa

    ones = kind.make(lambda array: pa.array([1] * len(array), pa.int64()), "bigint")
    return numbers(spark).select(ones("v").alias("n"))


def months_beside(spark, kind):
    frame = spark.range(0, 40, 1, 1).selectExpr(
        "id v", "if(id % 5 = 1, null, make_ym_interval(cast(id % 9 as int), 1)) m"
    )
    return mapped(parquet(spark, frame), kind).select("v", F.col("m").cast("string").alias("m"))


def large_values(spark, kind):
    frame = spark.range(0, 12, 1, 1).selectExpr("id v", "repeat('y', cast(id * 100000 as int)) s")
    return mapped(parquet(spark, frame), kind)


def union_of_columns(spark, kind):
    """A union takes columns, so the function's node gives them."""
    frame = numbers(spark, rows=90)
    return mapped(frame, kind).union(mapped(frame, kind))


# Spark reads files of about one size in any order.
SEVERAL_FILES = (over_many_partitions, over_empty_files)
MAPS = (MAP_IN_PANDAS, MAP_IN_ARROW)
LARGE = {"spark.sql.execution.arrow.useLargeVarTypes": "true"}
SHAPES = [reordered, renamed_and_doubled, over_many_partitions, over_empty_files, missing_column]
SHAPES += [large_values, under_a_limit, joined_and_sorted]

CASES = [
    *(
        every_type(source, kind, nulls=nulls)
        for source in SOURCES
        for kind in (ARROW, MAP_IN_ARROW)
        for nulls in (False, True)
    ),
    *(every_type(source, ROW, nulls=True) for source in ("dictionaries", "cache")),
    *(every_type(source, MAP_IN_PANDAS, nulls=True) for source in ("parquet", "orc")),
    *(
        every_type(source, kind, nulls=True, suffix=suffix, conf=conf)
        for source in ("parquet", "dictionaries")
        for kind in (ARROW, MAP_IN_ARROW)
        for suffix, conf in (
            ("-native_vectors", {NATIVE_VECTORS: "true"}),
            ("-sevens", SEVENS),
            ("-wide_offsets", LARGE),
        )
    ),
    *(
        boundaries(source, kind, name, conf)
        for source in ("parquet", "dictionaries", "orc", "cache")
        for kind in (ARROW, MAP_IN_ARROW)
        for name, conf in (
            ("sevens", SEVENS),
            ("bytes", {BYTES: "200"}),
            ("tiny_bytes", {BYTES: "1"}),
            ("sevens_and_bytes", {**SEVENS, BYTES: "150"}),
        )
    ),
    boundaries("parquet", MAP_IN_PANDAS, "sevens", SEVENS),
    boundaries("parquet", PANDAS, "sevens", SEVENS),
    *(over(shape.__name__, shape, kind) for shape in SHAPES for kind in MAPS),
    *(
        over(shape.__name__, shape, kind)
        for shape in (over_many_partitions, over_empty_files, missing_column, large_values)
        for kind in (ROW, ARROW)
    ),
    *(over("of_arrow", of_arrow, kind) for kind in (ROW, ARROW, PANDAS, *MAPS)),
    over("nothing_but_results", nothing_but_results, ARROW),
    over("months_beside", months_beside, ARROW),
    over("reordered-no_aqe", reordered, MAP_IN_ARROW, conf=NO_AQE),
    over("joined_and_sorted-no_aqe", joined_and_sorted, MAP_IN_PANDAS, conf=NO_AQE),
    # Without generated code, Parquet's reader gives rows.
    over("reordered-no_codegen", reordered, MAP_IN_ARROW, act=of_rows, conf=NO_CODEGEN),
    *(
        over("cached-no_codegen", cached_numbers, kind, conf=NO_CODEGEN)
        for kind in (ARROW, MAP_IN_ARROW)
    ),
    *(
        over(f"{shape.__name__}{suffix}", shape, kind, conf=conf)
        for shape in (cached_numbers, cached_and_renamed)
        for kind in MAPS
        for suffix, conf in (
            ("", {PIECES: "7"}),
            ("-native_vectors", {NATIVE_VECTORS: "true", **SEVENS}),
            ("-no_aqe", NO_AQE),
        )
    ),
    over(
        "cached_numbers-of_rows",
        cached_numbers,
        MAP_IN_ARROW,
        act=of_rows,
        conf={VECTORS_IN_CACHE: "false"},
    ),
    *(over("union_of_columns", union_of_columns, kind) for kind in (ARROW, MAP_IN_ARROW)),
    *(over("no_file_at_all", no_file_at_all, kind, act=of_rows) for kind in (ARROW, MAP_IN_ARROW)),
    *(
        over(shape.__name__, shape, kind, act=of_rows)
        for shape in (filtered, computed, nested)
        for kind in (MAP_IN_ARROW, ARROW)
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_columns_go_to_the_function_as_columns(case, parity_legs):
    parity_legs.check(case)
