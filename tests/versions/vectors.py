"""Tells which allocators of Arrow are open once functions have run embedded."""

import json
import os
from pathlib import Path

import pyspark.sql.functions as F
from pyspark.sql import SparkSession

from parity import evidence

builder = SparkSession.builder.appName("vectors")
for key, value in json.loads(os.environ["EMBER_SETTINGS"]).items():
    builder = builder.config(key, value)
spark = builder.getOrCreate()

numbers = spark.range(0, 200, 1, 2).select("id", (F.col("id") % 7).alias("k"))
frames = [
    numbers.select(F.udf(lambda v: v + 1, "long", useArrow=True)("id")),
    numbers.mapInPandas(lambda frames: frames, "id long, k long"),
    numbers.groupBy("k").applyInPandas(lambda frame: frame, "id long, k long"),
    # A cache has columns and rows; before 4.2 Spark's node for scalar functions takes rows alone.
    spark.range(0, 100, 1, 2).cache().select(F.udf(lambda v: v + 1, "long", useArrow=True)("id")),
]
embedded = []
for frame in frames:
    frame.collect()
    embedded.append(evidence.Evidence(frame).embedded_sessions)
allocators = spark._jvm.org.apache.spark.sql.util.ArrowUtils.rootAllocator().getChildAllocators()
open_ = [allocator.getName() for allocator in allocators]
spark.stop()
Path(os.environ["EMBER_ANSWER"]).write_text(json.dumps({"embedded": embedded, "open": open_}))
