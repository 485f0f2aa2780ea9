"""A user's application: with Ember on, then off for the session. Tells what ran where, as JSON.

It leaves its event log in the folder ``events``.
"""

import json
import sys
import time
import urllib.request
from pathlib import Path

from pyspark.sql import functions as F

import ember

WAIT_S = 20


def nodes(spark):
    """The Python nodes of the last query, with the sessions that Ember had of each."""
    spark._jsparkSession.sparkContext().listenerBus().waitUntilEmpty()
    store = spark._jsparkSession.sharedState().statusStore()
    last = store.executionsList().last().executionId()
    values = store.executionMetrics(last)
    every = store.planGraph(last).allNodes()
    found = {}
    for node in (every.apply(at) for at in range(every.size())):
        if "EvalPython" in node.name():
            metrics = [node.metrics().apply(at) for at in range(node.metrics().size())]
            ids = [m.accumulatorId() for m in metrics if m.name() == "Ember: sessions"]
            found[node.name()] = sum(int(values.get(i).get()) for i in ids)
    return found


def plus_one(x):
    return x + 1


def leg(spark):
    """One query: its answer, and what ran it."""
    rows = spark.range(0, 1000, 1, 2).select(F.udf(plus_one, "long")("id").alias("y")).collect()
    return {"sum": sum(row.y for row in rows), "nodes": nodes(spark)}


def page(spark):
    """Ember's page of the web UI, once the function is told of in it."""
    end = time.monotonic() + WAIT_S
    while True:
        with urllib.request.urlopen(f"{spark.sparkContext.uiWebUrl}/ember/") as answer:
            text = answer.read().decode()
        if "plus_one" in text or time.monotonic() > end:
            return text
        time.sleep(0.1)


def main():
    builder = ember.session().appName("install").master("local[2]")
    builder.config("spark.ui.port", "0").config("spark.ember.embedded.tasks", "2")
    events = Path("events").absolute()
    events.mkdir()
    builder.config("spark.eventLog.enabled", "true").config("spark.eventLog.dir", events.as_uri())
    spark = builder.getOrCreate()
    told = {"package": ember.__file__, "jar": str(ember.jar()), "on": leg(spark)}
    told |= {"id": spark.sparkContext.applicationId, "events": str(events), "page": page(spark)}
    spark.conf.set("spark.ember.enabled", "false")
    told["off"] = leg(spark)
    spark.stop()
    Path(sys.argv[1]).write_text(json.dumps(told))


if __name__ == "__main__":
    main()
