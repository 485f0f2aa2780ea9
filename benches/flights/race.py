"""One question, asked of Spark's runner and of Ember in turn, in one session."""

import time
from dataclasses import dataclass, field
from statistics import median

from pyspark.sql import DataFrame, SparkSession

from flights.compare import difference
from flights.data import FLIGHTS
from flights.functions import Question
from suite.evidence import Node, python_nodes


@dataclass
class Side:
    """The runs of one side."""

    seconds: list[float] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)


@dataclass(frozen=True)
class Race:
    """What came of one question."""

    question: Question
    rows: int
    spark: Side
    ember: Side
    different: str

    @property
    def ratio(self) -> float:
        """Spark's median time by Ember's: above 1, Ember is faster."""
        return median(self.spark.seconds) / median(self.ember.seconds)

    @property
    def vacuous(self) -> str:
        """Why the race proves nothing, or nothing when it does."""
        if not self.ember.nodes or not all(node.ran_embedded for node in self.ember.nodes):
            reasons = sorted({reason for node in self.ember.nodes for reason in node.reasons})
            return f"a node did not run embedded: {', '.join(reasons) or 'no reason was given'}"
        if not self.spark.nodes or any(node.embedded for node in self.spark.nodes):
            return "Spark's side did not run on Spark's runner"
        return ""


def race(
    spark: SparkSession, flights: DataFrame, question: Question, warmups: int, runs: int
) -> Race:
    """Compare both answers in full, then run both sides in turn."""
    sides = {False: Side(), True: Side()}
    answers = {}
    for embedded, side in sides.items():
        _switch(spark, on=embedded)
        answers[embedded] = question.ask(flights).toArrow()
        side.nodes += python_nodes(spark)
    for at in range(warmups + runs):
        for embedded, side in sides.items():
            _switch(spark, on=embedded)
            frame = question.ask(flights)
            start = time.perf_counter()
            frame.write.format("noop").mode("overwrite").save()
            took = time.perf_counter() - start
            if at >= warmups:
                side.seconds.append(took)
                side.nodes += python_nodes(spark)
    different = difference(answers[False], answers[True])
    return Race(question, FLIGHTS, sides[False], sides[True], different)


def _switch(spark: SparkSession, *, on: bool) -> None:
    spark.conf.set("spark.ember.enabled", str(on).lower())
