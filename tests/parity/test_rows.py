"""What becomes of the rows: columns beside a result, and everything that keeps or reads rows later.

Result rows point into native memory that is used again, so whoever keeps one must have copied it.
"""

import tempfile

import pytest
from parity.case import Case
from parity.kinds import ARROW, MAP_IN_ARROW, MAP_IN_PANDAS, PANDAS, ROW, Kind, same
from pyspark.ml.linalg import Vectors, VectorUDT
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window
from test_types import CONF as TYPE_CONF
from test_types import TYPES

EVAL = frozenset({"ArrowEvalPython"})
THREE_RECORDS = {"spark.sql.execution.arrow.maxRecordsPerBatch": "3"}
NO_BROADCAST = {"spark.sql.autoBroadcastJoinThreshold": "-1"}
MERGE_JOIN = {**NO_BROADCAST, "spark.sql.join.preferSortMergeJoin": "true"}
WHOLE = (ROW, PANDAS, ARROW)
MAPS = (MAP_IN_PANDAS, MAP_IN_ARROW)


def results(spark, kind: Kind, rows=400, partitions=20) -> DataFrame:
    """Rows of every length, every third partition without any."""
    frame = (
        spark.range(0, rows, 1, partitions)
        .where(F.expr(f"id div {rows // partitions} % 3 <> 1"))
        .select(
            "id",
            (F.col("id") % 7).alias("k"),
            F.expr("repeat(cast(id as string), cast(id % 23 as int))").alias("v"),
            F.expr("sequence(0, id % 5)").alias("a"),
        )
    )
    return kind.through(frame, same, "string")


def sorted_by_result(frame):
    return frame.orderBy("v", "id")


def build_side_of_a_join(frame):
    other = frame.sparkSession.range(0, 500, 3, 2).withColumnRenamed("id", "o")
    return other.join(frame, other.o == frame.id).orderBy("id")


def broadcast_side(frame):
    other = frame.sparkSession.range(0, 500, 3, 2).withColumnRenamed("id", "o")
    return other.join(F.broadcast(frame), other.o == frame.id).orderBy("id")


def nested_loop_side(frame):
    other = frame.sparkSession.range(0, 4, 1, 1).withColumnRenamed("id", "o")
    return other.join(frame, F.col("o") * 100 > frame.id).orderBy("o", "id")


def cached(frame):
    kept = frame.cache()
    kept.count()
    return kept.select("v", "id", "a")


def limited(frame):
    return frame.limit(37)


def limited_after_an_offset(frame):
    return frame.offset(5).limit(30)


def coalesced(frame):
    return frame.coalesce(3)


def united(frame):
    return frame.union(frame.select(F.col("id") + 1, "k", "v", "a"))


def in_a_window(frame):
    over = Window.partitionBy("k").orderBy("id")
    return frame.select(
        "id",
        F.lag("v", 2).over(over).alias("l"),
        F.first("v").over(over).alias("f"),
        F.max("v").over(over.rowsBetween(-2, 2)).alias("m"),
    ).orderBy("id")


def aggregated(frame):
    kept = [F.max("v"), F.min("v"), F.sort_array(F.collect_list("v")), F.max("a"), F.count("v")]
    return frame.groupBy("k").agg(*kept).orderBy("k")


def aggregated_by_sorting(frame):
    # A struct and a text keep their group's values outside of the hash map.
    pair = F.struct("id", "v")
    return frame.groupBy("k", "v").agg(F.max(pair), F.min_by("v", "id")).orderBy("k", "v")


def one_of_all(frame):
    return frame.agg(F.max("v"), F.min("v"), F.max(F.struct("v", "a")), F.max_by("v", "id"))


def distinct(frame):
    return frame.select("v").distinct().orderBy("v")


def exploded(frame):
    return frame.select("id", "v", F.explode("a").alias("e"))


def sampled(frame):
    return frame.sample(fraction=0.4, seed=5)


def repartitioned(frame):
    return frame.repartition(3, "k").sortWithinPartitions("v", "id")


