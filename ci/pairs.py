"""Reads pairs.txt: each Spark that there is a jar for, and the Pythons that it is tested with."""

from pathlib import Path

_TABLE = Path(__file__).with_name("pairs.txt")


def read() -> dict[str, tuple[str, ...]]:
    """Give the Pythons of each release, from the oldest Spark to the newest."""
    return {release: tuple(pythons) for release, _, *pythons in _rows()}


def spark_of(release: str) -> str:
    """Name what PySpark calls itself: 3.5.9 of 3.5.9_2.13."""
    return release.partition("_")[0]


def line_of(release: str) -> str:
    """Name the line of Spark that a release is of: 4.2 of 4.2.1."""
    return spark_of(release).rpartition(".")[0]


def jars() -> dict[str, str]:
    """Name the jar for each release, without its ending, from the oldest to the newest."""
    return {
        release: f"ember-spark-{line_of(release)}_{scala.rpartition('.')[0]}"
        for release, scala, *_ in _rows()
    }


def _rows() -> list[list[str]]:
    rows = (line.split() for line in _TABLE.read_text().splitlines())
    return [words for words in rows if words and words[0] != "#"]
