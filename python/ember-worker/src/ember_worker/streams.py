"""Standard streams: what a function prints goes to the executor's standard error, as with Spark.

Spark sends its workers' standard output there, and their standard input is empty.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import TextIO

_STDERR = 2


def install() -> None:
    """Point ``sys.stdin``, ``sys.stdout`` and ``sys.stderr`` at their places."""
    # How Python, at its start, took the locale to mean it: as it does in a worker.
    errors = "strict" if sys.__stdout__ is None else sys.__stdout__.errors
    streams: dict[str, TextIO] = {
        "stdin": open(os.devnull, encoding="utf-8", errors=errors),  # noqa: SIM115 - for ever
        "stdout": _text(errors),
    }
    if sys.stderr is None:
        streams["stderr"] = _text("backslashreplace")
    for name, stream in streams.items():
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def flush() -> None:
    """Write out what a session has printed without ending the line."""
    for stream in (sys.stdout, sys.__stdout__, sys.stderr):
        # A function may have replaced or closed them.
        with contextlib.suppress(Exception):
            stream.flush()  # type: ignore[union-attr]


def _text(errors: str | None) -> TextIO:
    raw = io.FileIO(_STDERR, "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw), encoding="utf-8", errors=errors, line_buffering=True
    )
