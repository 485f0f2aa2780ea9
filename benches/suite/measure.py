"""The order of runs: all legs in turn, one run each, over and over."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from suite.driver import Driver
from suite.legs import ARROW_LEGS, EMBER, LEGS, SHARED, SPARK
from suite.memory import Peak
from suite.result import Limit, Result, Series
from suite.warmth import Warmth, warm_up
from suite.workload import Workload

LEAST_RUNS: Final = 5
LATE_RUNS: Final = 3
MOST_RUNS: Final = 61

#: Rounds after which a ratio is known, if half its interval is no larger than this part of it.
NARROW_RUNS: Final = 9
NARROW: Final = 0.01

#: A setting that takes so many times the CPU time of Spark's best one cannot be it: judged by the
#: first run, and when both are warm.
COLD_BEHIND: Final = 3.0
WARM_BEHIND: Final = 1.25

#: Runs of each workload over a few rows, before any is measured.
PLANS: Final = 12

#: What the promise compares.
MEMORY_LEGS: Final = (EMBER.name, SPARK.name)


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
    """How often each leg runs: unmeasured at most, timed, and for its memory alone.

    With a ``deadline`` (of ``time.monotonic``), workloads share the time that is left evenly, so
    that short ones run more often.
    """

    warmups: int
    runs: int
    memory_runs: int
    deadline: float | None = None
    #: Whether settings of Spark's that are far behind its best one are measured as well.
    every_leg: bool = False


@dataclass(frozen=True)
class Cold:
    """What the first run of a workload took: seconds of all legs together, CPU seconds of each."""

    seconds: float
    cpus: dict[str, float]


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


def warm_all(bench: Bench, workloads: list[Workload], plans: int = PLANS) -> dict[str, Cold]:
    """Run every workload on every leg, unmeasured, so that none meets a cold JVM.

    Most of what a JVM compiles for long is what plans and starts a query, which a run over a few
    rows does as well as a whole one.
    """
    found = {}
    for workload in workloads:
        prepare(bench, workload)
        drivers = bench.drivers(workload)
        start = time.monotonic()
        answers = together(drivers, Driver.run)
        cpus = {name: answer["jvm_cpu"] + answer["python_cpu"] for name, answer in answers.items()}
        found[workload.name] = Cold(time.monotonic() - start, cpus)
        if not workload.partitions:
            order = {"workload": workload.name, "times": plans}
            together(drivers, lambda driver, order=order: driver.insist("plan", **order))
    return found


def measure(
    bench: Bench, workload: Workload, effort: Effort, cold: Cold, still_to_come: int
) -> Result:
    """Check a workload's answers, warm it up, then run it in turn on each leg and at its limit."""
    end = _share(effort, still_to_come)
    slow = {} if effort.every_leg else behind(cold.cpus, COLD_BEHIND)
    drivers = _without(bench.drivers(workload), slow)
    prepare(bench, workload)
    answers = together(drivers, lambda driver: driver.insist("check"))
    warmth = _warm(bench, drivers, effort.warmups)
    if effort.warmups and not effort.every_leg:
        slow |= behind({name: one.cpu for name, one in warmth.items()}, WARM_BEHIND)
    drivers = _without(drivers, slow)
    series = {name: Series(**answers[name]) for name in drivers}
    result = Result(workload, series, Limit(), warmth, slow)
    _rounds(bench, drivers, result, effort, end)
    for name, driver in drivers.items():
        for _ in range(effort.memory_runs if name in MEMORY_LEGS else 0):
            with Peak(bench.jvms[name]) as peak:
                driver.run()
            result.series[name].peaks.append(peak.most)
    result.failures.extend(why for driver in drivers.values() for why in driver.told())
    return result


def together(drivers: dict[str, Driver], ask: Callable[[Driver], Any]) -> dict[str, Any]:
    """Ask all drivers at once what is not measured by the clock."""
    with ThreadPoolExecutor(max_workers=len(drivers)) as pool:
        return dict(zip(drivers, pool.map(ask, drivers.values()), strict=True))


def prepare(bench: Bench, workload: Workload) -> None:
    """Make the workload ready in every child that takes part."""
    for driver in (*bench.drivers(workload).values(), bench.bare):
        driver.ask("prepare", workload=workload.name)


def behind(cpus: dict[str, float], times: float) -> dict[str, float]:
    """Give the settings of Spark's that took so many times the CPU seconds of its best one."""
    sparks = {name: cpu for name, cpu in cpus.items() if name in ARROW_LEGS}
    best = min(sparks.values(), default=0.0)
    return {name: cpu for name, cpu in sparks.items() if cpu > times * best}


def _without(drivers: dict[str, Driver], left_out: dict[str, float]) -> dict[str, Driver]:
    return {name: driver for name, driver in drivers.items() if name not in left_out}


def _warm(bench: Bench, drivers: dict[str, Driver], most: int) -> dict[str, Warmth]:
    """Warm up all legs at once, and the scan that the first one runs beside."""

    def one(driver: Driver) -> Warmth:
        warmth = warm_up(driver.run, most)
        if driver is first:
            warm_up(lambda: driver.ask("scan"), most)
        return warmth

    first = next(iter(drivers.values()))
    if most:
        bench.bare.ask("run")
    return together(drivers, one)


def _rounds(
    bench: Bench, drivers: dict[str, Driver], result: Result, effort: Effort, end: float | None
) -> None:
    """Run rounds until there are enough, or until the ratio's interval is narrow."""
    start, done, most = time.monotonic(), 0, effort.runs if end is None else LEAST_RUNS
    while done < most:
        _round(bench, drivers, result)
        done += 1
        if end is not None and done >= LATE_RUNS:
            took = (time.monotonic() - start) / done
            most = NARROW_RUNS if _narrow(result) else runs_for(effort, took, start, end)


def _round(bench: Bench, drivers: dict[str, Driver], result: Result) -> None:
    """Run every leg once, the scan alone (on the first leg) and the bare function."""
    for name, driver in drivers.items():
        result.series[name].add(driver.run())
    scan = next(iter(drivers.values())).ask("scan")
    if result.limit is not None:
        result.limit.scans.append(scan["jvm_cpu"] + scan["python_cpu"])
        result.limit.bares.append(bench.bare.ask("run")["cpu"])


def _narrow(result: Result) -> bool:
    ratio = result.ratio(lambda series: series.cpus)
    return ratio is not None and ratio.spread <= NARROW


def _share(effort: Effort, still_to_come: int) -> float | None:
    """Give the moment at which this workload should be done."""
    if effort.deadline is None:
        return None
    now = time.monotonic()
    return now + (effort.deadline - now) / still_to_come


def runs_for(effort: Effort, round_took: float, start: float, end: float) -> int:
    """Give the number of timed rounds that fit between two moments, beside the runs for memory."""
    if effort.deadline is not None and start > effort.deadline:
        return LATE_RUNS
    fit = (end - start) / max(round_took, 0.001) - 0.6 * effort.memory_runs
    return min(MOST_RUNS, max(LEAST_RUNS, int(fit)))
