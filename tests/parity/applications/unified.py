"""What ``mapInPandas`` and its neighbours can be asked; tells answers, nodes and sessions."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyspark import BarrierTaskContext, SparkFiles, TaskContext, cloudpickle
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

import parity
from parity import evidence, outcome

cloudpickle.register_pickle_by_value(parity)

builder = SparkSession.builder.appName("unified")
for key, value in json.loads(os.environ["PARITY_CONF"]).items():
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


def mapped(function, schema="id long, s string", frame=None, **more):
    return (numbers() if frame is None else frame).mapInPandas(function, schema, **more)


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
    "a row function": lambda: numbers().select(
        "id", F.udf(lambda n: n + 1, "long")("id").alias("n")
    ),
    "a pandas function": lambda: numbers().select(F.pandas_udf(lambda n: n + 1, "long")("id")),
}


def asked(ask):
    """The answer, which nodes ran, and how many of Ember's and of Spark's sessions."""
    counted.value = 0
    frame = None
    try:
        frame = ask()
        answer = [outcome.rows(frame, frame.collect(), ordered=True), counted.value]
    except Exception as raised:  # noqa: BLE001 (whatever it is, it is the answer)
        answer = outcome.error(raised)
    if frame is None:
        return {"answer": repr(answer)}
    proof = evidence.Evidence(frame)
    return {
        "answer": repr(answer),
        "embedded": sorted(set(proof.embedded)),
        "vanilla": sorted(set(proof.vanilla)),
        "sessions": proof.embedded_sessions,
        "on_spark": proof.spark_sessions,
    }


told = {name: asked(ask) for name, ask in QUESTIONS.items()}
spark.stop()
Path(os.environ["PARITY_ANSWER"]).write_text(json.dumps(told))
