"""Runs cases on each lane and on Spark's worker; tells what came and who, by the plan, ran them."""

import json
import os
import re
from pathlib import Path

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from parity import evidence

LANES = {"ember": "embedded", "process": "process", "spark": "spark"}
#: What no two runs have in common, and the JVM's own frames, where Ember's stand beside Spark's.
FLEETING = re.compile(
    r"0x[0-9a-f]+|\bo\d+\.|TID \d+|stage \d+\.\d+|^\t(at |\.\.\.).*\n?", re.MULTILINE
)


def session(name, more=None):
    """The application's session, with the settings that it was started with, and ``more``."""
    builder = SparkSession.builder.appName(name)
    for key, value in ((more or {}) | json.loads(os.environ["EMBER_SETTINGS"])).items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def tell(spark, cases, counter):
    """Tell as JSON, for each leg and case, the rows or the error, and what the plan says."""
    told = {}
    for leg, lane in LANES.items():
        spark.conf.set("spark.ember.lane", lane)
        told[leg] = {case.__name__: told_of(case(), counter) for case in cases}
    spark.stop()
    Path(os.environ["EMBER_ANSWER"]).write_text(json.dumps(told))


def told_of(frame, counter):
    before = counter.value
    try:
        outcome = {"rows": sorted(str(row) for row in frame.collect())}
    except (PySparkException, Py4JJavaError) as error:
        outcome = {"error": FLEETING.sub("", str(error))}
    proof = evidence.Evidence(frame)
    return {
        **outcome,
        "counted": counter.value - before,
        "embedded": proof.embedded_sessions,
        "in_workers": proof.process_sessions,
        "on_spark": proof.spark_sessions + len(proof.vanilla),
        "nodes": [*proof.embedded, *proof.vanilla],
        "reasons": evidence.reasons(frame),
    }
