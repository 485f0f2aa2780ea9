"""Which way batches come to Python, measured on some rows of the frame."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Final, Literal

import pandas as pd
import pyarrow as pa

from ember.policy.inputs import encoded
from ember.policy.kernel import library

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import DataFrame

    from ember.policy.models import Policy, Scorer

#: Rows that are measured, at most, and how often.
ROWS: Final = 2_000
TIMES: Final = 5


@dataclass(frozen=True)
class Choice:
    """A backend, why it was chosen, and the seconds that each took for the measured rows."""

    backend: Literal["arrow", "pandas"]
    reason: str
    seconds: dict[str, float]


def choose(df: DataFrame, policy: Policy) -> Choice:
    """Measure both backends on a few rows, here on the driver, and say which is faster.

    What is measured is what they do to a batch: the policy itself, and for pandas the conversions
    there and back. Streams have no rows to measure: they get Arrow.
    """
    if df.isStreaming:
        return Choice("arrow", "a stream, of which no row can be measured", {})
    columns = [
        each.alias(f"_{at}") for at, each in enumerate(encoded(df, policy.manifest.features))
    ]
    table = df.select(*columns).limit(ROWS).toArrow().combine_chunks()
    if table.num_rows == 0:
        return Choice("arrow", "no rows to measure", {})
    path = library()
    scorer = policy.scorer(None if path is None else str(path))
    seconds = {"arrow": _least(lambda: _arrow(scorer, table))}
    seconds["pandas"] = _least(lambda: _pandas(scorer, table))
    best: Literal["arrow", "pandas"] = "pandas" if seconds["pandas"] < seconds["arrow"] else "arrow"
    each = ", ".join(
        f"{name} {1e9 * taken / table.num_rows:,.0f}" for name, taken in seconds.items()
    )
    how = "by numpy" if path is None else "by the native kernel where it applies"
    reason = f"nanoseconds a row, measured on {table.num_rows:,} rows, {how}: {each}"
    return Choice(best, reason, seconds)


def _least(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(TIMES):
        start = perf_counter()
        work()
        taken.append(perf_counter() - start)
    return min(taken)


def _arrow(scorer: Scorer, table: pa.Table) -> object:
    return pa.array(scorer([column.chunk(0) for column in table.columns]).ravel())


def _pandas(scorer: Scorer, table: pa.Table) -> object:
    frame = table.to_pandas()
    arrays = [
        pa.array(frame.iloc[:, at], field.type, from_pandas=True)
        for at, field in enumerate(table.schema)
    ]
    return pa.array(pd.Series(list(scorer(arrays))))
