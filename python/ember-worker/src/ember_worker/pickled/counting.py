"""How long a list of results may be, where PySpark asks after each row: 4.1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspark.serializers import BatchedSerializer

if TYPE_CHECKING:
    from ember_worker.pickled.turns import Turns


class Counting(BatchedSerializer):
    """PySpark's serializer, whose lists are as long as the loop has rows for them."""

    def __init__(self, serializer: Any, size: int, turns: Turns) -> None:
        """Make lists for ``serializer``, of ``size`` rows where nothing else is known."""
        self._turns = turns
        self._limit = size
        #: How many rows the present list has; none before it was asked whether there is a limit.
        self._rows: int | None = None
        super().__init__(serializer, size)  # type: ignore[no-untyped-call]

    @property
    def batchSize(self) -> int:  # noqa: N802 - PySpark's name
        """The limit, as it is asked for: once before all rows, then after each."""
        if self._rows is None:
            self._rows = 0
            return self._size
        if self._rows == 0:
            self._limit = self._turns.rows_from(self._size)
        self._rows = (self._rows + 1) % self._limit
        return self._limit

    @batchSize.setter
    def batchSize(self, size: int) -> None:  # noqa: N802 - PySpark's name
        self._size = size
