"""Stock functions in which some names mean something else: same code, same lines, no copy."""

from __future__ import annotations

import types
from typing import Any


def rebound(stock: Any, overrides: dict[str, Any]) -> Any:
    """Return ``stock`` with some of the names it uses meaning something else."""
    scope = {**stock.__globals__, **overrides}
    function = types.FunctionType(
        stock.__code__, scope, stock.__name__, stock.__defaults__, stock.__closure__
    )
    function.__kwdefaults__ = stock.__kwdefaults__
    function.__doc__ = stock.__doc__
    function.__qualname__ = stock.__qualname__
    return function
