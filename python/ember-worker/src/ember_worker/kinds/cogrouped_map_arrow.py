"""``applyInArrow`` over cogroups: columns are chosen once for all cogroups of a batch.

PySpark chooses the key columns and the value columns of both sides of each cogroup. Here each group
has slices of what was chosen from its batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ember_worker.kinds.grouped_map_arrow import Columns, Piece, Transformer

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa


class _Transformer(Transformer):
    """``ArrowBatchTransformer`` for that code."""

    @staticmethod
    def select_columns(piece: Piece, places: list[int]) -> pa.RecordBatch:
        names = piece.schema.names
        return piece.batch(tuple(places), [names[place] for place in places])


def show(batch: pa.RecordBatch, _own: Any) -> Callable[[int, int], Piece]:
    """Show the groups of one side of a batch as pieces, where they stand."""
    return Columns(batch).cut


def meanings() -> dict[str, Any]:
    """Return what names of ``read_udfs`` mean here."""
    return {"ArrowBatchTransformer": _Transformer()}
