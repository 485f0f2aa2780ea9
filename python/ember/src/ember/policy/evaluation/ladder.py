"""The baseline ladder: one policy over the same rows by every kind of function, on every lane."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Final

from ember.policy.evaluation.part import Bench, Figure, Finding, Line, Part, Table
from ember.policy.evaluation.rows import fitted, generated, random_forest
from ember.policy.score import score

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pyspark.sql import DataFrame

    from ember.policy.score import Backend
    from ember.policy.trees import Forest

#: How a kind of function is called here, and by ``score``.
KINDS: Final[dict[str, Backend]] = {
    "row function": "row",
    "pandas function": "pandas",
    "mapInPandas": "map_pandas",
    "Arrow function": "arrow",
    "mapInArrow": "map_arrow",
}

_FEATURES: Final = 4

#: Of the rows that other functions get, so many fewer are enough for functions of one row.
_FEWER: Final = 4


@dataclass(frozen=True)
class Rung:
    """A kind of function on a lane."""

    kind: str
    lane: str

    @property
    def by_rows(self) -> bool:
        """Whether it is called for each row."""
        return self.kind == "row function"

    def __str__(self) -> str:
        """Name it as tables do."""
        return self.kind if self.lane == "Spark" else f"{self.kind}, {self.lane}"


def rungs(bench: Bench) -> list[Rung]:
    """Return all kinds on all lanes that there are."""
    return [Rung(kind, lane) for kind in KINDS for lane in bench.lanes]


def seconds(
    bench: Bench, forest: Forest, frames: Mapping[Rung, DataFrame]
) -> dict[Rung, list[float]]:
    """Time all rungs in turns, after one round that does not count."""
    taken: dict[Rung, list[float]] = {rung: [] for rung in frames}
    for at in range(bench.sizes.rounds + 1):
        for rung, frame in frames.items():
            with bench.on(rung.lane) as ran:
                spent = bench.seconds(score(frame, forest, backend=KINDS[rung.kind]))
            ran.proven()
            if at:
                taken[rung].append(spent)
    return taken


def stored(df: DataFrame, folder: Path) -> DataFrame:
    """Write rows to a file, and return them as they are read from it."""
    df.write.mode("overwrite").parquet(str(folder))
    return df.sparkSession.read.parquet(str(folder))


def _run(bench: Bench) -> Finding:
    many = bench.sizes.timed
    few = max(many // _FEWER, 1)
    rows = stored(generated(bench, many, _FEATURES), bench.scratch / "ladder")
    fewer = stored(generated(bench, few, _FEATURES), bench.scratch / "ladder-rows")
    forest = random_forest(fitted(fewer), trees=1, depth=3)
    frames = {rung: fewer if rung.by_rows else rows for rung in rungs(bench)}
    bench.say(f"{len(frames)} rungs, {bench.sizes.rounds} rounds of {many:,} rows")
    taken = seconds(bench, forest, frames)
    rates = {rung: (few if rung.by_rows else many) / median(spent) for rung, spent in taken.items()}
    first = next(iter(rates.values()))
    bars = Figure(
        "ladder",
        "Rows scored in a second, as a multiple of the row function on Spark",
        "",
        "multiple",
        [Line(lane, [], [rates[Rung(k, lane)] / first for k in KINDS]) for lane in bench.lanes],
        tuple(KINDS),
    )
    best = max(rates, key=lambda rung: rates[rung])
    summary = (
        f"the fastest of {len(rates)} is {best}: {rates[best] / first:.1f} times the row function"
    )
    return Finding(summary, [_table(taken, rates)], [bars])


def _table(taken: dict[Rung, list[float]], rates: dict[Rung, float]) -> Table:
    first = next(iter(rates.values()))
    return Table(
        "Rows scored in a second, and as a multiple of the row function on Spark",
        ("function", "lane", "rows", "rows/s", "multiple", "slowest by fastest round"),
        [
            (
                rung.kind,
                rung.lane,
                round(rate * median(taken[rung])),
                round(rate),
                round(rate / first, 2),
                round(max(taken[rung]) / min(taken[rung]), 2),
            )
            for rung, rate in rates.items()
        ],
    )


PART: Final = Part(
    "ladder", "How much faster is each kind of function than a function of one row?", _run
)
