"""What one workload is: an input, a function over it, and words for the table."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from pyspark.sql import DataFrame

RECORDS: Final = 100_000
MILLION: Final = 1_000_000
BATCH: Final = 10_000
ALL_LEGS: Final = ("ember", "spark", "pipelined", "unix")


@dataclass(frozen=True)
class Workload:
    """One function over one input.

    ``apply`` gets a frame that holds the column ``id`` and ``columns``, and gives back ``id`` with
    the results, so that a result that slipped to another row changes the checksum.
    ``columns`` name parts of the generated table ``source``; without any, the input is ``rows``
    longs. ``functions`` are what ``apply`` wraps, to be run bare over the same columns.
    ``counted`` names what the row is to be divided by: ``times`` batches or tasks.
    """

    name: str
    kind: str
    apply: Callable[[DataFrame], DataFrame]
    functions: tuple[Callable[..., Any], ...]
    columns: tuple[str, ...] = ()
    rows: int = RECORDS
    source: str = "records"
    legs: tuple[str, ...] = ALL_LEGS
    batch: int = BATCH
    partitions: int | None = None
    counted: str = ""
    times: int = 0

    @property
    def arguments(self) -> tuple[str, ...]:
        """The columns that a scalar function gets, in order."""
        return self.columns or ("id",)
