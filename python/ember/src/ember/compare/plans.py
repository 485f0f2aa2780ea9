"""What Spark's own record of its queries says of their Python nodes."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from typing import Any, Final

#: Of Ember's nodes and of Spark's: how long Python code ran.
_IN_FUNCTIONS: Final = ("Ember: time in functions", "time to execute Python code")
_SESSIONS: Final = "Ember: sessions"
_IN_WORKERS: Final = "Ember: sessions in worker processes"
_ON_SPARK: Final = "Ember: sessions on Spark's runner"
_REASON: Final = "Ember: not embedded, "
_PYTHON_NODE: Final = re.compile(r"(Ember)?\w*(Python|InPandas|InArrow|PySpark)\w*")
_STAYS: Final = re.compile(r"^\w+: on Spark's own runner\. (.*)$", re.MULTILINE)
#: A bracket that opens, with the name before it, or one that closes, with the number of a result.
_BRACKET: Final = re.compile(r"([A-Za-z_<][\w<>.]*)?\(|\)(#\d+)?")
_UNITS: Final = {"ns": 1e-9, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


@dataclass
class Node:
    """A node that ran Python functions, and how."""

    name: str
    functions: str
    seconds: float | None = None
    in_executor: int = 0
    in_workers: int = 0
    on_spark: int = 0
    reasons: list[str] = field(default_factory=list)


@dataclass
class Query:
    """One query of Spark's: how long it took, and its Python nodes."""

    description: str
    seconds: float | None
    nodes: list[Node] = field(default_factory=list)
    #: Why nodes of the plan were left to Spark, in Ember's words.
    stays: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Give what :meth:`from_json` takes."""
        return asdict(self)

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Query:
        """Read one that another process has told."""
        return cls(**{**told, "nodes": [Node(**node) for node in told["nodes"]]})


def queries(session: Any) -> list[Query]:
    """Read every query that Spark still remembers, oldest first."""
    store = _store(session)
    return [_query(store, each) for each in _listed(store.executionsList())]


def last_query(session: Any) -> Query:
    """Read the query that ran last."""
    store = _store(session)
    return _query(store, store.executionsList().last())


def last_number(session: Any) -> int:
    """Give the number of the query that began last, or -1: :func:`queries_after` takes it."""
    executions = _store(session).executionsList()
    return int(executions.last().executionId()) if executions.size() else -1


def queries_after(session: Any, number: int) -> list[Query]:
    """Read the queries that began after the one of this number, oldest first."""
    store = _store(session)
    executions, found = store.executionsList(), []
    for at in reversed(range(executions.size())):
        execution = executions.apply(at)
        if execution.executionId() <= number:
            break
        found.append(_query(store, execution))
    return found[::-1]


def _store(session: Any) -> Any:
    jvm_session = session._jsparkSession  # noqa: SLF001 - Spark offers no public way
    jvm_session.sparkContext().listenerBus().waitUntilEmpty()
    return jvm_session.sharedState().statusStore()


def _query(store: Any, execution: Any) -> Query:
    number = execution.executionId()
    values = store.executionMetrics(number)
    end = execution.completionTime()
    seconds = None
    if end.isDefined():
        seconds = (end.get().getTime() - execution.submissionTime()) / 1000
    nodes = [
        _node(node, values)
        for node in _listed(store.planGraph(number).allNodes())
        if _PYTHON_NODE.fullmatch(node.name())
    ]
    stays = _STAYS.findall(execution.physicalPlanDescription())
    return Query(execution.description(), seconds, nodes, stays)


def _node(node: Any, values: Any) -> Node:
    shown = {}
    for metric in _listed(node.metrics()):
        value = values.get(metric.accumulatorId())
        if value.isDefined():
            shown[metric.name()] = value.get()
    counts = {name: _count(text) for name, text in shown.items() if name.startswith("Ember: ")}
    in_workers = counts.get(_IN_WORKERS, 0)
    return Node(
        node.name(),
        functions_of(node.desc()) or node.name(),
        next((seconds_of(shown[name]) for name in _IN_FUNCTIONS if name in shown), None),
        counts.get(_SESSIONS, 0) - in_workers,
        in_workers,
        counts.get(_ON_SPARK, 0),
        [name.removeprefix(_REASON) for name, n in counts.items() if n and _REASON in name],
    )


def functions_of(description: str) -> str:
    """Name the functions of a node, inner ones first: in its description, calls have numbers."""
    found: dict[str, None] = {}
    opened: list[str | None] = []
    for bracket in _BRACKET.finditer(description):
        if bracket[0].endswith("("):
            opened.append(bracket[1])
        elif opened and (name := opened.pop()) and bracket[2]:
            found[name] = None
    return ", ".join(found)


def seconds_of(shown: str) -> float | None:
    """Read a time as Spark shows it: the total, in the last line, before what is in brackets."""
    found = re.match(r"([\d.,]+) ?(ns|ms|s|m|min|h)\b", shown.splitlines()[-1].strip())
    return float(found[1].replace(",", "")) * _UNITS[found[2]] if found else None


def _count(shown: str) -> int:
    digits = shown.replace(",", "")
    return int(digits) if digits.isdigit() else 0


def _listed(sequence: Any) -> list[Any]:
    return [sequence.apply(at) for at in range(sequence.size())]
