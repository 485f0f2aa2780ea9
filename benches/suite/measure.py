"""The order of runs: all legs in turn, one run each, over and over."""

from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from suite.driver import Driver
from suite.evidence import Node
from suite.legs import EMBER
from suite.workload import Workload


@dataclass
class Series:
    """All that one leg gave for one workload."""

    rows: int
    checksum: str
    walls: list[float] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)
    jvm_cpus: list[float] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)

    @property
    def cpu(self) -> float:
        """The median of the CPU seconds, JVM and Python together."""
        return median(self.cpus)

    @property
    def wall(self) -> float:
        """The median of the wall seconds."""
        return median(self.walls)

    def add(self, answer: dict[str, Any]) -> None:
        """Take in one measured run."""
        self.walls.append(answer["wall"])
        self.cpus.append(answer["jvm_cpu"] + answer["python_cpu"])
        self.jvm_cpus.append(answer["jvm_cpu"])
        self.nodes.extend(Node(**node) for node in answer["nodes"])


@dataclass(frozen=True)
class Ratio:
    """The best Spark leg by Ember: above 1, Ember is better. ``low`` and ``high`` are of pairs."""

    medians: float
    low: float
    high: float


@dataclass(frozen=True)
class Result:
    """One workload on all legs."""

    workload: Workload
    series: dict[str, Series]

    @property
    def identical(self) -> bool:
        """Whether every leg gave the rows of the reference leg."""
        return len({(one.rows, one.checksum) for one in self.series.values()}) == 1

    @property
    def vacuous(self) -> str:
        """Why the legs prove nothing about Ember, or nothing when they do."""
        for name, one in self.series.items():
            if not one.nodes:
                return f"{name}: no Python node was seen"
            if name == EMBER.name and not all(node.ours and node.embedded for node in one.nodes):
                return f"{name}: a run was not embedded{_reasons(one)}"
            if name != EMBER.name and any(node.ours for node in one.nodes):
                return f"{name}: an Ember node was there"
        return ""

    @property
    def best(self) -> str:
        """The Spark leg that used least CPU."""
        others = {name: one.cpu for name, one in self.series.items() if name != EMBER.name}
        return min(others, key=others.__getitem__)

    def ratio(self, of: Callable[[Series], list[float]]) -> Ratio | None:
        """Give the best Spark leg's median by Ember's, and the same run by run."""
        others = [of(one) for name, one in self.series.items() if name != EMBER.name]
        if EMBER.name not in self.series or not others:
            return None
        ember, best = of(self.series[EMBER.name]), min(others, key=median)
        pairs = [theirs / ours for theirs, ours in zip(best, ember, strict=True)]
        return Ratio(median(best) / median(ember), min(pairs), max(pairs))


def warm_all(drivers: list[Driver], workloads: list[Workload], runs: int) -> None:
    """Run every workload on every leg, unmeasured, so that no workload meets a cold JVM."""
    for workload in workloads:
        for driver in drivers:
            driver.ask("prepare", workload=workload.name)
            for _ in range(runs):
                driver.ask("run")


def measure(drivers: list[Driver], workload: Workload, warmups: int, runs: int) -> Result:
    """Check one workload's answers, then run it in turn on each leg, ``runs`` times."""
    series = {}
    for driver in drivers:
        driver.ask("prepare", workload=workload.name)
        series[driver.leg.name] = Series(**driver.ask("check"))
        for _ in range(warmups):
            driver.ask("run")
    for _ in range(runs):
        for driver in drivers:
            series[driver.leg.name].add(driver.ask("run"))
    return Result(workload, series)


def _reasons(series: Series) -> str:
    found = sorted({reason for node in series.nodes for reason in node.reasons})
    return f" ({', '.join(found)})" if found else ""
