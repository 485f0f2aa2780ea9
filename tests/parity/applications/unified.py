"""What ``mapInPandas`` and its neighbours can be asked; tells answers, nodes and sessions."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute
from pyspark import BarrierTaskContext, SparkFiles, TaskContext, cloudpickle
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.streaming import StreamingQuery

import parity
from parity import evidence, outcome

cloudpickle.register_pickle_by_value(parity)

CONF = json.loads(os.environ["PARITY_CONF"])
builder = SparkSession.builder.appName("unified")
for key, value in CONF.items():
    builder = builder.config(key, value)
spark = builder.getOrCreate()
spark.sparkContext.setLogLevel("OFF")

MODULE = Path("beside_the_function.py").absolute()
MODULE.write_text("FACTOR = 7\n")
spark.sparkContext.addPyFile(str(MODULE))
factors = spark.sparkContext.broadcast([10, 20])
counted = spark.sparkContext.accumulator(0)


def numbers(rows=40, partitions=4):
    return spark.range(0, rows, 1, partitions).select("id", F.col("id").cast("string").alias("s"))


def same(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    yield from batches


def longer(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    for batch in batches:
        yield batch.assign(s=batch.s + "!", more=batch.id.where(batch.id % 3 > 0) / 2)


def with_a_broadcast(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    for batch in batches:
        yield batch.assign(id=batch.id * factors.value[1])


def with_an_accumulator(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    for batch in batches:
        counted.add(len(batch))
        yield batch


def with_a_module(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    from beside_the_function import FACTOR

    assert Path(SparkFiles.get("beside_the_function.py")).exists()
    for batch in batches:
        yield batch.assign(id=batch.id * FACTOR)


def in_a_barrier(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    BarrierTaskContext.get().barrier()
    yield from batches


def of_the_task(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    partition = TaskContext.get().partitionId()
    for batch in batches:
        yield batch.assign(id=partition, s=str(len(batch)))


def failing(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    for batch in batches:
        if (batch.id == 17).any():
            raise ValueError("seventeen")
        yield batch


def of_another_shape(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    for batch in batches:
        yield batch.drop(columns="s")


def in_arrow(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield from batches


def in_arrow_with_variables(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        counted.add(batch.num_rows)
        ids = pa.compute.multiply(batch.column("id"), factors.value[0])
        yield batch.set_column(0, "id", ids)


def mapped(function, schema="id long, s string", frame=None, **more):
    return (numbers() if frame is None else frame).mapInPandas(function, schema, **more)


def with_itself():
    frame = mapped(same)
    other = frame.withColumnRenamed("s", "t")
    return frame.join(other, "id").union(frame.join(other, "id")).orderBy("id")


def in_a_stream():
    """Micro-batches whose answer is read from memory; the plan is the stream's own."""
    for part in (1, 2):
        Path("streamed").mkdir(exist_ok=True)
        rows = (json.dumps({"id": part * 10 + at, "s": str(at)}) for at in range(10))
        Path("streamed", f"{part}.json").write_text("\n".join(rows))
    source = spark.readStream.schema("id long, s string").option("maxFilesPerTrigger", 1)
    mapped_rows = source.json("streamed").mapInPandas(longer, "id long, s string, more double")
    query = mapped_rows.where("more > 1").writeStream.format("memory").queryName("streamed")
    running = query.trigger(availableNow=True).start()
    running.awaitTermination()
    return running


def over_sparks_protocol():
    """Spark's node as Spark plans it, without Ember, has no function but its pickle."""
    spark.conf.set("spark.ember.enabled", "false")
    try:
        return mapped(same)
    finally:
        spark.conf.set("spark.ember.enabled", CONF.get("spark.ember.enabled", "true"))


def sql():
    mapped(longer, "id long, s string, more double").createOrReplaceTempView("mapped")
    return spark.sql("select s, sum(more) m from mapped where id > 5 group by s order by s")


QUESTIONS = {
    "rows": lambda: mapped(same),
    "other columns": lambda: mapped(longer, "id long, s string, more double"),
    "a filter, a projection and a sum above": sql,
    "one above the other": lambda: mapped(longer, frame=mapped(same)),
    "both sides of a join": lambda: (
        mapped(same).join(mapped(same).select("id"), "id").orderBy("id")
    ),
    "a frame with itself": with_itself,
    "columns that nobody reads": lambda: mapped(same).groupBy().count(),
    "a subquery": lambda: mapped(same).where(
        F.col("id") > mapped(same).select(F.avg("id")).scalar()
    ),
    "a window above": lambda: mapped(same).selectExpr("id", "sum(id) over (order by id) so_far"),
    "a stream": in_a_stream,
    "a limit": lambda: mapped(same).limit(3),
    "a cache": lambda: mapped(same).cache(),
    "empty partitions": lambda: mapped(of_the_task, frame=numbers().where("id % 40 > 30")),
    "no rows": lambda: mapped(same, frame=numbers().where("id < 0")),
    "a broadcast": lambda: mapped(with_a_broadcast),
    "an accumulator": lambda: mapped(with_an_accumulator),
    "a module": lambda: mapped(with_a_module),
    "a barrier": lambda: mapped(in_a_barrier, frame=numbers(partitions=2), barrier=True),
    "an error": lambda: mapped(failing),
    "a column too few": lambda: mapped(of_another_shape),
    "mapInArrow": lambda: numbers().mapInArrow(in_arrow, "id long, s string"),
    "mapInArrow with variables": lambda: numbers().mapInArrow(
        in_arrow_with_variables, "id long, s string"
    ),
    "mapInArrow below mapInPandas": lambda: mapped(
        longer,
        "id long, s string, more double",
        numbers(partitions=2).mapInArrow(in_arrow, "id long, s string", barrier=True),
    ),
    "a row function": lambda: numbers().select(
        "id", F.udf(lambda n: n + 1, "long")("id").alias("n")
    ),
    "a pandas function": lambda: numbers().select(F.pandas_udf(lambda n: n + 1, "long")("id")),
    "an Arrow function": lambda: numbers().select(
        F.arrow_udf(lambda n: pa.compute.add(n, 1), "long")("id")
    ),
}
if "spark.driver.extraClassPath" in CONF or CONF.get("spark.ember.enabled") == "false":
    QUESTIONS["Spark's protocol"] = over_sparks_protocol


def asked(ask):
    """The answer, which nodes ran, and how many of Ember's and of Spark's sessions."""
    counted.value = 0
    frame = None
    try:
        frame = ask()
        shown = spark.table("streamed") if isinstance(frame, StreamingQuery) else frame
        answer = [outcome.rows(shown, shown.collect(), ordered=True), counted.value]
    except Exception as raised:  # noqa: BLE001 (whatever it is, it is the answer)
        answer = outcome.error(raised)
    if frame is None:
        return {"answer": repr(answer)}
    proof = evidence.Evidence(frame)
    return {
        "answer": repr(answer),
        "explain": evidence.explain(shown),
        "embedded": sorted(set(proof.embedded)),
        "vanilla": sorted(set(proof.vanilla)),
        "sessions": proof.embedded_sessions,
        "on_spark": proof.spark_sessions,
    }


told = {name: asked(ask) for name, ask in QUESTIONS.items()}
spark.stop()
Path(os.environ["PARITY_ANSWER"]).write_text(json.dumps(told))
