"""Whether a function can be seen to keep nothing from one batch to the next.

Such a session may give the rest of its batches to another one, in another process. What a function
keeps, it keeps in what was pickled with it (closures, defaults, globals, attributes) or in modules
of its user's own, whose functions are looked at like those that were pickled. What is installed is
the process's own, as in a worker that Spark uses again for the next task. Whatever is not known to
be unchangeable counts as kept.
"""

from __future__ import annotations

import dis
import functools
import importlib.util
import sys
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from logging import Logger
from re import Pattern
from types import (
    BuiltinFunctionType,
    CodeType,
    EllipsisType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
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

from ember_worker.isolation import modules
from ember_worker.state import CURRENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

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
    *(GetSetDescriptorType, MemberDescriptorType, MethodDescriptorType, np.ufunc, np.dtype),
    # A library's, found by its name.
    Logger,
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
    *("f_back", "f_globals", "f_locals", "import_module", "modules", "setattr", "vars"),
    # What is the session's own though it is a module's.
    *("chdir", "environ", "environb", "fchdir", "putenv", "umask", "unsetenv"),
}
#: Names by which code gets at what a module has without naming it.
_ASKING = {"__getattribute__", "attrgetter", "getattr", "methodcaller"}
#: What a class has of its making.
_OF_CLASSES = {"__annotations__", "__annotations_cache__"}
#: A look at more functions and classes takes longer than is gained by it.
_MOST = 100
_IMPORT = dis.opmap["IMPORT_NAME"]
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
    look = _Look()
    return callable(function) and look.unchanging(function) and look.saw_all()


class _Look:
    """One look at what can be reached from a function; each function is looked at once."""

    def __init__(self) -> None:
        self._seen: set[int] = set()
        #: What code names, and the modules of the user's own that it reaches. Any may be of any.
        self._names = {"__getattr__"}
        self._modules: list[ModuleType] = []

    def saw_all(self) -> bool:
        """Tell whether code has named what it uses of the user's own modules."""
        return not self._modules or _ASKING.isdisjoint(self._names)

    def unchanging(self, value: Any) -> bool:
        of = type(value)
        if of in _UNCHANGEABLE or issubclass(of, np.generic):
            return True
        if of is functools.partial:
            parts = (*value.args, *value.keywords.values(), *vars(value).values())
            value, of = (value.func, *parts), tuple
        if of in (tuple, frozenset):
            return all(map(self.unchanging, value))
        if of in (ModuleType, type(sys)):
            return self._module(value)
        if of is FunctionType:
            return self._function(value)
        if issubclass(of, (BuiltinFunctionType, MethodType)):
            return self._bound(value)
        return isinstance(value, type) and self._class(value)

    def _bound(self, method: Any) -> bool:
        owner, function = method.__self__, getattr(method, "__func__", None)
        if isinstance(owner, type):
            return modules.is_installed(owner.__module__) or self._class(owner)
        if type(owner) in (ModuleType, type(sys)):
            return modules.is_installed(owner.__name__)
        return self.unchanging((function, owner))

    def _function(self, function: FunctionType) -> bool:
        if self._saw(function):
            return True
        code = function.__code__
        parts = (
            *(function.__defaults__ or ()),
            *(function.__kwdefaults__ or {}).values(),
            *vars(function).values(),
            *_cells(function),
            *_globals(function),
        )
        names = _names(code)
        reaching = len(self._seen) > _MOST or not _REACHING.isdisjoint(names)
        if reaching or _stores(code, set(code.co_freevars)):
            return False
        package = function.__globals__.get("__package__")
        imported = (self._import(*one, package) for one in _imports(code))
        return self.unchanging(parts) and self._name(names) and all(imported)

    def _class(self, of: type) -> bool:
        """Look at a class of the user's own module; of one that was pickled nothing is known."""
        if self._saw(of):
            return True
        if type(of) is not type or not _is_a_modules(of) or len(self._seen) > _MOST:
            return False
        parts = (part for name, part in vars(of).items() if name not in _OF_CLASSES)
        return self.unchanging(of.__bases__) and all(map(self._attribute, parts))

    def _attribute(self, of_class: Any) -> bool:
        if isinstance(of_class, property):
            return self.unchanging((of_class.fget, of_class.fset, of_class.fdel))
        wraps = isinstance(of_class, (classmethod, staticmethod))
        return self.unchanging(of_class.__func__ if wraps else of_class)

    def _saw(self, value: Any) -> bool:
        """Tell whether a function or class is installed, or was looked at before."""
        if id(value) in self._seen:
            return True
        if _is_a_modules(value) and modules.is_installed(value.__module__):
            return True
        self._seen.add(id(value))
        return False

    def _module(self, module: ModuleType) -> bool:
        if modules.is_installed(module.__name__) or module in self._modules:
            return True
        self._modules.append(module)
        return self._known(self._names, [module])

    def _name(self, names: set[str]) -> bool:
        new = names - self._names
        self._names |= new
        return self._known(new, self._modules)

    def _known(self, names: Iterable[str], own: list[ModuleType]) -> bool:
        found = [vars(one)[name] for one in own for name in names if name in vars(one)]
        return all(map(self.unchanging, found))

    def _import(self, name: str, parts: tuple[str, ...], package: str | None) -> bool:
        """Look at a module that a function imports when it runs, if that was imported before."""
        try:
            name = importlib.util.resolve_name(name, package)
        except ImportError:
            return False
        if modules.is_installed(name):
            return True
        imported, top = sys.modules.get(name), sys.modules.get(name.partition(".")[0])
        if imported is None or any(part not in vars(imported) for part in parts):
            return False
        return self.unchanging((imported, top))


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


def _imports(code: CodeType) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the modules that the code imports, as it names them, and what it wants of each."""
    if _IMPORT in code.co_code[::2]:
        yield from _imports_itself(code)
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _imports(const)


@functools.lru_cache(maxsize=256)
def _imports_itself(code: CodeType) -> list[tuple[str, tuple[str, ...]]]:
    """Return the same but for functions within. Equal code of other sessions imports the same."""
    told = [one for one in dis.get_instructions(code) if one.opname != "EXTENDED_ARG"]
    found = []
    for place, one in enumerate(told):
        if one.opcode == _IMPORT:
            level, parts = (before.argval for before in told[place - 2 : place])
            found.append(("." * level + one.argval, parts or ()))
    return found
