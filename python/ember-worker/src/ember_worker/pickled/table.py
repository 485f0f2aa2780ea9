"""Table functions whose rows Spark pickles, without the pickles where the types allow.

PySpark's ``read_udtf`` and its pickling serializer stay the code that runs; some names that they
look up lead here. One row stands for many: the loop over them turns in the bridge, inside the
frames in which PySpark calls the function for a row, and gives a list of rows for each. At the
first row that needs PySpark's conversion, or an error, PySpark's loop goes on, with what the call
gave.
"""

from __future__ import annotations

from itertools import chain
from types import MethodType
from typing import TYPE_CHECKING, Any

from pyspark import serializers

from ember_worker import rowfn
from ember_worker.depth import deeper
from ember_worker.moved import PythonEvalType
from ember_worker.pickled import calls
from ember_worker.pickled.names import Pickling, no_length
from ember_worker.pickled.table_input import Input
from ember_worker.pickled.table_loop import Loop
from ember_worker.pickled.table_output import Output
from ember_worker.pickled.turns import PATIENCE
from ember_worker.rebound import rebound
from ember_worker.rowfn.names import EVERY_FOREIGN, LEVELS, breathe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def reader(stock: Callable[..., Any], others: Callable[..., Any]) -> Callable[..., Any]:
    """Return PySpark's ``read_udtf`` for pickled table functions, and ``others`` for all others."""

    def read_udtf(pickler: Any, source: Any, kind: int, *confs: Any) -> Any:
        read = others
        if kind == PythonEvalType.SQL_TABLE_UDF:
            names = Names(rowfn.bridge(), stock.__globals__)
            read = rebound(stock, names.meanings(calls=calls(kind)))
        return read(pickler, source, kind, *confs)

    return read_udtf


class Names:
    """The names that ``read_udtf`` looks up, and what they mean in one session."""

    def __init__(self, bridge: Any, stock: dict[str, Any]) -> None:
        """Stand before the ``stock`` globals."""
        self._stock = stock
        self._loop = Loop(bridge)

    def meanings(self, *, calls: bool) -> dict[str, Any]:
        """Return the names; functions are called from here if ``calls``."""
        meanings: dict[str, Any] = {"CPickleSerializer": self._serializer}
        if calls:
            meanings["_parse_datatype_json_string"] = self._parse_datatype_json_string
            meanings["map"] = self._map
            meanings |= self._wrapping()
        return meanings

    def _wrapping(self) -> dict[str, Any]:
        """Return the name that ``eval`` comes by: in 3.5 arguments have no names."""
        if "wrap_kwargs_support" in self._stock:
            return {"wrap_kwargs_support": self._wrap_kwargs_support}
        return {"getattr": self._getattr}

    def _parse_datatype_json_string(self, text: str) -> Any:
        declared = self._stock["_parse_datatype_json_string"](text)
        self._loop.declare(declared)
        return declared

    def _wrap_kwargs_support(self, function: Any, offsets: Any, kwargs_offsets: Any) -> Any:
        target = Target(self._loop, function)
        return self._stock["wrap_kwargs_support"](target, offsets, kwargs_offsets)

    def _getattr(self, of: Any, name: str) -> Any:
        function = getattr(of, name)
        return Target(self._loop, function) if name == "eval" else function

    def _map(self, convert: Any, results: Any) -> Any:
        """Return converted results; those in columns need no conversion."""
        return (results,) if self._loop.is_whole(results) else map(convert, results)

    def _serializer(self) -> Any:
        """Make PySpark's pickling serializer, with columns beside its pickles."""
        made: Any = serializers.CPickleSerializer()
        framed: Any = serializers.FramedSerializer
        own: Any = type(made)
        module = "cloudpickle" if own is serializers.CloudPickleSerializer else "pickle"
        source, output = Input(self._loop, made.load_stream), Output(self._loop)
        pickling = Pickling(getattr(serializers, module), source.loads, output.dumps)
        methods = {
            "_read_with_length": rebound(framed._read_with_length, {"read_int": source.read_int}),
            "_write_with_length": rebound(framed._write_with_length, {"write_int": no_length}),
            "loads": rebound(own.loads, {module: pickling}),
            "dumps": rebound(own.dumps, {module: pickling}),
        }
        for name, function in methods.items():
            setattr(made, name, MethodType(function, made))
        made.load_stream = source.load_stream
        return made


class Target:
    """``eval`` of a table function, in the place where PySpark calls it for a row."""

    def __init__(self, loop: Loop, function: Callable[..., Any]) -> None:
        """Call ``function``."""
        self._loop = loop
        self._function = function
        self._single = deeper(function, LEVELS - 1)

    def __getattr__(self, name: str) -> Any:
        """Return what the function is called, and whatever else it has."""
        return getattr(self._function, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return the results of many rows, or what PySpark is to take for the row it is at.

        The arguments of many rows are the places of their columns, as ``Whole`` has them.
        """
        loop = self._loop
        if loop.batch is not None:
            columns, start, end = loop.batch
            taken = tuple(columns[offset] for offset in (*args, *kwargs.values()))
            rows = loop.bridge.rows(taken) if taken else loop.bridge.repeated(end)
            asked = self._function, rows, tuple(kwargs)
            results, loop.left = loop.bridge.evaluate_table(
                asked, loop.shape, (start, end, PATIENCE), breathe, EVERY_FOREIGN
            )
            loop.done = start + len(results)
            return results
        left, loop.left = loop.left, None
        if left is not None:
            return _continued(*left)
        return self._single(*args, **kwargs)


def _continued(given: list[Any] | None, rest: Any, error: BaseException | None) -> Any:
    """Return what a call returned that the bridge began, or raise what it raised."""
    if given is None:
        if error is not None:
            raise error
        return rest
    return chain(given, rest) if error is None else _failing(given, error)


def _failing(given: list[Any], error: BaseException) -> Iterator[Any]:
    yield from given
    raise error