def checkpointed(frame):
    return frame.select("*", F.length("v").alias("n")).localCheckpoint(eager=False)


def counted_again(frame):
    return frame.withColumn("m", F.monotonically_increasing_id()).where("length(v) > 4")


def stacked(frame):
    upper = F.udf(lambda text: text and text.upper() + "!", "string")
    return frame.repartition(2, "k").select("id", upper("v").alias("w"), "v", "a")


def mapped_again(frame):
    return MAP_IN_ARROW.through(frame, same, None)


CONSUMERS = (
    sorted_by_result,
    build_side_of_a_join,
    broadcast_side,
    nested_loop_side,
    cached,
    limited,
    limited_after_an_offset,
    coalesced,
    united,
    in_a_window,
    aggregated,
    aggregated_by_sorting,
    one_of_all,
    distinct,
    exploded,
    sampled,
    repartitioned,
    counted_again,
)


def consumed(consumer, kind: Kind, conf_name="", conf=None):
    def build(spark):
        return consumer(results(spark, kind))

    name = f"{consumer.__name__}-{kind.name}{conf_name}"
    return Case(name, build, frozenset({kind.node}), conf={**THREE_RECORDS, **(conf or {})})


def read_by(act, name, kind: Kind):
    """Rows that leave the cluster in another way than ``collect``."""

    def build(spark):
        return results(spark, kind)

    return Case(f"{name}-{kind.name}", build, frozenset({kind.node}), conf=THREE_RECORDS, act=act)


def in_one_by_one(frame):
    return list(frame.toLocalIterator(prefetchPartitions=True))


def as_pandas(frame):
    return frame.toPandas().to_csv()


def as_arrow(frame):
    return frame.toArrow().to_pylist()


def last_ones(frame):
    return frame.tail(30)


def through_an_rdd(frame):
    return frame.rdd.map(tuple).collect()


def written(frame):
    folder = tempfile.mkdtemp(prefix="parity-") + "/t"
    frame.write.parquet(folder)
    return frame.sparkSession.read.parquet(folder).orderBy("id").collect()


def beside_every_type(kind: Kind):
    """Columns of every type, which no function gets, next to its result."""

    def build(spark):
        rows = [
            [values[index % len(values)] if index < 4 else "NULL" for _, values in TYPES.values()]
            for index in range(5)
        ]
        columns = ", ".join(
            f"CAST(c{index} AS {ddl}) {name}" for index, (name, (ddl, _)) in enumerate(TYPES.items())
        )
        unions = " UNION ALL ".join(
            f"SELECT {number} id, "
            + ", ".join(
                f"CAST({value} AS {ddl}) c{index}"
                for index, (value, (ddl, _)) in enumerate(zip(row, TYPES.values(), strict=True))
            )
            for number, row in enumerate(rows)
        )
        frame = spark.sql(f"SELECT id, {columns} FROM ({unions})")
        frame = frame.withColumns(
            {"ym": F.expr("make_ym_interval(id, 3)"), "cal": F.expr("make_interval(id, 1, 2)")}
        )
        through = frame.select("*", kind.make(same, "int")("id").alias("r"))
        return through.withColumns(
            {"ym": F.col("ym").cast("string"), "cal": F.col("cal").cast("string")}
        )

    return Case(f"beside_every_type-{kind.name}", build, EVAL, conf=TYPE_CONF)


def beside_wide_rows(kind: Kind):
    """More columns than one word of null bits has, so that all of them move."""

    def build(spark):
        columns = [
            F.when(F.col("id") % (i + 2) != 0, F.expr(one)).alias(f"c{i}")
            for i in range(130)
            for one in [("id", "repeat('w', cast(id % 9 as int))", "array(id, null)")[i % 3]]
        ]
        frame = spark.range(0, 40, 1, 2).select("id", *columns)
        return frame.select("*", kind.make(same, "bigint")("id").alias("r"))

    return Case(f"beside_wide_rows-{kind.name}", build, EVAL, conf=THREE_RECORDS)


