"""How many frames lie below a function, so that it may recurse as far as in Spark's worker."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def call_above(frames: int, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call ``function`` with so many Python frames below its own, if there are not more."""
    if frames <= _depth():
        return function(*arguments)
    return call_above(frames, function, *arguments)


def deeper(function: Callable[..., Any], frames: int) -> Callable[..., Any]:
    """Return what calls ``function`` with so many frames between."""
    if not frames:
        return function

    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return deeper(call, frames - 1)


def _depth() -> int:
    """Return the number of frames up to the caller's."""
    frame, depth = sys._getframe().f_back, 0
    while frame is not None:
        frame, depth = frame.f_back, depth + 1
    return depth
