"""The driver process of one leg: takes orders as JSON lines, answers each with one line."""

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TextIO

from pyspark import cloudpickle
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import count, sum, xxhash64  # noqa: A004 - Spark's own name
from pyspark.storagelevel import StorageLevel

from suite.cpu import cpu_of
from suite.evidence import python_nodes
from suite.workloads import WORKLOADS

Verb = Callable[[dict[str, Any]], dict[str, Any]]


class Child:
    """One Spark session and the workload that it has at hand."""

    def __init__(self, order: dict[str, Any]) -> None:
        """Start the session with the settings of the leg and load the records."""
        self.slots: int = order["slots"]
        builder = SparkSession.builder.master(f"local[{self.slots}]").appName(order["leg"])
        for key, value in order["settings"].items():
            builder = builder.config(key, value)
        self.spark = builder.getOrCreate()
        self.spark.sparkContext.setLogLevel("ERROR")
        jvm: Any = self.spark._jvm  # noqa: SLF001 - Spark offers no public way
        self.jvm = int(jvm.java.lang.ProcessHandle.current().pid())
        _pickle_as_a_script_would()
        records = self.spark.read.parquet(order["records"]).repartition(self.slots)
        # Rows in memory, not the file: Parquet's vectors would not come 10,000 a batch.
        self.records = records.persist(StorageLevel.MEMORY_ONLY)
        self.records.count()
        self.frame: DataFrame | None = None

    def hello(self, _order: dict[str, Any]) -> dict[str, Any]:
        """Say who this is."""
        return {"jvm": self.jvm, "spark": self.spark.version}

    def prepare(self, order: dict[str, Any]) -> dict[str, Any]:
        """Make the workload's frame."""
        workload = WORKLOADS[order["workload"]]
        if workload.columns:
            source = self.records.select("id", *workload.columns)
        else:
            source = self.spark.range(0, workload.rows, 1, self.slots)
        self.frame = workload.apply(source)
        return {}

    def run(self, _order: dict[str, Any]) -> dict[str, Any]:
        """Run the frame once into the sink that keeps nothing, with both clocks."""
        before, start = cpu_of(self.jvm), time.perf_counter()
        self._prepared().write.format("noop").mode("overwrite").save()
        wall, used = time.perf_counter() - start, cpu_of(self.jvm) - before
        nodes = [asdict(node) for node in python_nodes(self.spark)]
        return {"wall": wall, "jvm_cpu": used.jvm, "python_cpu": used.python, "nodes": nodes}

    def check(self, _order: dict[str, Any]) -> dict[str, Any]:
        """Give the number of rows and a checksum over every value of every row."""
        frame = self._prepared()
        row = frame.agg(count("*"), sum(xxhash64(*frame.columns).cast("decimal(20,0)"))).collect()[
            0
        ]
        return {"rows": row[0], "checksum": str(row[1])}

    def _prepared(self) -> DataFrame:
        if self.frame is None:
            raise RuntimeError("no workload was prepared")
        return self.frame


def serve(orders: TextIO, answers: TextIO) -> None:
    """Answer orders until they end."""
    child = Child(json.loads(orders.readline()))
    verbs: dict[str, Verb] = {
        "hello": child.hello,
        "prepare": child.prepare,
        "run": child.run,
        "check": child.check,
    }
    for line in orders:
        order = json.loads(line)
        print(json.dumps(verbs[order["verb"]](order)), file=answers, flush=True)
    child.spark.stop()


def _pickle_as_a_script_would() -> None:
    """Send the workloads' functions by value, as those of a notebook or of a script are sent."""
    for name in [name for name in sys.modules if name.startswith("suite.workloads.")]:
        cloudpickle.register_pickle_by_value(sys.modules[name])  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    # What Spark prints must not mix with the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    serve(sys.stdin, answers)
