"""Tracebacks without our own frames: what remains is what Spark's worker would have shown."""

from __future__ import annotations

import os
from types import TracebackType

_OURS = os.path.dirname(os.path.abspath(__file__)) + os.sep


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
