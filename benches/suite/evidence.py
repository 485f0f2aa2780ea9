"""Which Python nodes a query really ran, and by which way: read from Spark's own record of it."""

from dataclasses import dataclass, field
from typing import Any, Final

from pyspark.sql import SparkSession

PYTHON_NODES: Final = (
    "ArrowEvalPython",
    "BatchEvalPython",
    "MapInPandas",
    "MapInArrow",
    "FlatMapGroupsInPandas",
    "FlatMapGroupsInArrow",
    "FlatMapCoGroupsInPandas",
    "FlatMapCoGroupsInArrow",
    "FlatMapGroupsInPandasWithState",
    "ArrowAggregatePython",
    "ArrowWindowPython",
    "ArrowEvalPythonUDTF",
    "BatchEvalPythonUDTF",
)
SESSIONS: Final = "Ember: sessions"
IN_WORKERS: Final = "Ember: sessions in worker processes"
FALLEN_BACK: Final = "Ember: sessions on Spark's runner"
MOVED: Final = "Ember: sessions that went on on the other lane"
REASON: Final = "Ember: not embedded, "
CHOSEN: Final = "Ember: lane chosen, "


@dataclass(frozen=True)
class Node:
    """A node that ran Python functions: its name, and its sessions by the way they took."""

    name: str
    embedded: int = 0
    in_workers: int = 0
    fallen_back: int = 0
    reasons: list[str] = field(default_factory=list)
    moved: int = 0
    #: Why sessions ran where they did, in Ember's words, and how many for each reason.
    choices: dict[str, int] = field(default_factory=dict)

    @property
    def ours(self) -> bool:
        """Whether the node is Ember's, on whichever way its sessions ran."""
        return self.name.startswith("Ember")

    @property
    def ran_in_ember(self) -> bool:
        """Whether at least one session ran in Ember, on either lane, and none on Spark's runner."""
        return self.ours and self.embedded + self.in_workers > 0 and self.fallen_back == 0

    @property
    def ran_embedded(self) -> bool:
        """Whether at least one session ran embedded, and none on Spark's runner."""
        return self.ours and self.embedded > 0 and self.fallen_back == 0


def python_nodes(spark: SparkSession) -> list[Node]:
    """Give the Python nodes of the query that ran last."""
    jvm_session: Any = spark._jsparkSession  # noqa: SLF001 - Spark offers no public way
    jvm_session.sparkContext().listenerBus().waitUntilEmpty()
    store = jvm_session.sharedState().statusStore()
    execution = store.executionsList().last().executionId()
    values = store.executionMetrics(execution)
    return [
        _node(node, values)
        for node in _listed(store.planGraph(execution).allNodes())
        if node.name().removeprefix("Ember") in PYTHON_NODES
    ]


def _node(node: Any, values: Any) -> Node:
    counts = {
        metric.name(): _count(values.get(metric.accumulatorId()))
        for metric in _listed(node.metrics())
        if metric.name().startswith("Ember: ") and metric.metricType() == "sum"
    }
    reasons, choices = _named(counts, REASON), _named(counts, CHOSEN)
    workers = counts.get(IN_WORKERS, 0)
    embedded = counts.get(SESSIONS, 0) - workers
    fallen_back, moved = counts.get(FALLEN_BACK, 0), counts.get(MOVED, 0)
    return Node(node.name(), embedded, workers, fallen_back, [*reasons], moved, choices)


def _named(counts: dict[str, int], start: str) -> dict[str, int]:
    found = {name: count for name, count in counts.items() if name.startswith(start) and count}
    return {name.removeprefix(start): count for name, count in found.items()}


def _count(value: Any) -> int:
    """Read a count as Spark shows it, with commas; a metric that nobody touched has none."""
    return int(value.get().replace(",", "")) if value.isDefined() else 0


def _listed(sequence: Any) -> list[Any]:
    return [sequence.apply(at) for at in range(sequence.size())]
