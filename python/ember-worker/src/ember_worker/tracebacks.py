"""Tracebacks without our own frames: what remains is what Spark's worker would have shown."""

from __future__ import annotations

import contextlib
import os
import threading
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_OURS = os.path.dirname(os.path.abspath(__file__)) + os.sep

_IN_WORDS = threading.RLock()

#: How long an error waits for others to be put into words: their ``__str__`` may take for ever.
_PATIENCE_S = 1.0


@contextlib.contextmanager
def in_words() -> Iterator[None]:
    """Let sessions put their errors into words one after the other.

    Where two at once want a line of a file in an archive, ``linecache`` may give one of them none.
    """
    held = _IN_WORDS.acquire(timeout=_PATIENCE_S)
    try:
        yield
    finally:
        if held:
            _IN_WORDS.release()


def hide_our_frames(error: BaseException) -> None:
    """Take the frames of this package out of an error and of those that led to it."""
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        found = pending.pop()
        if found is None or id(found) in seen:
            continue
        seen.add(id(found))
        found.__traceback__ = _without_ours(found.__traceback__)
        pending += (found.__cause__, found.__context__)


def _without_ours(top: TracebackType | None) -> TracebackType | None:
    entries = []
    while top is not None:
        if not top.tb_frame.f_code.co_filename.startswith(_OURS):
            entries.append(top)
        top = top.tb_next
    chain = None
    for entry in reversed(entries):
        chain = TracebackType(chain, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return chain
