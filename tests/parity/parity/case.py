"""What a case is, what a leg brings home, and when a pair of legs proves something.

A case is asked twice in one SparkSession: leg A with ``spark.ember.enabled=true``, leg B with
``false``.  The answers must be equal, and the executed plans must show that two paths ran.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import unified_diff
from pprint import pformat
from typing import Any

from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True)
class Then:
    """A frame, and what to read once it was collected (an accumulator, a file)."""

    frame: DataFrame
    read: Callable[[], Any]


Build = Callable[[SparkSession], DataFrame | Then]


@dataclass(frozen=True)
class Case:
    """One question.  ``build`` makes fresh function objects each time it is called."""

    name: str
    build: Build
    nodes: frozenset[str]
    conf: Mapping[str, str] = field(default_factory=dict)
    fails: bool = False
    ordered: bool = True
    act: Callable[[DataFrame], Any] = DataFrame.collect
    """How the answer is read; anything else than rows is compared as it is."""
    beside: frozenset[str] = frozenset()
    """Spark's Python nodes that stay in the first leg's plan beside the embedded ones."""
    sessions: bool = True
    """Whether a task that succeeded counted its session (a failed one counts nothing)."""


@dataclass(frozen=True)
class Leg:
    """What one leg answered, and what its executed plan and its processes prove."""

    outcome: Any
    failed: bool
    embedded_nodes: tuple[str, ...] = ()
    vanilla_nodes: tuple[str, ...] = ()
    embedded_sessions: int = 0
    spark_sessions: int = 0
    signed_in_jvm: int = 0
    signed_elsewhere: int = 0
    lane: str = "embedded"
    """Where its functions were to run, if they were to run in Ember at all."""
    process_sessions: int = 0


def judge(embedded: Leg, vanilla: Leg, case: Case) -> str:
    """Return ``pass``, ``fail: …``, or ``vacuous: …`` when the plans prove nothing.

    A vacuous pair is never a pass: two equal answers from the same path say nothing about ours.
    """
    silent = why_not_embedded(embedded, case) or why_not_on_spark(vanilla, case)
    if silent:
        return f"vacuous: {silent}"
    if embedded.failed != case.fails or vanilla.failed != case.fails:
        return f"fail: expected {'an error' if case.fails else 'rows'}\n{both(embedded, vanilla)}"
    if embedded.outcome != vanilla.outcome:
        return f"fail: the legs differ\n{both(embedded, vanilla)}"
    return "pass"


def why_not_embedded(leg: Leg, case: Case) -> str:  # noqa: PLR0911 (one line a reason)
    """What is missing for the first leg to count, or an empty string."""
    expected = {f"Ember{name}" for name in case.nodes}
    if not leg.embedded_nodes:
        return "the first leg did not run embedded"
    if set(leg.embedded_nodes) != expected:
        return f"the first leg ran {sorted(set(leg.embedded_nodes))}, expected {sorted(expected)}"
    if set(leg.vanilla_nodes) != set(case.beside):
        return f"the first leg has {leg.vanilla_nodes} left on Spark's runner"
    if leg.lane != "auto" and (wrong := on_another_lane(leg)):
        return wrong
    if counts(leg, case) and leg.embedded_sessions == 0:
        return "the first leg opened no embedded session"
    if leg.spark_sessions:
        return f"{leg.spark_sessions} sessions of the first leg fell back to Spark's runner"
    return ""


def on_another_lane(leg: Leg) -> str:
    """What ran elsewhere than on the lane that was named, or an empty string."""
    apart = leg.lane == "process"
    if leg.signed_in_jvm if apart else leg.signed_elsewhere:
        return (
            f"a function of the first leg ran {'inside the JVM' if apart else 'in another process'}"
        )
    if leg.process_sessions != (leg.embedded_sessions if apart else 0):
        return f"{leg.process_sessions} of {leg.embedded_sessions} sessions ran in worker processes"
    return ""


def why_not_on_spark(leg: Leg, case: Case) -> str:
    """What is missing for the second leg to count, or an empty string."""
    if leg.embedded_nodes or not leg.vanilla_nodes:
        return "the second leg did not run on Spark's worker"
    if set(leg.vanilla_nodes) != set(case.nodes | case.beside):
        return f"the second leg ran {sorted(set(leg.vanilla_nodes))}"
    if leg.signed_in_jvm:
        return "a function of the second leg ran inside the JVM"
    return ""


def counts(leg: Leg, case: Case) -> bool:
    """Whether this leg's session metrics must be above zero."""
    return case.sessions and not case.fails and not leg.failed


def both(embedded: Leg, vanilla: Leg) -> str:
    """Both answers, and line by line what differs between them."""
    ours, theirs = (pformat(leg.outcome, width=120).splitlines() for leg in (embedded, vanilla))
    changes = "\n".join(unified_diff(theirs, ours, "vanilla", "embedded", lineterm="", n=1))
    return f"  embedded: {embedded.outcome!r}\n  vanilla:  {vanilla.outcome!r}\n{changes}"
