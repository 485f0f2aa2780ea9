"""A plain ``python`` without ``spark-submit``: the jar and the plugin are named in the builder."""

import os
import sys
from pathlib import Path

from pyspark.sql import SparkSession

import orders

HERE = Path(__file__).resolve().parent
JAR = os.environ.get("EMBER_JAR", str(HERE.parent / "dist" / "ember-spark-4.3_2.13.jar"))

if __name__ == "__main__":
    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.jars", JAR)
        .config("spark.plugins", "dev.ember.EmberPlugin")
        .getOrCreate()
    )
    spark.sparkContext.addPyFile(str(HERE / "orders.py"))  # its functions name their module
    code = orders.main(spark)
    spark.stop()
    sys.exit(code)
