"""A client without Spark: runs every kind on two servers, and tells rows and plans as JSON."""

import importlib.metadata
import json
import sys

from kinds import KINDS, plan_of
from pyspark.errors import PythonException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from told import running_in


def bad(x):
    message = f"no {x}"
    raise ValueError(message)


def failure(spark):
    try:
        spark.range(1).select(F.udf(bad, "long")("id")).collect()
    except PythonException as error:
        return str(error)
    return None


told = {"kinds": {}, "errors": [], "packages": {}}
sessions = [SparkSession.builder.remote(address).create() for address in sys.argv[1:]]
for kind in KINDS:
    frames = [kind(spark) for spark in sessions]
    with running_in("workers", sessions[0]):
        told["kinds"][kind.__name__] = [
            {"rows": sorted(map(list, frame.collect())), "plan": plan_of(frame)} for frame in frames
        ]
with running_in("workers", sessions[0]):
    told["errors"] = [failure(spark) for spark in sessions]
for name in ("pyspark", "pyspark-client"):
    try:
        told["packages"][name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        told["packages"][name] = None
for spark in sessions:
    spark.stop()
print(json.dumps(told))
