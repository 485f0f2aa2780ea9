"""Slow functions in more tasks than may be embedded at a time."""

import json
import os
import time
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from parity import evidence

builder = SparkSession.builder.appName("busy")
for key, value in json.loads(os.environ["PARITY_CONF"]).items():
    builder = builder.config(key, value)
spark = builder.getOrCreate()


def slow(value):
    time.sleep(0.5)
    return value


frame = spark.range(0, 8, 1, 8).select(F.udf(slow, "bigint")("id").alias("v"))
rows = [row.v for row in frame.collect()]
proof = evidence.Evidence(frame)
told = {
    "rows": rows,
    "embedded": proof.embedded_sessions,
    "on_spark": proof.spark_sessions,
    "reasons": evidence.reasons(frame),
}
spark.stop()
Path(os.environ["PARITY_ANSWER"]).write_text(json.dumps(told))
