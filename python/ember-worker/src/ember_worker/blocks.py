"""Blocks that change what a process shares for a while: a function that enters one needs a worker.

``warnings.catch_warnings`` sets filters aside, ``pandas.option_context`` options. Both are the
process's: who runs beside a block has what it sets, and of two that overlap one puts back what the
other had set. So the session ends, and the task is tried again in a worker process. Warnings may be
ignored, which changes but what is printed, and what libraries enter is theirs to settle.
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
    block: Any = warnings.catch_warnings
    if not getattr(sys.flags, "context_aware_warnings", False):  # else a block is its thread's own
        enter = _guarded("warnings.catch_warnings", block.__enter__, only=_gathers)
        block.__enter__ = enter
    for name in ("filterwarnings", "simplefilter"):
        stock = getattr(warnings, name)
        guarded = _guarded(f"warnings.{name}", stock, only=_raises)
        # Python 3.14 has them in another module, by whose name they are pickled.
        for module in (warnings, sys.modules[stock.__module__]):
            setattr(module, name, guarded)


def install_for_pandas() -> None:
    """Replace how options of pandas are changed for a block, if there is pandas."""
    with contextlib.suppress(ImportError):
        import pandas as pd

        block: Any = pd.option_context
        if isinstance(block, type):
            block.__enter__ = _guarded("pandas.option_context", block.__enter__)  # type: ignore[attr-defined]
        else:
            guarded = _guarded("pandas.option_context", block)
            for module in (pd, sys.modules[block.__module__]):
                setattr(module, "option_context", guarded)  # noqa: B010 (of either module)


def _gathers(block: Any) -> bool:
    """Tell whether a block gathers warnings or makes errors of them by itself (Python 3.11)."""
    by_itself = getattr(block, "_filter", None) or [None]
    return bool(block._record) or by_itself[0] == "error"


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
    """Name the module whose code asks, or whose function a block decorates."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__") in _THROUGH:
        if frame.f_code.co_name == "inner" and "func" in frame.f_locals:  # of a ContextDecorator
            return str(frame.f_locals["func"].__module__)
        frame = frame.f_back
    return str(frame.f_globals.get("__name__"))
