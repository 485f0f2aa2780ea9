"""The driver process of one leg: it holds a Spark session and runs workloads when told to."""

import sys
import time
from dataclasses import asdict
from typing import Any, Final

from pyspark import cloudpickle
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as sf
from pyspark.sql.types import MapType
from pyspark.storagelevel import StorageLevel

from suite.cpu import Cpu, cpu_of
from suite.evidence import python_nodes
from suite.orders import Order, Verb, serve
from suite.records import scaled
from suite.workload import Workload
from suite.workloads import WORKLOADS

#: Rows of a run that is there for its plan.
FEW: Final = 1000


class Child:
    """One Spark session and the workload that it has at hand."""

    def __init__(self, order: Order) -> None:
        """Start the session with the settings of the leg."""
        self.slots: int = order["slots"]
        self.scale: float = order["scale"]
        self.paths: dict[str, str] = order["tables"]
        builder = SparkSession.builder.master(f"local[{self.slots}]").appName(order["leg"])
        for key, value in order["settings"].items():
            builder = builder.config(key, value)
        self.spark = builder.getOrCreate()
        self.spark.sparkContext.setLogLevel("ERROR")
        jvm: Any = self.spark._jvm  # noqa: SLF001 - Spark offers no public way
        self.jvm = int(jvm.java.lang.ProcessHandle.current().pid())
        _pickle_as_a_script_would()
        self.tables: dict[str, DataFrame] = {}
        self.source: DataFrame | None = None
        self.frame: DataFrame | None = None

    def verbs(self) -> dict[str, Verb]:
        """Everything that can be ordered."""
        return {
            "hello": self.hello,
            "prepare": self.prepare,
            "run": self.run,
            "plan": self.plan,
            "scan": self.scan,
            "check": self.check,
        }

    def hello(self, _order: Order) -> Order:
        """Say who this is."""
        return {"jvm": self.jvm, "spark": self.spark.version}

    def prepare(self, order: Order) -> Order:
        """Make the workload's frame."""
        workload = WORKLOADS[order["workload"]]
        self.spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", str(workload.batch))
        self.source = self._source_of(workload)
        self.frame = workload.apply(self.source)
        return {}

    def run(self, _order: Order) -> Order:
        """Run the frame once into the sink that keeps nothing, with both clocks."""
        wall, used = self._into_nothing(self.frame)
        nodes = [asdict(node) for node in python_nodes(self.spark)]
        return {"wall": wall, **_clocks(used), "nodes": nodes}

    def plan(self, order: Order) -> Order:
        """Run the workload over few rows so many times: what plans and starts it becomes warm."""
        workload = WORKLOADS[order["workload"]]
        few = workload.apply(_prepared(self.source).where(f"id < {FEW}"))
        for _ in range(order["times"]):
            self._into_nothing(few)
        return {}

    def scan(self, _order: Order) -> Order:
        """Run the same scan and sink without the function."""
        wall, used = self._into_nothing(self.source)
        return {"wall": wall, **_clocks(used)}

    def check(self, _order: Order) -> Order:
        """Give the number of rows and a checksum over every value of every row."""
        frame = _prepared(self.frame)
        total = sf.sum(sf.xxhash64(*_hashable(frame)).cast("decimal(20,0)"))
        row = frame.agg(sf.count("*"), total).collect()[0]
        return {"rows": row[0], "checksum": str(row[1])}

    def _into_nothing(self, frame: DataFrame | None) -> tuple[float, Cpu]:
        writer = _prepared(frame).write.format("noop").mode("overwrite")
        before, start = cpu_of(self.jvm), time.perf_counter()
        writer.save()
        return time.perf_counter() - start, cpu_of(self.jvm) - before

    def _source_of(self, workload: Workload) -> DataFrame:
        if workload.columns:
            return self._table(workload.source).select("id", *workload.columns)
        rows = scaled(workload.rows, self.scale)
        tasks = scaled(workload.partitions, self.scale) if workload.partitions else self.slots
        return self.spark.range(0, rows, 1, tasks)

    def _table(self, name: str) -> DataFrame:
        if name not in self.tables:
            frame = self.spark.read.parquet(self.paths[name]).repartition(self.slots)
            # Rows in memory, not the file: Parquet's vectors would not come 10,000 a batch.
            self.tables[name] = frame.persist(StorageLevel.MEMORY_ONLY)
            self.tables[name].count()
        return self.tables[name]


def _clocks(used: Cpu) -> Order:
    return {"jvm_cpu": used.jvm, "python_cpu": used.python, "compilers_cpu": used.compilers}


def _prepared(frame: DataFrame | None) -> DataFrame:
    if frame is None:
        raise RuntimeError("no workload was prepared")
    return frame


def _hashable(frame: DataFrame) -> list[Column]:
    """Return the columns, and of maps, which Spark does not hash, the entries in their order."""
    return [
        sf.map_entries(field.name) if isinstance(field.dataType, MapType) else sf.col(field.name)
        for field in frame.schema
    ]


def _pickle_as_a_script_would() -> None:
    """Send the workloads' functions by value, as those of a notebook or of a script are sent."""
    for name in [name for name in sys.modules if name.startswith("suite.workloads.")]:
        cloudpickle.register_pickle_by_value(sys.modules[name])  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    serve(lambda order: Child(order).verbs())
