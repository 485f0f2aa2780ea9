"""What was measured, and the figures that follow from it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from statistics import median
from typing import Any, Final

from suite.evidence import Node
from suite.legs import ARROW_LEGS, EMBER, EMBERS, PICKLED
from suite.warmth import Warmth
from suite.workload import Workload

RESAMPLES: Final = 2000


@dataclass
class Series:
    """All that one leg gave for one workload; ``peaks`` are of the runs for memory alone."""

    rows: int
    checksum: str
    walls: list[float] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)
    jvm_cpus: list[float] = field(default_factory=list)
    compiler_cpus: list[float] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    peaks: list[int] = field(default_factory=list)

    @property
    def cpu(self) -> float:
        """The median of the CPU seconds, JVM and Python together."""
        return median(self.cpus)

    @property
    def wall(self) -> float:
        """The median of the wall seconds."""
        return median(self.walls)

    @property
    def peak(self) -> int | None:
        """The largest memory that was seen, in bytes."""
        return max(self.peaks, default=None)

    @property
    def compiling(self) -> float:
        """Which part of the CPU time the JVM's compilers had, all runs together."""
        return sum(self.compiler_cpus) / sum(self.cpus)

    def add(self, answer: dict[str, Any]) -> None:
        """Take in one measured run."""
        self.walls.append(answer["wall"])
        self.cpus.append(answer["jvm_cpu"] + answer["python_cpu"])
        self.jvm_cpus.append(answer["jvm_cpu"])
        self.compiler_cpus.append(answer["compilers_cpu"])
        self.nodes.extend(Node(**node) for node in answer["nodes"])


@dataclass
class Limit:
    """The least that the workload can cost: its scan and sink alone, and its function alone."""

    scans: list[float] = field(default_factory=list)
    bares: list[float] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """CPU seconds of both, each a median."""
        return median(self.scans) + median(self.bares)


@dataclass(frozen=True)
class Ratio:
    """One leg's median by Ember's: above 1, Ember is better.

    Between ``low`` and ``high`` lie 95 in 100 ratios of rounds drawn again from those run.
    """

    medians: float
    low: float
    high: float

    @property
    def spread(self) -> float:
        """Half the width of that interval, as a part of the ratio."""
        return (self.high - self.low) / 2 / self.medians


@dataclass(frozen=True)
class Result:
    """One workload on all its legs."""

    workload: Workload
    series: dict[str, Series]
    limit: Limit | None = None
    warmth: dict[str, Warmth] = field(default_factory=dict)
    left_out: dict[str, float] = field(default_factory=dict)
    """Settings of Spark's that were far behind its best one: the CPU seconds that told it."""
    failures: list[str] = field(default_factory=list)
    """Runs of Spark's own that failed and were run again."""

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
            ours = name in EMBERS
            if ours and not all(node.ran_in_ember for node in one.nodes):
                return f"{name}: a run was not embedded{_reasons(one)}"
            # Now and then Ember tries a session in a worker: that is measured, and no median.
            if ours and 2 * sum(node.embedded > 0 for node in one.nodes) <= len(one.nodes):
                return f"{name}: most runs were in worker processes"
            if not ours and any(node.ours for node in one.nodes):
                return f"{name}: an Ember node was there"
            if name == PICKLED and any(node.name != "BatchEvalPython" for node in one.nodes):
                return f"{name}: rows were not pickled"
        return ""

    @property
    def best(self) -> str:
        """The Spark leg that used least CPU."""
        others = {name: self.series[name].cpu for name in ARROW_LEGS if name in self.series}
        return min(others, key=others.__getitem__, default="")

    def ratio(self, of: Callable[[Series], list[float]], against: str = "") -> Ratio | None:
        """Give the ratio of the leg ``against``, or of Spark's best for these figures, to Ember."""
        names = [against] if against else ARROW_LEGS
        others = [of(self.series[name]) for name in names if name in self.series]
        if EMBER.name not in self.series or not others:
            return None
        return _ratio(min(others, key=median), of(self.series[EMBER.name]))

    @property
    def over_limit(self) -> float | None:
        """How many times the limit Ember used."""
        if self.limit is None or EMBER.name not in self.series:
            return None
        return self.series[EMBER.name].cpu / self.limit.seconds


def _ratio(theirs: list[float], ours: list[float]) -> Ratio:
    """Resample rounds, not single runs: what slowed a round slowed all its legs."""
    random, rounds = Random(0), range(len(ours))
    ratios = []
    for _ in range(RESAMPLES):
        drawn = random.choices(rounds, k=len(ours))
        ratios.append(median(theirs[at] for at in drawn) / median(ours[at] for at in drawn))
    ratios.sort()
    low, high = ratios[RESAMPLES // 40], ratios[-1 - RESAMPLES // 40]
    return Ratio(median(theirs) / median(ours), low, high)


def _reasons(series: Series) -> str:
    found = sorted({reason for node in series.nodes for reason in node.reasons})
    return f" ({', '.join(found)})" if found else ""