def beside_nested(kind: Kind):
    def build(spark):
        frame = spark.range(0, 30, 1, 2).select(
            "id",
            F.when(F.col("id") % 4 > 0, F.struct("id", F.array(F.lit("s"), F.lit(None)))).alias("s"),
            F.when(F.col("id") % 5 > 0, F.create_map(F.col("id"), F.struct("id"))).alias("m"),
            F.expr("transform(sequence(0, id % 3), k -> named_struct('k', k, 'd', 1.5BD))"),
            F.expr("cast(null as struct<a:decimal(38,2),b:string>)").alias("n"),
        )
        return frame.select("*", kind.make(same, "bigint")("id").alias("r"), "s.id", "m")

    return Case(f"beside_nested-{kind.name}", build, EVAL, conf=THREE_RECORDS)


def vectors(spark):
    rows = [(1, Vectors.dense(1.5, -2.0)), (2, Vectors.sparse(4, [1], [3.0])), (3, None)]
    return spark.createDataFrame(rows, "id bigint, v vector") if False else (
        spark.createDataFrame([(i, v) for i, v in rows], ["id", "v"])
    )


def beside_user_defined(kind: Kind):
    def build(spark):
        frame = vectors(spark)
        if kind.map is not None:
            return frame.select("id").join(frame, "id").orderBy("id")
        return frame.select("*", kind.make(same, "bigint")("id").alias("r"))

    return Case(f"beside_user_defined-{kind.name}", build, EVAL)


def user_defined_argument(spark):
    norm = F.udf(lambda v: None if v is None else float(v.norm(2)), "double")
    twice = F.udf(lambda v: None if v is None else Vectors.dense(v.toArray() * 2), VectorUDT())
    return vectors(spark).select("v", norm("v").alias("n"), twice("v").alias("t"))


def user_defined_through_map(kind: Kind):
    def build(spark):
        return kind.through(vectors(spark), same, None)

    return Case(f"user_defined-{kind.name}", build, frozenset({kind.node}))


def over_child(name, child, kind: Kind):
    """Children whose rows are not in Spark's own form, or come by the group."""

    def build(spark):
        return kind.through(child(spark), same, "bigint")

    return Case(f"over_{name}-{kind.name}", build, frozenset({kind.node}), conf=THREE_RECORDS)


def local_rows(spark):
    return spark.createDataFrame([(i, i * 2, f"t{i}") for i in range(9)], "id long, v long, s string")


def rdd_rows(spark):
    rows = spark.sparkContext.parallelize([(i, i * 2, [f"t{i}"]) for i in range(9)], 3)
    return spark.createDataFrame(rows, "id long, v long, s array<string>")


def values_clause(spark):
    return spark.sql("SELECT * FROM VALUES (1L, 2L, 'a'), (3L, NULL, 'b') AS t(id, v, s)")


def text_file(spark):
    folder = tempfile.mkdtemp(prefix="parity-") + "/t"
    spark.range(0, 50, 1, 1).selectExpr("id", "id * 2", "repeat('q', 4)").write.csv(folder)
    return spark.read.schema("id long, v long, s string").csv(folder)


def row_groups(spark):
    folder = tempfile.mkdtemp(prefix="parity-") + "/t"
    frame = spark.range(0, 20_000, 1, 1).selectExpr("id", "id % 7 v", "uuid(3) s")
    frame.write.option("parquet.block.size", 40_000).option(
        "parquet.page.row.count.limit", 500
    ).option("parquet.block.row.count.limit", 3000).parquet(folder)
    return spark.read.parquet(folder)


def cached_in_pieces(spark):
    with_batches = spark.range(0, 9000, 1, 2).selectExpr("id", "id % 7 v", "uuid(3) s")
    spark.conf.set("spark.sql.inMemoryColumnarStorage.batchSize", "1000")
    kept = with_batches.cache()
    kept.count()
    spark.conf.unset("spark.sql.inMemoryColumnarStorage.batchSize")
    return kept


