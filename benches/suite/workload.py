"""What one workload is: an input, a function over it, and words for the table."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pyspark.sql import DataFrame

RECORDS: Final = 100_000


@dataclass(frozen=True)
class Workload:
    """One function over one input.

    ``apply`` gets a frame that holds the column ``id`` and ``columns``, and gives back ``id`` with
    the results, so that a result that slipped to another row changes the checksum.
    ``columns`` name parts of the generated records; without any, the input is ``rows`` longs.
    """

    name: str
    kind: str
    apply: Callable[[DataFrame], DataFrame]
    columns: tuple[str, ...] = ()
    rows: int = RECORDS
