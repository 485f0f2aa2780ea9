"""Seeds of ``random`` and ``numpy.random``: a function that sets one needs a worker.

Both have one generator for the whole process. What a function draws after it has set a seed would
be drawn by those beside it, too, so the session ends, and the task is tried again in a worker
process. Who sets none may draw from what all draw from.
"""

from __future__ import annotations

import contextlib
import functools
import random
from typing import TYPE_CHECKING, Any

from ember_worker import guards
from ember_worker.signals import need_process
from ember_worker.state import CURRENT

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


def install() -> None:
    """Replace the calls of ``random``. Before any third-party import, so that none holds them."""
    _replace(random, "seed", "setstate")


def install_for_numpy() -> None:
    """Replace those of ``numpy.random``, if there is numpy."""
    with contextlib.suppress(ImportError):
        import numpy.random
        from numpy.random import mtrand

        for module in (numpy.random, mtrand):
            _replace(module, "seed", "set_state", "set_bit_generator")


def _replace(module: ModuleType, *names: str) -> None:
    for name in names:
        if stock := getattr(module, name, None):
            setattr(module, name, _guarded(f"{module.__name__}.{name}", stock))


def _guarded(name: str, stock: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(stock)
    def call(*args: Any, **kwargs: Any) -> Any:
        begins_anywhere = all(given is None for given in (*args, *kwargs.values()))
        if guards.in_executor() and CURRENT.get().runs_here() and not begins_anywhere:
            need_process(name)
        return stock(*args, **kwargs)

    return call
