"""Reads pairs.txt: each Spark that there is a jar for, and the Pythons that it is tested with."""

from pathlib import Path

_TABLE = Path(__file__).with_name("pairs.txt")


def read() -> dict[str, tuple[str, ...]]:
    """Give the Pythons of each release, from the oldest Spark to the newest."""
    lines = (line.split() for line in _TABLE.read_text().splitlines())
    return {words[0]: tuple(words[1:]) for words in lines if words and words[0] != "#"}


def line_of(release: str) -> str:
    """Name the line of Spark that a release is of: 4.2 of 4.2.1."""
    return release.rpartition(".")[0]


def lines() -> list[str]:
    """Name the lines that there is a jar for, from the oldest to the newest."""
    return [line_of(release) for release in read()]
