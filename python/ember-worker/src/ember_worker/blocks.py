"""Blocks that change what a process shares for a while: a function that enters one needs a worker.

``warnings.catch_warnings`` sets filters aside, ``pandas.option_context`` options. Both are the
process's: who runs beside a block has what it sets, and of two that overlap one puts back what the
other had set. So the session ends, and the task is tried again in a worker process. What libraries
enter is theirs to settle: they are written for threads, and say nothing by it.
"""

from __future__ import annotations

import contextlib
import functools
import sys
import warnings
from typing import TYPE_CHECKING, Any

from ember_worker import guards
from ember_worker.isolation import modules
from ember_worker.signals import need_process
from ember_worker.state import CURRENT

if TYPE_CHECKING:
    from collections.abc import Callable

#: By which a block may be entered for somebody else.
_THROUGH = {__name__, "contextlib"}


def install() -> None:
    """Replace how filters of warnings are changed."""
    if getattr(sys.flags, "context_aware_warnings", False):  # each thread has its own
        return
    block: Any = warnings.catch_warnings
    block.__enter__ = _guarded("warnings.catch_warnings", block.__enter__)
    for name in ("filterwarnings", "simplefilter"):
        stock = getattr(warnings, name)
        guarded = _guarded(f"warnings.{name}", stock, only=_raises)
        setattr(warnings, name, guarded)


def install_for_pandas() -> None:
    """Replace how options of pandas are changed for a block, if there is pandas."""
    with contextlib.suppress(ImportError):
        import pandas as pd

        block: Any = pd.option_context
        if isinstance(block, type):
            block.__enter__ = _guarded("pandas.option_context", block.__enter__)  # type: ignore[attr-defined]
        else:
            pd.option_context = _guarded("pandas.option_context", block)


def _raises(action: object = None, *_: object, **named: object) -> bool:
    """Tell whether a filter makes errors of warnings, those of functions beside it, too."""
    return named.get("action", action) == "error"


def _guarded(
    name: str, stock: Callable[..., Any], only: Callable[..., bool] = lambda *_, **__: True
) -> Any:
    @functools.wraps(stock)
    def call(*args: Any, **kwargs: Any) -> Any:
        here = guards.in_executor() and CURRENT.get().runs_here()
        if here and only(*args, **kwargs) and not modules.is_installed(_caller()):
            need_process(name)
        return stock(*args, **kwargs)

    return call


def _caller() -> str:
    """Name the module whose code asks."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__") in _THROUGH:
        frame = frame.f_back
    return str(frame.f_globals.get("__name__"))
