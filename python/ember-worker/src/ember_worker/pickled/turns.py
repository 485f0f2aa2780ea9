"""What PySpark's loop is at: a row that stands for a whole batch, or the rows of one group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ember_worker.rowfn.names import breathe

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from ember_worker.pickled.target import Target

#: After so many seconds no further group is begun before the results of those before are sent.
PATIENCE = 0.005


class Turns:
    """The state of one session, between the input, the functions and the output."""

    def __init__(self, bridge: Any) -> None:
        """Begin before the first row."""
        self.bridge = bridge
        self.group = 100
        self.targets: list[Target] = []
        #: The row that stands for a batch, while the loop is at it.
        self.whole: Whole | None = None
        #: What is known already of the row that the loop is at: its first functions' results.
        self.known: list[Any] | None = None
        #: How many single rows come next.
        self.singles = 0
        #: Whether whole batches are tried at all.
        self.fast = False

    def begin(self, changeable: Collection[int], levels: int) -> None:
        """Begin, with all functions known, so many ``levels`` above PySpark's loop.

        Whole batches are tried if all of the functions have results for columns.
        Values of the columns that are ``changeable`` are made for each call. So no two functions
        may be called with one: where the first changes it, the second sees that.
        """
        shared = any(
            one.shares(changeable, other)
            for index, one in enumerate(self.targets)
            for other in self.targets[:index]
        )
        self.fast = bool(self.targets) and all(it.shape for it in self.targets) and not shared
        if not self.fast:
            for target in self.targets:
                target.stand_aside(levels)

    def next_rows(self, size: int) -> int:
        """Return how many rows the loop is to take for its next list, of ``size`` at most."""
        if self.fast:
            size, self.singles = self.singles or 1, 0
        return size

    def rows_from(self, size: int) -> int:
        """Return the same of the list whose first row the loop is at."""
        return self.next_rows(size) if self.whole is None else 1


class Whole:
    """A row that stands for all rows of a batch from one on; its fields are never looked at."""

    def __init__(self, turns: Turns, columns: list[Any], start: int, end: int) -> None:
        """Stand for the rows from ``start`` to ``end``."""
        self._turns = turns
        self._columns = columns
        self._start, self._end = start, end
        self._results: tuple[Any, ...] | None = None
        #: The first row that is not done, and what is known of it and of those behind it.
        self.done = start
        self.rest: list[list[Any]] = []

    def rows(self) -> list[Whole]:
        """Return this row alone; the loop is at it until the next one comes."""
        self._turns.whole, self._turns.known = self, None
        return [self]

    def __len__(self) -> int:
        """Return a length, as a pickle has one."""
        return 1

    def __getitem__(self, _offset: int) -> None:
        """Return nothing: the functions are called with the columns."""

    def result(self, index: int) -> Any:
        """Return the results of one function, after all functions have been called."""
        if self._results is None:
            self._results = self._evaluate() if self._start < self._end else self._nothing()
        return self._results[index]

    def _nothing(self) -> tuple[Any, ...]:
        return (NOTHING,) * len(self._turns.targets)

    def _evaluate(self) -> tuple[Any, ...]:
        turns = self._turns
        asked = [target.asked(self._columns, self._end) for target in turns.targets]
        results, rest, error = turns.bridge.evaluate_groups(
            asked,
            (self._start, self._end, turns.group, PATIENCE),
            breathe,
            min(target.every for target in turns.targets),
        )
        if error is not None:
            rest[-1].append(Raised(error))
        self.done += len(results[0])
        self.rest = rest
        if rest:
            turns.singles = min(turns.group, self._end - self.done)
        return results  # type: ignore[no-any-return]


class Single:
    """The rows of one group, one by one, and what is known of the first of them."""

    def __init__(
        self, turns: Turns, rows: Callable[[], Iterable[Any]], known: list[list[Any]]
    ) -> None:
        """Stand for what ``rows`` makes."""
        self._turns = turns
        self._rows = rows
        self._known = known

    def rows(self) -> Iterable[Any]:
        """Return the rows."""
        self._turns.whole, self._turns.known = None, None
        rows = self._rows()
        return self._with_known(rows) if self._known else rows

    def __len__(self) -> int:
        """Return a length, as a pickle has one."""
        return 1

    def _with_known(self, rows: Iterable[Any]) -> Iterator[Any]:
        known = iter(self._known)
        for row in rows:
            self._turns.known = next(known, None)
            yield row


class Nothing:
    """In the place of results, where a row stands for no rows."""


NOTHING = Nothing()


class Raised:
    """In the place of a result: the error that a function raised."""

    __slots__ = ("error",)

    def __init__(self, error: BaseException) -> None:
        """Keep ``error`` until the loop is at its row."""
        self.error = error
