"""Never slower: every workload on Ember's ``auto`` and on Spark's settings, for a number of slots.

The rounds alternate: each leg runs once in each, in an order that turns. A setting of Spark's that
is far behind another one in the warm-up is not the best one, and makes room for more rounds of the
others.
"""

import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, Final

from suite.driver import Driver
from suite.legs import ARROW_LEGS, EMBER, SPARK
from suite.measure import Bench
from suite.result import Ratio, Result, Series
from suite.workload import Workload

LEAST_ROUNDS: Final = 4
MOST_ROUNDS: Final = 25
FAR_BEHIND: Final = 1.25
#: A ratio may be below 1 by the spread of its own rounds, but by no more than this.
MOST_NOISE: Final = 0.1


@dataclass(frozen=True)
class Row:
    """One workload at one number of slots."""

    slots: int
    result: Result
    lanes: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def ratios(self) -> dict[str, Ratio]:
        """Give Spark's best by Ember's, by wall clock and by CPU time."""
        both = {
            "wall": self.result.ratio(lambda series: series.walls),
            "CPU": self.result.ratio(lambda series: series.cpus),
        }
        return {clock: ratio for clock, ratio in both.items() if ratio is not None}

    @property
    def unsound(self) -> str:
        """Why the row proves nothing, or nothing when it does."""
        if not self.result.identical:
            return "different answers"
        for name, series in self.result.series.items():
            good = [
                node.ran_in_ember if name == EMBER.name else not node.ours for node in series.nodes
            ]
            if not good or not all(good):
                return f"{name} ran on another way"
        return ""


@dataclass(frozen=True)
class Verdict:
    """One clock of one row, judged."""

    row: Row
    clock: str
    ratio: Ratio

    @property
    def noise(self) -> float:
        """The part by which the ratio may be below 1."""
        return min(self.ratio.spread, MOST_NOISE)

    @property
    def held(self) -> bool:
        """Whether Ember is at least as fast as Spark's best, within the noise of the rounds."""
        return not self.row.unsound and self.ratio.medians >= 1 - self.noise

    def __str__(self) -> str:
        """Say it in one line."""
        where = f"{self.row.result.workload.name} at {self.row.slots}"
        ratio = f"{self.ratio.medians:.2f} ({self.ratio.low:.2f} to {self.ratio.high:.2f})"
        why = self.row.unsound or f"{self.clock} {ratio}, at least 1 - {self.noise:.2f}"
        return f"{'held  ' if self.held else 'BROKEN'} {where}: {why}"


def judge(rows: list[Row]) -> list[Verdict]:
    """Judge both clocks of all rows."""
    return [
        Verdict(row, clock, ratio) for row in rows for clock, ratio in sorted(row.ratios().items())
    ]


def measure_row(bench: Bench, workload: Workload, slots: int, end: float) -> Row:
    """Compare the answers, warm up, and run rounds until ``end``, of ``time.monotonic``."""
    drivers = {leg: bench.legs[leg] for leg in (EMBER.name, *ARROW_LEGS) if leg in bench.legs}
    for driver in drivers.values():
        driver.ask("prepare", workload=workload.name)
    answers = {leg: drivers[leg].ask("check") for leg in (EMBER.name, SPARK.name)}
    walls = {leg: driver.run()["wall"] for leg, driver in drivers.items()}
    racing = {leg: drivers[leg] for leg in contenders(walls)}
    # Settings of the transfer change no answer: Spark's own stands for all of them.
    same = {leg: answers.get(leg, answers[SPARK.name]) for leg in racing}
    result = Result(workload, {leg: Series(**answer) for leg, answer in same.items()})
    rounds = 0
    while rounds < LEAST_ROUNDS or (time.monotonic() < end and rounds < MOST_ROUNDS):
        _round(racing, result, rounds)
        rounds += 1
    failures = [why for driver in drivers.values() for why in driver.told()]
    return Row(slots, result, lanes_of(result.series[EMBER.name]), failures)


def contenders(walls: dict[str, float]) -> list[str]:
    """Leave out the settings of Spark's that are far behind its best."""
    best = min(wall for leg, wall in walls.items() if leg != EMBER.name)
    return [leg for leg, wall in walls.items() if leg == EMBER.name or wall < best * FAR_BEHIND]


def lanes_of(series: Series) -> dict[str, int]:
    """Count Ember's sessions by lane and by what chose it, all rounds together."""
    choices: Counter[str] = Counter()
    for node in series.nodes:
        choices.update(node.choices)
    return {
        "executor": sum(node.embedded for node in series.nodes),
        "workers": sum(node.in_workers for node in series.nodes),
        **choices,
    }


def _round(racing: dict[str, Driver], result: Result, number: int) -> None:
    legs = list(racing)
    if number % 2:
        legs.reverse()
    for leg in legs:
        result.series[leg].add(racing[leg].run())


def document(rows: list[Row]) -> list[dict[str, Any]]:
    """Give every sample, with the ratios that follow."""
    return [
        {
            "slots": row.slots,
            "workload": row.result.workload.name,
            "unsound": row.unsound,
            "lanes": row.lanes,
            "failures": row.failures,
            "ratios": {clock: asdict(ratio) for clock, ratio in row.ratios().items()},
            "legs": {leg: asdict(series) for leg, series in row.result.series.items()},
        }
        for row in rows
    ]


def table(rows: list[Row]) -> list[str]:
    """Write the rows as Markdown."""
    heads = ["slots", "workload", "rounds", "executor / workers", "best Spark", "Ember wall s"]
    heads += ["Spark wall s", "wall ratio", "CPU ratio", "held"]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return [*lines, *("| " + " | ".join(_cells(row)) + " |" for row in rows), ""]


def _cells(row: Row) -> list[str]:
    ours = row.result.series[EMBER.name]
    sparks = {leg: one for leg, one in row.result.series.items() if leg != EMBER.name}
    best = min(sparks, key=lambda leg: sparks[leg].wall if sparks[leg].walls else 0.0)
    verdicts = judge([row])
    ratios = {one.clock: one.ratio for one in verdicts}
    return [
        str(row.slots),
        row.result.workload.name,
        str(len(ours.walls)),
        f"{row.lanes['executor']} / {row.lanes['workers']}",
        best,
        f"{ours.wall:.3f}",
        f"{sparks[best].wall:.3f}",
        *(
            f"{r.medians:.2f} ({r.low:.2f} to {r.high:.2f})"
            for r in (ratios["wall"], ratios["CPU"])
        ),
        row.unsound or ("yes" if all(one.held for one in verdicts) else "NO"),
    ]


def failures_of(rows: list[Row]) -> list[str]:
    """Say which runs of Spark's own failed and were run again."""
    return [
        f"- FAILED, and run again: {row.result.workload.name} at {row.slots}: {why}"
        for row in rows
        for why in row.failures
    ]


def noise_of(rows: list[Row]) -> str:
    """Say how far rounds of the same leg lie apart."""
    spreads = [one.ratio.spread for one in judge(rows)]
    if not spreads:
        return "nothing was measured"
    middle, most = median(spreads), max(spreads)
    return f"half an interval is {middle:.3f} of its ratio in the middle, {most:.3f} at most"
