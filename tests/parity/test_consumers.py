"""Everything that keeps or reads result rows later.

They point into native memory that is used again, so whoever keeps one must have copied it.
"""

import pytest
from parity.case import Case
from parity.kinds import ARROW, MAP_IN_ARROW, MAP_IN_PANDAS, PANDAS, ROW, Kind, same
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

EVAL = frozenset({"ArrowEvalPython"})
THREE_RECORDS = {"spark.sql.execution.arrow.maxRecordsPerBatch": "3"}
NO_CODEGEN = {"spark.sql.codegen.wholeStage": "false"}
MERGE_JOIN = {
    "spark.sql.autoBroadcastJoinThreshold": "-1",
    "spark.sql.join.preferSortMergeJoin": "true",
}


def results(spark, kind: Kind, rows=240, partitions=8) -> DataFrame:
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
    return kind.through(frame, same, "string").select("id", "k", "v", "a")


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


def three_stacked(spark):
    inner = MAP_IN_ARROW.through(results(spark, MAP_IN_PANDAS), same, None)
    upper = F.udf(lambda text: text and text.upper(), "string")
    return inner.select("*", upper("v").alias("u")).select("*", PANDAS.make(same, "string")("u"))


def in_a_window_by_another_name(spark):
    """The projection below the shuffle only renames; adaptive execution plans above it anew."""
    values = F.array([F.lit(i * 1.0) + F.col("id") for i in range(20, 30)])
    frame = spark.range(10).select("id", F.explode(values).alias("v"))
    near = Window.partitionBy("id").orderBy("v").rowsBetween(-2, 1)
    whole = Window.partitionBy("id").rowsBetween(Window.unboundedPreceding, 0)
    mean = F.mean(ROW.make(same, "double")("v")).over(near)
    return frame.withColumn("m", mean).withColumn("n", F.count("v").over(whole.orderBy("v")))


CASES = [
    *(consumed(consumer, kind) for consumer in CONSUMERS for kind in (ROW, MAP_IN_ARROW)),
    consumed(build_side_of_a_join, ARROW, "-merged", MERGE_JOIN),
    consumed(in_a_window, PANDAS, "-no_codegen", NO_CODEGEN),
    consumed(aggregated, ARROW, "-no_codegen", NO_CODEGEN),
    consumed(stacked, ARROW),
    consumed(mapped_again, MAP_IN_ARROW),
    *(
        read_by(act, act.__name__, kind)
        for act in (in_one_by_one, as_pandas, as_arrow, last_ones, through_an_rdd)
        for kind in (ROW, MAP_IN_PANDAS)
    ),
    Case("in_a_window_by_another_name", in_a_window_by_another_name, EVAL),
    Case("three_stacked", three_stacked, EVAL | {"MapInArrow", "MapInPandas"}, conf=THREE_RECORDS),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_rows_may_be_kept(case, parity_legs):
    parity_legs.check(case)
