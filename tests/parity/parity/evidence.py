"""What the executed plan says about who ran the Python functions of a query."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspark.sql.streaming import StreamingQuery

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import DataFrame, SparkSession

SPARK_NODES = frozenset(
    {
        "ArrowAggregatePython",
        "ArrowEvalPython",
        "ArrowEvalPythonUDTF",
        "ArrowWindowPython",
        "BatchEvalPython",
        "BatchEvalPythonUDTF",
        "FlatMapCoGroupsInArrow",
        "FlatMapCoGroupsInPandas",
        "FlatMapGroupsInArrow",
        "FlatMapGroupsInPandas",
        "FlatMapGroupsInPandasWithState",
        "MapInArrow",
        "MapInPandas",
        "MapPartitionsExternalUDF",
        "TransformWithStateInPySpark",
        # Of Spark 4.0 and before.
        "AggregateInPandas",
        "PythonMapInArrow",
        "TransformWithStateInPandas",
        "WindowInPandas",
    }
)
SCANS = ("BatchScan", "MicroBatchScan")
WRITES = ("AppendData", "OverwriteByExpression")
EMBEDDED_SESSIONS = "emberSessions"
PROCESS_SESSIONS = "emberProcessSessions"
SPARK_SESSIONS = "emberFallbacks"
REASON = "emberReason"


class Evidence:
    """The Python nodes of one executed plan, and their session counts."""

    def __init__(self, asked: DataFrame | StreamingQuery) -> None:
        self.embedded: list[str] = []
        self.vanilla: list[str] = []
        self.embedded_sessions = 0
        self.process_sessions = 0
        self.spark_sessions = 0
        for node in walk(executed(asked)):
            self._add(node)

    def _add(self, node: Any) -> None:
        name = node.nodeName().partition(" ")[0]
        if name in SPARK_NODES or of_data_source(name, node):
            self.vanilla.append(name)
        elif name.startswith("Ember"):
            self.embedded.append(name)
            self.embedded_sessions += metric(node, EMBEDDED_SESSIONS)
            self.process_sessions += metric(node, PROCESS_SESSIONS)
            self.spark_sessions += metric(node, SPARK_SESSIONS)


def of_data_source(name: str, node: Any) -> bool:
    """Whether a node of Spark's reads or writes a data source in Python."""
    if name in SCANS:
        return bool(node.scan().getClass().getSimpleName() == "PythonScan")
    if name in WRITES:
        return bool(node.write().getClass().getSimpleName() == "PythonWrite")
    if name == "WriteToDataSourceV2":
        target = node.batchWrite()
        simple = target.getClass().getSimpleName()
        return simple == "MicroBatchWrite" and "Python" in str(target.writeSupport().getClass())
    return False


def last_execution(spark: SparkSession) -> list[str]:
    """The names of the nodes of the query that ran last, which may have been a command."""
    spark._jsc.sc().listenerBus().waitUntilEmpty()
    store = spark._jsparkSession.sharedState().statusStore()
    executions = store.executionsList()
    graph = store.planGraph(executions.last().executionId())
    return [node.name() for node in each(graph.allNodes())]


def executed(asked: DataFrame | StreamingQuery) -> Any:
    """The plan of a frame, or of the last micro-batch of a stream."""
    if isinstance(asked, StreamingQuery):
        return asked._jsq.streamingQuery().lastExecution().executedPlan()
    return asked._jdf.queryExecution().executedPlan()


def reasons(frame: DataFrame) -> dict[str, int]:
    """Why sessions of an executed plan ran on Spark's runner, and how many for each reason."""
    counted: dict[str, int] = {}
    for node in walk(executed(frame)):
        if not node.nodeName().startswith("Ember"):
            continue
        keys = node.metrics().keys().toSeq()
        for key in (keys.apply(index) for index in range(keys.size())):
            count = metric(node, key) if key.startswith(REASON) else 0
            if count:
                name = key.removeprefix(REASON)
                counted[name] = counted.get(name, 0) + count
    return counted


def explain(frame: DataFrame, mode: str = "formatted") -> str:
    """What EXPLAIN says, before the query runs."""
    jvm = frame.sparkSession._jvm
    chosen = jvm.org.apache.spark.sql.execution.ExplainMode.fromString(mode)
    return str(frame._jdf.queryExecution().explainString(chosen))


def walk(plan: Any) -> Iterator[Any]:
    """Every node that ran: final adaptive plans, query stages, cached plans and subqueries too."""
    yield plan
    name = plan.getClass().getSimpleName()
    if name == "AdaptiveSparkPlanExec":
        inner = [plan.executedPlan()]
    elif name.endswith("QueryStageExec"):
        inner = [plan.plan()]
    elif name == "InMemoryTableScanExec":
        inner = [plan.relation().cachedPlan()]
    elif name == "CommandResultExec":
        inner = [plan.commandPhysicalPlan()]
    else:
        inner = each(plan.children())
    for child in [*inner, *each(plan.subqueries())]:
        yield from walk(child)


def each(sequence: Any) -> list[Any]:
    """The items of a Scala sequence."""
    return [sequence.apply(index) for index in range(sequence.size())]


def metric(node: Any, key: str) -> int:
    """A metric of the node; an absent key is a fault of this suite, not a zero."""
    found = node.metrics().get(key)
    if found.isEmpty():
        words = f"{node.nodeName()} has no metric {key}: {node.metrics().keys()}"
        raise KeyError(words)
    return int(found.get().value())
