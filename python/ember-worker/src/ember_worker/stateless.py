"""Whether a function can be seen to keep nothing from one batch to the next.

Such a session may give the rest of its batches to another one, in another process. What a function
keeps, it keeps in what was pickled with it: closures, defaults, globals, attributes. Modules are
the process's own, as in a worker that Spark uses again for the next task. Whatever is not known to
be unchangeable counts as kept.
"""

from __future__ import annotations

import dis
import functools
import sys
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from re import Pattern
from types import (
    BuiltinFunctionType,
    CodeType,
    EllipsisType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    NoneType,
)
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
from pyspark.accumulators import Accumulator
from pyspark.core.broadcast import Broadcast
from pyspark.util import PythonEvalType as Kind

from ember_worker.state import CURRENT

if TYPE_CHECKING:
    from collections.abc import Callable

#: Kinds that call a function for a batch or a row, and have nothing else between batches.
KINDS = {
    Kind.SQL_BATCHED_UDF,
    Kind.SQL_ARROW_BATCHED_UDF,
    Kind.SQL_SCALAR_PANDAS_UDF,
    Kind.SQL_SCALAR_ARROW_UDF,
}

_UNCHANGEABLE = (
    *(NoneType, EllipsisType, bool, int, float, complex, str, bytes, range),
    *(Pattern, date, datetime, time, timedelta, timezone, Decimal, UUID),
    *(ModuleType, MethodDescriptorType, np.ufunc, np.dtype),
    # What is added is told at the session's end, and what was sent around is there to be read.
    *(Accumulator, Broadcast),
)
_NEVER = {
    dis.opmap[name] for name in ("STORE_GLOBAL", "DELETE_GLOBAL", "STORE_ATTR", "DELETE_ATTR")
}
#: Names by which code gets at what it may set without one of these.
_REACHING = {
    *("__annotations__", "__code__", "__defaults__", "__dict__", "__globals__", "__kwdefaults__"),
    *("__import__", "__main__", "__setattr__", "delattr", "eval", "exec", "globals"),
    *("f_back", "f_globals", "f_locals", "modules", "setattr", "vars"),
    # What is the session's own though it is a module's.
    *("chdir", "environ", "environb", "fchdir", "putenv", "umask", "unsetenv"),
}
#: To variables of the function around it, if there is one.
_OUTWARD = {dis.opmap[name] for name in ("STORE_DEREF", "DELETE_DEREF")}


def reader(stock: Callable[..., Any]) -> Callable[..., Any]:
    """Return PySpark's ``read_udfs`` which tells the session's endpoint of such functions."""

    def read_udfs(pickler: Any, infos: Any, kind: int, runner_conf: Any, eval_conf: Any) -> Any:
        if kind not in KINDS:
            return stock(pickler, infos, kind, runner_conf, eval_conf)
        noting = _Noting(pickler)
        made = stock(noting, infos, kind, runner_conf, eval_conf)
        endpoint, functions = CURRENT.get().endpoint, noting.functions
        if endpoint is not None and functions and all(map(keeps_nothing, functions)):
            endpoint.keeps_nothing()
        return made

    return read_udfs


class _Noting:
    """PySpark's pickler, and the functions that it has loaded."""

    def __init__(self, pickler: Any) -> None:
        self._pickler = pickler
        self.functions: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pickler, name)

    def loads(self, command: Any) -> Any:
        made = self._pickler.loads(command)
        # A long command is a broadcast, whose value comes here next.
        self.functions += [made[0]] if isinstance(made, tuple) else []
        return made


def keeps_nothing(function: Any) -> bool:
    """Tell whether ``function`` is known to keep nothing between its calls."""
    return callable(function) and _Look().unchanging(function)


class _Look:
    """One look at what can be reached from a function; each function is looked at once."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def unchanging(self, value: Any) -> bool:
        of = type(value)
        if of in _UNCHANGEABLE or issubclass(of, np.generic):
            return True
        if of in (tuple, frozenset):
            return all(map(self.unchanging, value))
        if of is FunctionType:
            return self._function(value)
        if of is functools.partial:
            parts = (value.func, value.args, tuple(value.keywords.values()))
            return not vars(value) and self.unchanging(parts)
        if issubclass(of, (BuiltinFunctionType, MethodType)):
            whole = getattr(value, "__func__", None), value.__self__
            return isinstance(value.__self__, type) or self.unchanging(whole)
        return isinstance(value, type) and _is_a_modules(value)

    def _function(self, function: FunctionType) -> bool:
        if id(function) in self._seen or _is_a_modules(function):
            return True
        self._seen.add(id(function))
        code = function.__code__
        parts = (
            *(function.__defaults__ or ()),
            *(function.__kwdefaults__ or {}).values(),
            *_cells(function),
            *_globals(function),
        )
        reaching = not _REACHING.isdisjoint(_names(code))
        stores = reaching or _stores(code, set(code.co_freevars))
        return not vars(function) and not stores and self.unchanging(parts)


def _is_a_modules(value: Any) -> bool:
    """Tell whether a function or class is what a module has, and so came as its name only."""
    module = sys.modules.get(value.__module__ or "")
    if module is None or value.__module__ == "__main__":
        return False
    found: Any = module
    for name in value.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is value


def _cells(function: FunctionType) -> list[Any]:
    """Return what the variables around the function hold; an empty one holds nothing."""
    found = []
    for cell in function.__closure__ or ():
        try:
            found.append(cell.cell_contents)
        except ValueError:
            continue
    return found


def _globals(function: FunctionType) -> list[Any]:
    names = _names(function.__code__)
    scope = function.__globals__
    return [scope[name] for name in names if name in scope]


def _names(code: CodeType) -> set[str]:
    inner = (const for const in code.co_consts if isinstance(const, CodeType))
    return set(code.co_names).union(*map(_names, inner))


def _stores(code: CodeType, around: set[str]) -> bool:
    """Tell whether the code sets an attribute, a global, or one of the variables ``around``."""
    opcodes = set(code.co_code[::2])
    outward = not around.isdisjoint(code.co_freevars) and not _OUTWARD.isdisjoint(opcodes)
    inner = (const for const in code.co_consts if isinstance(const, CodeType))
    return outward or not _NEVER.isdisjoint(opcodes) or any(_stores(one, around) for one in inner)
