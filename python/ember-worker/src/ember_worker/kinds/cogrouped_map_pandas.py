"""``applyInPandas`` over cogroups (206): each side's groups are made and converted together.

The rows of both sides lie in one batch, those of a cogroup behind one another, and in each row the
other side's columns are null. Here the rows of each side are put together first; from then on a
side is a batch of many groups, as ``grouped_map_pandas`` has them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from ember_worker.kinds import pandas_groups

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np


class _InTurn:
    """Cuts the rows of one side, whose pieces follow one another."""

    def __init__(self, columns: pandas_groups.Columns) -> None:
        self._columns = columns
        self._at = 0

    def __call__(self, _start: int, rows: int) -> pandas_groups.Piece:
        """Show the next rows, wherever they stood among those of both sides."""
        start = self._at
        self._at += rows
        return self._columns.cut(start, rows)


def show(
    batch: pa.RecordBatch, own: Callable[[], np.ndarray]
) -> Callable[[int, int], pandas_groups.Piece]:
    """Show the groups of one side, whose rows are the ``own`` ones of the batch."""
    return _InTurn(pandas_groups.Columns(batch.filter(pa.array(own()))))
