"""Stock functions in which some names mean something else: same code, same lines, no copy."""

from __future__ import annotations

import builtins
import types
from typing import Any


def importing(**modules: Any) -> dict[str, Any]:
    """Return the builtins of code that imports other modules under these names."""

    def import_(name: str, *args: Any, **kwargs: Any) -> Any:
        found = modules.get(name)
        return builtins.__import__(name, *args, **kwargs) if found is None else found

    return {**vars(builtins), "__import__": import_}


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
