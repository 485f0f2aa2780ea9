"""Promises about the figures, and what breaks them.

A promise names workloads (or groups of them) and a bound on one measure. Where it cannot hold, a
floor stands in its place for one workload, with the reason. Nothing can be better than its floor,
so a ratio reaches one if the interval of the run does. A workload that was not measured breaks its
promise: silence proves nothing.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from math import exp, fsum, log
from pathlib import Path
from statistics import median
from typing import Any, Final

from suite.legs import ARROW_LEGS, EMBER, SPARK
from suite.workloads import WORKLOADS, named

FILE: Final = Path(__file__).resolve().parents[1] / "promises.toml"
MEASURES: Final = (
    "cpu ratio",
    "mean cpu ratio",
    "ns over limit",
    "over limit",
    "fixed cost",
    "memory",
)
AT_LEAST: Final = ("cpu ratio", "mean cpu ratio")

#: What a scan and its sink cost a row, in ns of CPU time, where "over limit" was promised.
SCAN_NS: Final = 140

Document = dict[str, Any]


class BadPromiseError(Exception):
    """The file of promises says something that cannot be judged."""

    def __init__(self, measure: str, what: list[str]) -> None:
        """Say what cannot."""
        super().__init__(f"a promise of {measure!r} cannot be judged: {', '.join(what) or 'empty'}")


@dataclass(frozen=True)
class Floor:
    """The bound that stands for a promise that cannot hold, and what forbids it."""

    bound: float
    why: str


@dataclass(frozen=True)
class Promise:
    """A bound on a measure of every workload named: ratios reach it, all else stays under it."""

    measure: str
    workloads: tuple[str, ...]
    bound: float
    against: str
    floors: dict[str, Floor]

    def __post_init__(self) -> None:
        """Refuse what could never be broken."""
        unknown = {*self.workloads, *self.floors} - {*WORKLOADS, "mean"}
        if self.measure not in MEASURES or unknown or not self.workloads:
            raise BadPromiseError(self.measure, sorted(unknown))
        if any(not floor.why.strip() for floor in self.floors.values()):
            raise BadPromiseError(self.measure, ["a floor without a reason"])


@dataclass(frozen=True)
class Verdict:
    """One promise about one workload, judged; without a value there was nothing to judge."""

    promise: Promise
    workload: str
    value: float | None
    why_not: str = ""
    high: float = 0.0
    """The upper end of what the run leaves open, for ratios."""

    @property
    def bound(self) -> float:
        """What has to hold: the floor where there is one."""
        floor = self.promise.floors.get(self.workload)
        return floor.bound if floor else self.promise.bound

    @property
    def held(self) -> bool:
        """Whether it does."""
        if self.value is None or self.why_not:
            return False
        at_floor = self.workload in self.promise.floors
        reached = max(self.value, self.high if at_floor else 0.0) >= self.bound
        return reached if self.promise.measure in AT_LEAST else self.value <= self.bound

    def __str__(self) -> str:
        """Say it in one line."""
        against = f" against {self.promise.against}" if self.promise.against else ""
        side = "at least" if self.promise.measure in AT_LEAST else "at most"
        value = self.why_not or ("not measured" if self.value is None else f"{self.value:.2f}")
        floor = self.promise.floors.get(self.workload)
        note = f" (a floor; promised was {self.promise.bound:g}: {floor.why})" if floor else ""
        line = f"{self.workload}: {self.promise.measure}{against} {value}, {side} {self.bound:g}"
        return f"{'held  ' if self.held else 'BROKEN'} {line}{note}"


def load(file: Path = FILE) -> list[Promise]:
    """Read the promises."""
    return [
        Promise(
            entry["measure"],
            tuple(workload for name in entry["workloads"] for workload in named(name)),
            entry["bound"],
            entry.get("against", ""),
            {name: Floor(**floor) for name, floor in entry.get("floor", {}).items()},
        )
        for entry in tomllib.loads(file.read_text())["promise"]
    ]


def promised(promises: list[Promise]) -> list[str]:
    """Give every workload that a promise needs, in the order of the table."""
    wanted = {workload for promise in promises for workload in promise.workloads}
    return [name for name in WORKLOADS if name in wanted]


def judge(document: Document, promises: list[Promise]) -> list[Verdict]:
    """Judge a run by its ``result.json``."""
    results = {result["workload"]: result for result in document["results"]}
    return [verdict for promise in promises for verdict in _judged(promise, results)]


def _judged(promise: Promise, results: Document) -> Iterator[Verdict]:
    if promise.measure == "mean cpu ratio":
        values = [_value(promise, results.get(name)) for name in promise.workloads]
        known = [value for value in values if value is not None]
        whole = len(known) == len(values)
        yield Verdict(promise, "mean", exp(fsum(map(log, known)) / len(known)) if whole else None)
        return
    for name in promise.workloads:
        result = results.get(name)
        ratio = _ratio(promise, result) or {"high": 0.0}
        yield Verdict(promise, name, _value(promise, result), _unsound(result), ratio["high"])


def _value(promise: Promise, result: Document | None) -> float | None:
    """Give the measured value, or nothing where something of it is missing."""
    if result is None or _unsound(result):
        return None
    if promise.measure in ("ns over limit", "over limit"):
        return _over_limit(promise, result)
    if promise.measure == "fixed cost":
        return _fixed_cost(result)
    if promise.measure == "memory":
        peaks = result.get("peaks", {})
        ours, theirs = peaks.get(EMBER.name), peaks.get(SPARK.name)
        return ours / theirs if ours and theirs else None
    ratio = _ratio(promise, result)
    return float(ratio["medians"]) if ratio else None


def _ratio(promise: Promise, result: Document | None) -> Document | None:
    """Give the ratio that the promise is about, with its interval."""
    if result is None or promise.measure not in AT_LEAST:
        return None
    ratio: Document | None = result.get("cpu_ratios", {}).get(promise.against or "best")
    return ratio


def _over_limit(promise: Promise, result: Document) -> float | None:
    """Give what a row costs beside the limit, in ns of CPU time, or as a part of it.

    The limit is the function alone with the run's scan and sink, or with those of `SCAN_NS`.
    """
    limit, ours = result.get("limit"), result.get("legs", {}).get(EMBER.name)
    if not limit or not ours:
        return None
    row = int(ours["rows"]) / 1e9
    alone = float(median(limit["bares"])) / row
    beside = float(median(ours["cpus"]) - median(limit["scans"])) / row - alone
    if promise.measure == "ns over limit":
        return beside
    return (SCAN_NS + alone + beside) / (SCAN_NS + alone)


def _fixed_cost(result: Document) -> float | None:
    """Give what Ember costs beside scan, sink and function, as a part of Spark's best setting."""
    limit, legs = result.get("limit"), result.get("legs", {})
    theirs = [median(legs[name]["cpus"]) for name in ARROW_LEGS if name in legs]
    if not limit or EMBER.name not in legs or not theirs:
        return None
    alone = median(limit["scans"]) + median(limit["bares"])
    return float((median(legs[EMBER.name]["cpus"]) - alone) / (min(theirs) - alone))


def _unsound(result: Document | None) -> str:
    if result is None:
        return ""
    if not result["identical"]:
        return "different answers"
    return f"proves nothing: {result['vacuous']}" if result["vacuous"] else ""
