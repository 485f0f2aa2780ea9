"""The names that ``read_udfs`` and its serializer look up, and what they mean in one session."""

from __future__ import annotations

import itertools
from types import MethodType, SimpleNamespace
from typing import TYPE_CHECKING, Any

from pyspark import serializers

from ember_worker.pickled.counting import Counting
from ember_worker.pickled.input import Input
from ember_worker.pickled.output import Output
from ember_worker.pickled.target import Declared, Target
from ember_worker.pickled.turns import Turns
from ember_worker.rebound import rebound

if TYPE_CHECKING:
    from collections.abc import Callable


class Names:
    """The meanings, which share what the session is at."""

    def __init__(self, bridge: Any, stock: Callable[..., Any], *, calls: bool) -> None:
        """Stand before the globals of ``stock``, PySpark's ``read_udfs``."""
        self._stock = stock
        self._bridge, self._calls = bridge, calls
        self._declared: Any = None
        self._turns = Turns(bridge)
        self._input = Input(self._turns)
        self._output = Output(self._turns)

    def reader(self) -> Callable[..., Any]:
        """Return ``read_udfs`` with these names."""
        meanings: dict[str, Any] = {"read_command": self._read_command}
        if self._calls:
            meanings["fail_on_stopiteration"] = self._fail_on_stopiteration
            meanings |= self._wrapping()
        self._read_one = rebound(self._stock.__globals__["read_single_udf"], meanings)
        read: Callable[..., Any] = rebound(
            self._stock,
            {
                "BatchedSerializer": self._batched_serializer,
                "CPickleSerializer": self._serializer,
                "read_single_udf": self._read_single_udf,
            },
        )
        return read

    def _wrapping(self) -> dict[str, Any]:
        """Return the names by which a function gets its arguments: ``wrap_udf`` until 4.2.

        In 3.5 arguments have no names, and nothing is looked up.
        """
        meanings = {"wrap_kwargs_support": self._wrap_kwargs_support}
        stock = self._stock.__globals__.get("wrap_udf")
        return {"wrap_udf": rebound(stock, meanings)} if stock else meanings

    def _read_command(self, *args: Any) -> Any:
        """Return a function and its type; the last type of a chain is that of the results."""
        function, kind = self._stock.__globals__["read_command"](*args)
        self._declared = Declared(kind, self._bridge.Results if self._calls else None)
        return function, self._declared

    def _read_single_udf(self, *args: Any, **options: Any) -> Any:
        read = self._read_one(*args, **options)
        if self._calls and "wrap_kwargs_support" not in self._stock.__globals__:
            offsets, _ = read
            self._turns.targets[-1].takes(offsets, (), self._declared)
        self._output.declare(self._declared)
        return read

    def _fail_on_stopiteration(self, function: Any) -> Any:
        target = Target(self._turns, function)
        self._turns.targets.append(target)
        guard = self._stock.__globals__["fail_on_stopiteration"](target)
        target.stands_in(guard)
        return guard

    def _wrap_kwargs_support(self, function: Any, offsets: Any, kwargs_offsets: Any) -> Any:
        stock = self._stock.__globals__["wrap_kwargs_support"]
        wrapped, offsets = stock(function, offsets, kwargs_offsets)
        self._turns.targets[-1].takes(offsets, tuple(kwargs_offsets), self._declared)
        return wrapped, offsets

    def _serializer(self) -> Any:
        """Make PySpark's pickling serializer, with columns beside its pickles."""
        made: Any = serializers.CPickleSerializer()
        framed: Any = serializers.FramedSerializer
        own: Any = type(made)
        module = "cloudpickle" if own is serializers.CloudPickleSerializer else "pickle"
        pickling = Pickling(getattr(serializers, module), self._input.loads, self._output.dumps)
        read_int = {"read_int": self._input.read_int}
        methods = {
            "_read_with_length": rebound(framed._read_with_length, read_int),
            "_write_with_length": rebound(framed._write_with_length, {"write_int": no_length}),
            "loads": rebound(own.loads, {module: pickling}),
            "dumps": rebound(own.dumps, {module: pickling}),
        }
        for name, function in methods.items():
            setattr(made, name, MethodType(function, made))
        return made

    def _batched_serializer(self, serializer: Any, size: int) -> Any:
        self._turns.group = size
        kind: Any = serializers.BatchedSerializer
        if "islice" in kind._batched.__code__.co_names:
            made = kind(serializer, size)
            tools = SimpleNamespace(islice=self._islice)
            made._batched = MethodType(rebound(kind._batched, {"itertools": tools}), made)
        else:
            made = Counting(serializer, size, self._turns)
        made._load_stream_without_unbatching = self._load_stream
        self._made = serializer
        return made

    def _load_stream(self, stream: Any) -> Any:
        self._input.attach(stream.endpoint)
        return self._made.load_stream(self._input)

    def _islice(self, rows: Any, size: int) -> Any:
        return itertools.islice(rows, self._turns.next_rows(size))


def no_length(_length: int, _stream: Any) -> None:
    """Write no length: it is not bytes that are written."""


class Pickling:
    """The module that a serializer pickles with."""

    def __init__(self, stock: Any, loads: Any, dumps: Any) -> None:
        """Stand before ``stock``."""
        self._stock = stock
        self.loads = loads
        self.dumps = dumps

    def __getattr__(self, name: str) -> Any:
        """Return what the module has under every other name."""
        return getattr(self._stock, name)
