"""The order of runs: all legs in turn, one run each, over and over."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import Final

from suite.driver import Driver
from suite.legs import LEGS, SHARED
from suite.memory import Peak
from suite.result import Limit, Result, Series
from suite.workload import Workload

LEAST_RUNS: Final = 5
LATE_RUNS: Final = 3
MOST_RUNS: Final = 31


@dataclass
class Bench:
    """The running children: a Spark driver for each leg, and one Python without Spark."""

    legs: dict[str, Driver]
    bare: Driver
    jvms: dict[str, int] = field(default_factory=dict)

    def drivers(self, workload: Workload) -> dict[str, Driver]:
        """Give the drivers of the legs that this workload runs on."""
        return {name: self.legs[name] for name in workload.legs if name in self.legs}


@dataclass(frozen=True)
class Effort:
    """How often each leg runs: unmeasured, timed, and for its memory alone.

    With a ``deadline`` (of ``time.monotonic``), workloads share the time that is left evenly, so
    that short ones run more often.
    """

    warmups: int
    runs: int
    memory_runs: int
    deadline: float | None = None


@contextmanager
def started(
    legs: list[str], tables: dict[str, str], slots: int, scale: float, folder: Path
) -> Iterator[Bench]:
    """Start every child before the first is waited for; end them all."""
    drivers: list[Driver] = []
    shared = {"tables": tables, "scale": scale, "slots": slots}
    try:
        for name in legs:
            settings = SHARED | LEGS[name].settings
            drivers.append(
                Driver(name, "suite.child", folder, leg=name, settings=settings, **shared)
            )
        bare = Driver("bare", "suite.bare", folder, **shared)
        bench = Bench(dict(zip(legs, drivers, strict=True)), bare)
        drivers.append(bare)
        for name, driver in bench.legs.items():
            bench.jvms[name] = driver.ask("hello")["jvm"]
        yield bench
    finally:
        for driver in drivers:
            driver.close()


def warm_all(bench: Bench, workloads: list[Workload]) -> dict[str, float]:
    """Run every workload on every leg, unmeasured, so that none meets a cold JVM.

    Give the seconds that a round of each took: more than a warm one will.
    """
    seconds = {}
    for workload in workloads:
        prepare(bench, workload)
        start = time.monotonic()
        for driver in bench.drivers(workload).values():
            driver.ask("run")
        seconds[workload.name] = time.monotonic() - start
    return seconds


def measure(bench: Bench, workload: Workload, effort: Effort, still_to_come: int) -> Result:
    """Check one workload's answers, then run it in turn on each leg and at its limit."""
    end = _share(effort, still_to_come)
    drivers = bench.drivers(workload)
    prepare(bench, workload)
    result = Result(
        workload,
        {name: Series(**driver.ask("check")) for name, driver in drivers.items()},
        Limit(),
    )
    round_took = 0.0
    for _ in range(effort.warmups):
        start = time.monotonic()
        _round(bench, result, kept=False)
        round_took = time.monotonic() - start
    for _ in range(runs_for(effort, round_took, end)):
        _round(bench, result, kept=True)
    for name, driver in drivers.items():
        for _ in range(effort.memory_runs):
            with Peak(bench.jvms[name]) as peak:
                driver.ask("run")
            result.series[name].peaks.append(peak.most)
    return result


def prepare(bench: Bench, workload: Workload) -> None:
    """Make the workload ready in every child that takes part."""
    for driver in (*bench.drivers(workload).values(), bench.bare):
        driver.ask("prepare", workload=workload.name)


def _round(bench: Bench, result: Result, *, kept: bool) -> None:
    """Run every leg once, the scan alone (on the first leg) and the bare function."""
    drivers = bench.drivers(result.workload)
    answers = {name: driver.ask("run") for name, driver in drivers.items()}
    scan = next(iter(drivers.values())).ask("scan")["cpu"]
    bare = bench.bare.ask("run")["cpu"]
    if kept and result.limit is not None:
        for name, answer in answers.items():
            result.series[name].add(answer)
        result.limit.scans.append(scan)
        result.limit.bares.append(bare)


def _share(effort: Effort, still_to_come: int) -> float | None:
    """Give the moment at which this workload should be done."""
    if effort.deadline is None:
        return None
    now = time.monotonic()
    return now + (effort.deadline - now) / still_to_come


def runs_for(effort: Effort, round_took: float, end: float | None) -> int:
    """Give the number of timed rounds that fit beside the runs for memory."""
    if end is None:
        return effort.runs
    now = time.monotonic()
    if effort.deadline is not None and now > effort.deadline:
        return LATE_RUNS
    fit = (end - now) / max(round_took, 0.001) - 1.2 * effort.memory_runs
    return min(MOST_RUNS, max(LEAST_RUNS, ceil(fit) - 1))
