"""Lanes: on whose runner Python functions are to run, and the evidence that they ran there.

Answers of two lanes that are equal prove nothing if both came from Spark's runner, which is where
they come from when Ember's jar is of another Spark.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ember.compare.plans import last_number, queries_after
from ember.policy.errors import PolicyError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

    from ember.compare.plans import Node, Query

#: The settings that send functions to each lane.
LANES: Final[dict[str, dict[str, str]]] = {
    "Spark": {"spark.ember.enabled": "false"},
    "embedded": {"spark.ember.enabled": "true", "spark.ember.lane": "embedded"},
    "process": {"spark.ember.enabled": "true", "spark.ember.lane": "process"},
}

_PLACES: Final = {
    "Spark": "on Spark's own runner",
    "embedded": "in the executor",
    "process": "in worker processes",
}


class LaneError(PolicyError):
    """Functions that were sent to a lane ran elsewhere, or nowhere."""


@dataclass
class Ran:
    """What ran on a lane, as Spark's record of its queries tells it.

    :param nodes: nodes of plans that ran Python functions
    :param sessions: Ember's sessions in them; Spark's runner counts none
    """

    lane: str
    nodes: int = 0
    sessions: int = 0

    def add(self, query: Query) -> None:
        """Count the nodes of a query.

        :raises LaneError: if any of them ran elsewhere
        """
        for node in query.nodes:
            if elsewhere := _elsewhere(self.lane, node):
                words = "; ".join([*elsewhere, *node.reasons, *query.stays])
                message = f"lane {self.lane!r}: {node.name} ran {words}"
                raise LaneError(message)
            self.nodes += 1
            self.sessions += node.in_executor + node.in_workers

    def proven(self) -> None:
        """See to it that something ran there.

        :raises LaneError: if Spark has no record of it
        """
        if not (self.nodes if self.lane == "Spark" else self.sessions):
            message = f"lane {self.lane!r}: Spark has no record of a function that ran there"
            raise LaneError(message)


@contextmanager
def on(spark: SparkSession, lane: str) -> Iterator[Ran]:
    """Send Python functions to a lane for a while, and tell afterwards what ran there.

    :raises LaneError: if a function ran elsewhere
    """
    before = {key: spark.conf.get(key, None) for key in LANES[lane]}
    ran, last = Ran(lane), last_number(spark)
    for key, value in LANES[lane].items():
        spark.conf.set(key, value)
    try:
        yield ran
    finally:
        for key, was in before.items():
            if was is None:
                spark.conf.unset(key)
            else:
                spark.conf.set(key, was)
    for query in queries_after(spark, last):
        ran.add(query)


def tried(spark: SparkSession, lane: str) -> None:
    """Run a function on a lane.

    :raises LaneError: if it did not run there
    """
    with on(spark, lane) as ran:
        spark.range(1).mapInArrow(_same, "id long").collect()
    ran.proven()


def _same(batches: Any) -> Any:
    return batches


def _elsewhere(lane: str, node: Node) -> list[str]:
    """Say where a node ran that was sent to a lane; nothing if it ran there alone."""
    many = {"embedded": node.in_executor, "process": node.in_workers, "Spark": node.on_spark}
    found = [
        f"{many[each]} sessions {_PLACES[each]}" for each in many if many[each] and each != lane
    ]
    if not found and lane != "Spark" and not node.name.startswith("Ember"):
        return [_PLACES["Spark"]]
    return found
