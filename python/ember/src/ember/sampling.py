"""Flame graphs of what Spark does: Java's and Python's frames in one picture, while a query runs.

The plugin looks at its tasks and joins the stacks; here they are asked for and drawn.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pyspark.errors import AnalysisException

from ember import flames
from ember.errors import EmberError, condition_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import Row, SparkSession

_ABSENT: Final = "UNRESOLVABLE_TABLE_VALUED_FUNCTION"


class Samples:
    """What was seen, once the block has ended."""

    def __init__(self, path: Path) -> None:
        #: Where the picture is.
        self.path = path
        #: Seconds by stack: frames joined by ``;``, the outermost first.
        self.stacks: dict[str, float] = {}

    @property
    def seconds(self) -> float:
        """How much time of tasks is in the picture, added up."""
        return sum(self.stacks.values())


@contextmanager
def flamegraph(
    spark: SparkSession, path: str | Path = "flamegraph.html", *, milliseconds: int = 10
) -> Iterator[Samples]:
    """Draw what the tasks of an application do while the block runs.

    With a path that ends in ``.html`` it is a page to look into, which needs no network; with
    ``.folded`` it is text for other tools, a line for each stack with its microseconds.

    >>> with ember.flamegraph(spark, "query.html"):
    ...     frame.collect()

    Parameters
    ----------
    spark
        Any session of an application with a local master that has Ember.
    path
        Where the picture goes. It is written although the block fails.
    milliseconds
        How often is looked: from 1 to 1000.

    Raises
    ------
    EmberError
        The session is without Ember, its tasks run in other processes, somebody else draws, or the
        path ends in another way.
    """
    draw = flames.drawing(Path(path))
    samples = Samples(Path(path))
    _ask(spark, f"ember_start_sampling('{milliseconds:d}')")
    try:
        yield samples
    finally:
        rows = _ask(spark, "ember_stop_sampling()")
        samples.stacks = {row.stack: row.nanoseconds / 1e9 for row in rows}
        draw(samples.stacks)


def _ask(spark: SparkSession, function: str) -> list[Row]:
    """Return the rows of a table function of the plugin's, or raise what it says is the problem."""
    try:
        rows = spark.sql(f"SELECT * FROM {function}").collect()  # noqa: S608 - our own words
    except AnalysisException as error:
        if condition_of(error) != _ABSENT:
            raise
        message = (
            "this session is without Ember, or with one that cannot sample: make it with "
            "ember.session()"
        )
        raise EmberError(message) from None
    for row in rows:
        if row.problem is not None:
            raise EmberError(row.problem)
    return rows
