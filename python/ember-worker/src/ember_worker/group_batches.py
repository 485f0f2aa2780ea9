"""Groups as PySpark 3.5 and 4.0 have them: each is one batch of the stream."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from pyspark import worker

from ember_worker import group_streams, groups
from ember_worker.moved import PythonEvalType as Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

_stock: Any = worker.read_udfs
#: Kinds whose batches are groups; 3.5 has none in Arrow.
_GROUPED = {
    Kind.SQL_GROUPED_MAP_PANDAS_UDF,
    getattr(Kind, "SQL_GROUPED_MAP_ARROW_UDF", None),
    Kind.SQL_GROUPED_AGG_PANDAS_UDF,
    Kind.SQL_WINDOW_AGG_PANDAS_UDF,
}


def read_udfs(pickler: Any, infile: Infile, kind: int) -> Any:
    """Read the functions as PySpark does, once ``infile`` knows how its data is meant."""
    infile.grouped = kind in _GROUPED
    return _stock(pickler, infile, kind)


class Infile(group_streams.Infile):
    """Gives groups as batches, where its functions are called for groups."""

    grouped = False

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield what a stream of Arrow's would hold here."""
        if self.grouped:
            return chain.from_iterable(groups.as_slices(self.endpoint))
        return super().batches()
