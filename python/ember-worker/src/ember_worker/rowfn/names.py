"""The names that ``read_udfs`` looks up, and what they mean during one session."""

from __future__ import annotations

import builtins
import inspect
import sys
from types import FunctionType, SimpleNamespace
from typing import Any

import pyarrow as pa

from ember_worker.depth import deeper
from ember_worker.rebound import importing
from ember_worker.rowfn.formats import shape
from ember_worker.rowfn.inputs import Inputs

#: What is on the stack more than in PySpark below a row function: ``evaluate``, and up to 3.11
#: also the bridge's, where calls into C count for the recursion limit.
LEVELS = 1 if sys.version_info >= (3, 12) else 2

#: Calling a function with one of these flags runs none of its code.
LAZY = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR

#: After so many rows the interpreter looks up, for functions in Python and for all others.
EVERY, EVERY_FOREIGN = 64, 8


class Names:
    """The meanings, which share what they learn about the functions of the session."""

    def __init__(self, bridge: Any, stock: dict[str, Any]) -> None:
        """Stand before the ``stock`` globals."""
        self._bridge = bridge
        self._stock = stock
        self._inputs = Inputs(bridge, stock["ArrowTableToRowsConversion"])
        self._target = _Target(None, takes_nothing=False)
        self._declared: Any = None

    def meanings(self) -> dict[str, Any]:
        """Return the names, each with what it means now."""
        return {
            "__builtins__": importing(pyarrow=_Pyarrow(self._bridge.Results)),
            "ArrowTableToRowsConversion": self._inputs,
            "LocalDataToArrowConversion": SimpleNamespace(_create_converter=self._create_converter),
            "fail_on_stopiteration": self._fail_on_stopiteration,
            "list": self._list,
            "to_arrow_type": self._to_arrow_type,
            "wrap_kwargs_support": self._wrap_kwargs_support,
            "zip": self._zip,
        }

    def _wrap_kwargs_support(self, function: Any, offsets: Any, kwargs_offsets: Any) -> Any:
        function, offsets = self._stock["wrap_kwargs_support"](function, offsets, kwargs_offsets)
        self._inputs.taken_by(offsets)
        self._target = _Target(function, takes_nothing=not offsets)
        return self._target, offsets

    def _to_arrow_type(self, *args: Any, **kwargs: Any) -> Any:
        declared = self._stock["to_arrow_type"](*args, **kwargs)
        self._declared = declared
        return declared

    def _create_converter(self, kind: Any, **options: Any) -> Any:
        """Return the converter of results; one that changes no exact value lets a batch through."""
        converter = self._stock["LocalDataToArrowConversion"]._create_converter(kind, **options)
        self._target.shape = shape(kind, self._declared)
        if converter is None or self._target.shape is None:
            return converter
        whole = self._bridge.Results
        return lambda value: value if type(value) is whole else converter(value)

    def _zip(self, *columns: Any) -> Any:
        columns = tuple(map(self._inputs.unwrapped, columns))
        rows = self._bridge.rows(columns) if columns else None
        return builtins.zip(*columns) if rows is None else rows  # noqa: B905 - as it was called

    def _list(self, iterable: Any) -> Any:
        return iterable if type(iterable) is self._bridge.Rows else builtins.list(iterable)

    def _fail_on_stopiteration(self, stock: Any) -> Any:
        """Return the evaluation of one batch: a single row, whose function is the whole loop."""
        guarded = self._stock["fail_on_stopiteration"](stock)
        bridge = self._bridge
        alone = deeper(guarded, LEVELS - 1)

        def evaluate(target: _Target, rows: Any) -> Any:
            if target.takes_nothing and rows:
                rows = bridge.repeated(len(rows))
            if type(rows) is not bridge.Rows:
                return alone(target.function, rows)
            batch = (target.function, rows, target.shape, breathe, target.every)
            return guarded(bridge.evaluate, (batch,))[0]

        return evaluate


class _Target:
    """One function, with what is known of its results when its batches are evaluated."""

    __slots__ = ("every", "function", "shape", "takes_nothing")

    def __init__(self, function: Any, *, takes_nothing: bool) -> None:
        """Call ``function``."""
        self.function = function
        self.takes_nothing = takes_nothing
        self.shape: Any = None
        plain = type(function) is FunctionType and not function.__code__.co_flags & LAZY
        self.every = EVERY if plain else EVERY_FOREIGN


def breathe() -> None:
    """Do nothing, in Python: here the interpreter looks for signals and lets other threads run."""


class _Pyarrow:
    """``pyarrow`` for ``read_udfs``: results that are in buffers already become an array."""

    def __init__(self, whole: type) -> None:
        """Recognise the bridge's class of results."""
        self._whole = whole

    def __getattr__(self, name: str) -> Any:
        """Return what pyarrow has under every other name."""
        return getattr(pa, name)

    def array(self, values: Any, *args: Any, **kwargs: Any) -> Any:
        """Make an array; a batch of results comes as it is, or through its converter in a list."""
        if type(values) is list and len(values) == 1 and type(values[0]) is self._whole:
            values = values[0]
        if type(values) is self._whole:
            whole: Any = values
            return whole.array(kwargs["type"])
        return pa.array(values, *args, **kwargs)
