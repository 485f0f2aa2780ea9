"""A client whose server is its own: PySpark's local Connect mode. Prints what it saw, as JSON.

Without jars it has Ember added as users have it.

python local_client.py PORT [KEY=VALUE ...]
"""

import json
import sys

from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.connect.client import DefaultChannelBuilder
from told import soon

import ember


def main(port: int, settings: list[str]) -> None:
    """Run one function, and look around."""
    # The mode has one port for all; others may run on this machine.
    DefaultChannelBuilder.default_port = staticmethod(lambda: port)
    builder = SparkSession.builder.remote("local[2]")
    builder = builder.config("spark.connect.grpc.binding.port", str(port))
    for pair in settings:
        builder = builder.config(*pair.split("=", 1))
    if "spark.jars" not in builder._options:
        builder = ember.enable(builder)
    spark = builder.getOrCreate()
    frame = spark.range(100).select(F.udf(lambda x: x + 1, "long")("id").alias("a"))
    seen = {"plan": frame._explain_string(), "rows": [row.a for row in frame.collect()]}
    seen["executors"] = table(spark, "ember_status")
    seen["functions"] = table(spark, "ember_functions")
    print(json.dumps(seen))
    spark.stop()


def table(spark, name):
    """Give the rows of a table of Ember's, once it has some; None where there is no such table."""
    try:
        rows = spark.sql(f"SELECT * FROM {name}()")
        return soon(lambda: [row.asDict() for row in rows.collect()])
    except AnalysisException:
        return None


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
