"""An application as people write them, one answer of which depends on the process it runs in."""

import contextlib
import sys

from pyspark.errors import PythonException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F


def plus_one(x):
    return x + 1


def program(x):
    from pathlib import Path

    return Path("/proc/self/comm").read_text().strip() if x else ""


def refuse(x):
    raise ValueError("no more of", x)


def main():
    spark = SparkSession.builder.master("local[1]").appName("compared").getOrCreate()
    numbers = spark.range(0, 1000, 1, 1)
    added = numbers.select(F.udf(plus_one, "long")("id").alias("y"))
    added.toPandas()
    added.write.mode("overwrite").parquet(sys.argv[1])
    numbers.limit(2).select(F.udf(program, "string")("id").alias("in")).collect()
    added.where("y < 3").show()
    with contextlib.suppress(PythonException):
        numbers.select(F.udf(refuse, "long")("id").alias("z")).agg(F.sum("z")).collect()


if __name__ == "__main__":
    main()