def children():
    for name, child in (
        ("local_rows", local_rows),
        ("rdd_rows", rdd_rows),
        ("values", values_clause),
        ("a_text_file", text_file),
    ):
        yield from (over_child(name, child, kind) for kind in (ROW, ARROW, *MAPS))
    for name, child in (("row_groups", row_groups), ("a_cache_of_pieces", cached_in_pieces)):
        yield from (over_child(name, child, kind) for kind in (PANDAS, ARROW, *MAPS))


def three_stacked(spark):
    inner = MAP_IN_ARROW.through(results(spark, MAP_IN_PANDAS), same, None)
    upper = F.udf(lambda text: text and text.upper(), "string")
    return inner.select("*", upper("v").alias("u")).select("*", PANDAS.make(same, "string")("u"))


def sliced(name, column):
    """Results that begin within their buffers, and with nulls."""
    import pyarrow as pa

    def build(spark):
        frame = spark.range(0, 30, 1, 2).selectExpr("id", f"if(id % 4 = 0, null, {column}) v")

        def cut(several):
            for one in several:
                yield pa.concat_batches([one.slice(3), one]).slice(5, 7)
                yield one.slice(2, 0)
                yield one.slice(1)

        return frame.mapInArrow(cut, frame.schema)

    return Case(f"sliced_{name}", build, frozenset({"MapInArrow"}))


SLICED = {
    "text": "cast(id as string)",
    "flag": "id % 3 = 0",
    "decimal": "cast(id as decimal(38,3))",
    "list": "transform(sequence(0, id % 4), k -> if(k = 2, null, cast(k as string)))",
    "map": "map(id, repeat('x', cast(id % 5 as int)))",
    "struct": "named_struct('a', if(id % 3 = 0, null, id), 's', named_struct('b', id % 2 = 0))",
    "flags": "transform(sequence(0, id % 11), k -> k % 3 = 1)",
}


def text_in(form):
    """Texts in each of Arrow's forms; Spark takes some and refuses others."""
    import pyarrow as pa

    def build(spark):
        made = getattr(pa, form)()

        def change(several):
            for one in several:
                texts = pa.array([f"{i}" * 9 if i else None for i in range(one.num_rows)], made)
                yield pa.RecordBatch.from_arrays([texts], ["v"])

        return spark.range(0, 30, 1, 1).mapInArrow(change, "v string")

    return Case(f"text_in_{form}", build, frozenset({"MapInArrow"}), fails=form.endswith("view"))


CASES = [
    *(consumed(consumer, kind) for consumer in CONSUMERS for kind in (ROW, MAP_IN_ARROW)),
    consumed(build_side_of_a_join, ARROW, "-merged", MERGE_JOIN),
    consumed(in_a_window, PANDAS, "-no_codegen", {"spark.sql.codegen.wholeStage": "false"}),
    consumed(aggregated, ARROW, "-no_codegen", {"spark.sql.codegen.wholeStage": "false"}),
    consumed(stacked, ARROW),
    consumed(mapped_again, MAP_IN_ARROW),
    *(
        read_by(act, act.__name__, kind)
        for act in (in_one_by_one, as_pandas, as_arrow, last_ones)
        for kind in (ROW, MAP_IN_PANDAS)
    ),
    *(beside_every_type(kind) for kind in WHOLE),
    *(beside_wide_rows(kind) for kind in WHOLE),
    *(beside_nested(kind) for kind in WHOLE),
    *(beside_user_defined(kind) for kind in WHOLE),
    Case("user_defined_argument", user_defined_argument, EVAL),
    *(user_defined_through_map(kind) for kind in MAPS),
    *children(),
    Case("three_stacked", three_stacked, EVAL | {"MapInArrow", "MapInPandas"}, conf=THREE_RECORDS),
    *(sliced(name, column) for name, column in SLICED.items()),
    *(text_in(form) for form in ("large_string", "string_view")),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_rows_are_the_same_wherever_they_go(case, parity_legs):
    parity_legs.check(case)
