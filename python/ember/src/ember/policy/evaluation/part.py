"""What a part of the evaluation is given, and what it answers."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ember.policy.evaluation.lanes import on

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

    from ember.policy.evaluation.lanes import Ran


@dataclass(frozen=True)
class Sizes:
    """How much is done: rows of what is timed, rows of what is compared, rounds, and trees."""

    timed: int
    compared: int
    rounds: int
    trees: int


SIZES: Final = {
    "tiny": Sizes(timed=2_000, compared=600, rounds=1, trees=2),
    "small": Sizes(timed=1_000_000, compared=20_000, rounds=3, trees=20),
    "full": Sizes(timed=10_000_000, compared=200_000, rounds=3, trees=100),
}


@dataclass(frozen=True)
class Bench:
    """A Spark, the lanes that it has, how much to do, and a folder for what is made on the way."""

    spark: SparkSession
    lanes: tuple[str, ...]
    sizes: Sizes
    scratch: Path
    hillstrom: Path | None = None
    started: float = field(default_factory=time.monotonic)

    def say(self, words: str) -> None:
        """Show how far it is."""
        seconds = time.monotonic() - self.started
        print(f"[{seconds:7.1f} s] {words}", file=sys.stderr, flush=True)  # noqa: T201

    def on(self, lane: str) -> AbstractContextManager[Ran]:
        """Send Python functions to a lane for a while, and see to it that none ran elsewhere."""
        return on(self.spark, lane)

    def seconds(self, frame: DataFrame) -> float:
        """Compute all rows of a frame, keep none, and say how long that took."""
        start = time.monotonic()
        frame.write.format("noop").mode("overwrite").save()
        return time.monotonic() - start


@dataclass(frozen=True)
class Table:
    """Rows of text and numbers under names."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str | float, ...]]


@dataclass(frozen=True)
class Line:
    """A line of a figure."""

    label: str
    x: list[float]
    y: list[float]


@dataclass(frozen=True)
class Figure:
    """Lines over an axis, or bars where the axis has ``names``; ``name`` is that of its file."""

    name: str
    title: str
    x: str
    y: str
    lines: list[Line]
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """What a part found. ``wrong`` has a line for whatever was not as it is promised."""

    summary: str
    tables: list[Table]
    figures: list[Figure] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return asdict(self)


@dataclass(frozen=True)
class Part:
    """A part of the evaluation: its name on the command line, what it asks, and who answers."""

    name: str
    question: str
    run: Callable[[Bench], Finding]
