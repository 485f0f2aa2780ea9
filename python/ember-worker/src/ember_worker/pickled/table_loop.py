"""What PySpark's loop over the rows of a table function is at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark.sql.types import StructType

from ember_worker.pickled.output import arrow_type
from ember_worker.pickled.target import shape_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: So many rows Spark has in one pickle. As many go PySpark's way after one that has to.
GROUP = 100


class Loop:
    """The state of one session, between its input, its function and its output."""

    def __init__(self, bridge: Any) -> None:
        """Begin before the first row."""
        self.bridge = bridge
        #: What rows of the declared type are gathered in, and their type; none if pickles leave.
        self.shape: Any = None
        self.rows: pa.DataType | None = None
        #: The columns, first and last row that the row stands for that the loop is at, if it does.
        self.batch: tuple[list[Any], int, int] | None = None
        #: The first row that is not done, and what is left of its call if that was begun.
        self.done = 0
        self.left: Any = None

    def declare(self, declared: Any) -> None:
        """Say what rows are of."""
        if not isinstance(declared, StructType) or not declared.fields:
            return
        shapes = [shape_of(field.dataType) for field in declared]
        if None in shapes:
            return
        named = zip(declared.names, shapes, declared)
        self.shape = ("struct", tuple((name, of, it.nullable) for name, of, it in named))
        types = [(f"_{index}", arrow_type(of)) for index, of in enumerate(shapes)]
        self.rows = pa.list_(pa.struct(types))

    def is_whole(self, results: Any) -> bool:
        """Tell whether these are the results of many rows."""
        return self.bridge is not None and type(results) is self.bridge.Results

    def turn(
        self, columns: list[Any], rows: range, part: Callable[[int, int], list[Any]]
    ) -> Iterator[Any]:
        """Yield what the loop is to be at for ``rows``: what stands for many, and single ones."""
        done, end = rows.start, rows.stop
        while done < end:
            self.batch = columns, done, end
            yield WHOLE
            self.batch, done = None, self.done
            if self.left is not None:
                singles = part(done, min(done + GROUP, end))
                yield from singles
                done += len(singles)


class Whole:
    """The row that stands for many."""

    def __getitem__(self, offset: int) -> int:
        """Return what stands for the arguments of a column: where it is."""
        return offset


WHOLE = Whole()
