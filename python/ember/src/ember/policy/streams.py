"""Streams under a lock: each micro-batch is checked before it is scored and written.

The rows of a stream are not there when it starts. What is checked of each micro-batch is the
manifest, the libraries, the columns and their types; its fingerprint is kept in a ledger. The sum
of a ledger's fingerprints is that of all rows, so that a stream over locked rows can be compared
with their lock; and a later run can be held to an earlier one's ledger, batch by batch.
"""

from __future__ import annotations

import errno
import os
from dataclasses import asdict, dataclass, field
from functools import reduce
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING

from ember.policy.errors import Change, DriftError, ManifestError
from ember.policy.fingerprint import fingerprint
from ember.policy.lock import changes_without_rows, rows_of_document
from ember.policy.manifest import canonical, parsed
from ember.policy.score import score

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import DataFrame

    from ember.policy.fingerprint import Fingerprint
    from ember.policy.lock import Lock
    from ember.policy.models import Policy
    from ember.policy.score import Backend


@dataclass
class Ledger:
    """The fingerprint of each micro-batch, and a file of a line for each, if there is a path.

    :param path: is read if it is there, and gets a line more with each batch
    """

    path: Path | None = None
    batches: dict[int, Fingerprint] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read what an earlier run of the stream left."""
        if self.path is not None:
            self.path = Path(self.path)
            if self.path.exists():
                self.batches |= _batches(self._whole_lines(self.path))

    @staticmethod
    def _whole_lines(path: Path) -> str:
        """Return the lines that were written to their end, and leave no other in the file.

        A batch is entered after it was written. What ended in the middle of that will be repeated.
        """
        text = path.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            os.truncate(path, len(whole.encode()))
        return whole

    def keep(self, number: int, rows: Fingerprint) -> None:
        """Enter a batch.

        :raises DriftError: if it was entered before, of other rows: Spark repeats a batch as it was
        """
        if number in self.batches:
            _same(number, self.batches[number], rows)
            return
        if self.path is not None:
            _append(self.path, _line(number, rows))
        self.batches[number] = rows

    def total(self) -> Fingerprint:
        """Return the fingerprint of all rows together.

        :raises ManifestError: if no batch went through yet
        """
        if not self.batches:
            raise ManifestError("batches", "are none")
        return reduce(add, self.batches.values())

    def text(self) -> str:
        """Write it, a line of JSON for each batch."""
        return "".join(_line(number, rows) for number, rows in sorted(self.batches.items()))


def read_ledger(text: str) -> Ledger:
    """Read what :meth:`Ledger.text` wrote.

    :raises ManifestError: that names the line, for whatever is no ledger
    """
    return Ledger(batches=_batches(text))


def guarded(  # noqa: PLR0913 (keywords, each of them a choice)
    policy: Policy,
    locked: Lock,
    write: Callable[[DataFrame, int], None],
    *,
    ledger: Ledger | None = None,
    expected: Ledger | None = None,
    out: str = "scores",
    backend: Backend = "arrow",
) -> Callable[[DataFrame, int], None]:
    """Return a function for ``foreachBatch`` that checks a micro-batch, scores it and writes it.

    :param write: gets the scored frame and the batch's number, if nothing changed
    :param ledger: keeps each batch's fingerprint, once it was written
    :param expected: the ledger of an earlier run, whose batches had the same rows
    """
    kept = Ledger() if ledger is None else ledger

    def each(batch: DataFrame, number: int) -> None:
        if changes := changes_without_rows(locked, batch, policy.manifest):
            raise DriftError(changes)
        rows = fingerprint(batch, policy.manifest.columns)
        if expected is not None:
            _same(number, expected.batches.get(number), rows)
        if number in kept.batches:
            _same(number, kept.batches[number], rows)
        write(score(batch, policy, out=out, backend=backend), number)
        kept.keep(number, rows)

    return each


def _same(number: int, was: Fingerprint | None, now: Fingerprint) -> None:
    if was is None:
        raise DriftError([Change(f"batch {number}", "absent", f"{now.rows:,} rows")])
    if was != now:
        words = [f"{each.rows:,} rows, {each.whole}" for each in (was, now)]
        raise DriftError([Change(f"rows of batch {number}", *words)])


def _append(path: Path, line: str) -> None:
    """Write a whole line, or nothing of it: Spark repeats a batch that could not be entered."""
    data, written = line.encode(), 0
    with path.open("ab", buffering=0) as file:
        length = file.tell()
        try:
            written = file.write(data)
        finally:
            if written < len(data):
                file.truncate(length)
    if written < len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def _line(number: int, rows: Fingerprint) -> str:
    return canonical({"batch": number, "rows": asdict(rows)}) + "\n"


def _batches(text: str) -> dict[int, Fingerprint]:
    found: dict[int, Fingerprint] = {}
    for at, line in enumerate(text.splitlines(), start=1):
        where = f"line {at}"
        try:
            document = parsed(line)
        except ManifestError as error:
            raise ManifestError(where, "is no JSON") from error
        if not isinstance(document, dict) or not isinstance(document.get("batch"), int):
            raise ManifestError(where, "is no batch and its rows")
        found[document["batch"]] = rows_of_document(document.get("rows"))
    return found
