"""A job of one row function, on any Spark since 3.5. Told as JSON: its rows and its plan."""

import json
import os
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

builder = SparkSession.builder.appName("other-spark")
for key, value in json.loads(os.environ["EMBER_SETTINGS"]).items():
    builder = builder.config(key, value)
spark = builder.getOrCreate()
frame = spark.range(10).select(F.udf(lambda v: v + 1, "long")("id").alias("v"))
rows = [row.v for row in frame.collect()]
told = {
    "rows": rows,
    "plan": frame._jdf.queryExecution().executedPlan().toString(),
    "id": spark.sparkContext.applicationId,
}
spark.stop()
Path(os.environ["EMBER_ANSWER"]).write_text(json.dumps(told))
