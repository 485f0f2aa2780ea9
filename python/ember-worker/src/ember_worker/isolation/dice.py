"""Random numbers: what ``random`` and ``numpy.random`` draw from belongs to one session.

Both have one generator for the whole process, which in a worker of Spark's one function has to
itself. Here functions run beside one another: what one draws after it has set a seed would be
drawn by the others, too.
"""

from __future__ import annotations

import contextlib
import functools
import os
import random
from typing import TYPE_CHECKING, Any

from ember_worker.state import CURRENT

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

#: What of a generator is its own beside what has a public name.
_OTHERS = ("__getstate__", "__reduce__", "__setstate__", "_initialize_bit_generator")


def install() -> None:
    """Have the functions of ``random`` draw from the session's own generator."""
    stock: Any = random
    stock._inst = _replaced(stock._inst, random)
    os.register_at_fork(after_in_child=stock._inst.seed)


def install_for_numpy() -> None:
    """Have those of ``numpy.random`` do the same, if there is numpy."""
    with contextlib.suppress(ImportError):
        import numpy.random
        from numpy.random import mtrand

        stock: Any = mtrand
        stock._rand = _replaced(stock._rand, mtrand, numpy.random)


def _replaced(generator: Any, *modules: ModuleType) -> Any:
    """Return what stands for a generator, and have it stand in modules that name its methods."""
    made = _of_sessions(type(generator))
    for module in modules:
        for name, function in list(vars(module).items()):
            if getattr(function, "__self__", None) is generator:
                setattr(module, name, getattr(made, name))
    return made


def _of_sessions(of: type) -> Any:
    """Return a generator of this class whose methods are those of the session's own."""
    kind = type(of.__name__, (of,), {"__module__": of.__module__})
    made = kind()  # by the methods of the class, which are replaced only now
    names = [name for name in dir(of) if name in _OTHERS or not name.startswith("_")]
    for name in names:
        if callable(getattr(of, name)):
            setattr(kind, name, _method(of, getattr(of, name)))
    if hasattr(of, "_bit_generator"):
        kind._bit_generator = property(lambda _: _own(of)._bit_generator)  # type: ignore[attr-defined]
    return made


def _method(of: type, stock: Callable[..., Any]) -> Callable[..., Any]:
    session = CURRENT.get

    @functools.wraps(stock)
    def draw(_stands_for_it: Any, /, *args: Any, **kwargs: Any) -> Any:
        try:
            own = session().dice[of]
        except KeyError:
            own = _own(of)
        return stock(own, *args, **kwargs)

    return draw


def _own(of: type) -> Any:
    """Return the session's generator; a new one begins anywhere."""
    dice = CURRENT.get().dice
    return dice.get(of) or dice.setdefault(of, of())
