"""PySpark 4.0: one ``main``; a group is one batch of the stream, and a cogroup two streams."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from pyspark import worker
from pyspark.util import PythonEvalType as Kind

from ember_worker import groups, one_main, seam_4_1

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

_stock: Any = worker.read_udfs
#: Kinds whose batches are groups.
_GROUPED = {
    Kind.SQL_GROUPED_MAP_PANDAS_UDF,
    Kind.SQL_GROUPED_MAP_ARROW_UDF,
    Kind.SQL_GROUPED_AGG_PANDAS_UDF,
    Kind.SQL_WINDOW_AGG_PANDAS_UDF,
}


def install(*, in_executor: bool) -> Any:
    """Rebind the stream serializers; return ``invoke(endpoint, outfile)``."""
    seam_4_1.load_groups(seam_4_1.OF_COGROUPS, groups.sides_as_slices)
    return one_main.install(_Infile, in_executor=in_executor, read_udfs=_read_udfs)


def _read_udfs(pickler: Any, infile: _Infile, kind: int) -> Any:
    infile.grouped = kind in _GROUPED
    return _stock(pickler, infile, kind)


class _Infile(seam_4_1.Infile):
    """Gives groups as batches, where its functions are called for groups."""

    grouped = False

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield what a stream of Arrow's would hold here."""
        if self.grouped:
            return chain.from_iterable(groups.as_slices(self.endpoint))
        return super().batches()
