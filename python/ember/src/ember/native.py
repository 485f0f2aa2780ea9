"""Functions of shared libraries, written in Rust, C or C++, as functions of Spark's.

A library speaks the contract of ``ember_udf.h``: a table, and batches of Arrow's C Data Interface.
Spark sees an Arrow function whose body calls the library, with the interpreter's lock released; so
it runs wherever Python functions run, is planned, measured, cancelled and kept out of executors as
they are, and can be registered for SQL.
"""

from __future__ import annotations

import ctypes
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pyspark.sql.types import DataType

MAJOR: Final = 1
KINDS: Final = {"scalar": 0, "map": 1}
_ERROR_BYTES: Final = 4096

#: ``struct EmberUdf``: its size, two numbers of the version, the kind, and two functions.
_TABLE: Final = "=IHHIIQQ"


class NativeFunctionError(RuntimeError):
    """A native function could not be found, does not fit, or failed."""


class _Room:
    """For an ``ArrowSchema`` or ``ArrowArray``, which pyarrow releases."""

    def __init__(self) -> None:
        self._words = (ctypes.c_int64 * 10)()
        self.address = ctypes.addressof(self._words)


class _Lent(_Room):
    """A schema for the library to look at."""

    def __init__(self, schema: pa.Schema) -> None:
        super().__init__()
        schema._export_to_c(self.address)  # noqa: SLF001 (pyarrow has no other)

    def __del__(self) -> None:
        pa.Schema._import_from_c(self.address)  # noqa: SLF001 (which releases it)


class NativeFunction:
    """One symbol of a library. Its name is pickled; each task opens the library itself."""

    def __init__(self, library: str, symbol: str, kind: str, *, isolated: bool) -> None:
        self.library = library
        self.symbol = symbol
        self.kind = kind
        self.isolated = isolated
        self._open: _Open | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave pointers behind; an isolated function says so in words that the plugin looks for.

        They are in no other pickle, though this method is in those of all native functions.
        """
        words = ("this", "function", "of", "Ember's", "is", "isolated")
        told = " ".join(words if self.isolated else ())
        return _again, (self.library, self.symbol, self.kind, told)

    def column(self, columns: Sequence[pa.Array], wanted: pa.DataType) -> pa.Array:
        """Call it for the rows of some columns."""
        names = [f"_{at}" for at in range(len(columns))]
        given = self.batch(pa.RecordBatch.from_arrays(list(columns), names))
        if given.num_columns != 1 or given.num_rows != len(columns[0]):
            self.fail(
                f"gave {given.num_columns} columns of {given.num_rows} rows "
                f"for {len(columns[0])} rows"
            )
        if given.column(0).type != wanted:
            self.fail(f"gives {given.column(0).type}, and {wanted} was declared")
        return given.column(0)

    def batch(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Call it for a batch."""
        if self._open is None or self._open.arguments != batch.schema:
            self.leave_the_executor()
            self._open = _Open(self, batch.schema)
        return self._open.call(batch)

    def leave_the_executor(self) -> None:
        """Have an isolated function tried again in a worker process, if this is an executor.

        The plugin opens it elsewhere from the start, if it can read its pickle: one of megabytes
        comes as a broadcast. Spark's own workers lack the module; it is asked for by name, because
        where the function runs this file is a copy without its neighbours.
        """
        signals = sys.modules.get("ember_worker.signals")
        if self.isolated and signals is not None:
            signals.isolate(f"{self.symbol} of {self.library}")

    def fail(self, words: str) -> NoReturn:
        """Raise an error that says whose it is."""
        message = f"{self.symbol} of {self.library} {words}"
        raise NativeFunctionError(message)


def _again(library: str, symbol: str, kind: str, told: str) -> NativeFunction:
    return NativeFunction(library, symbol, kind, isolated=bool(told))


class _Open:
    """A function for arguments of one schema: its calls, and the schema of what it gives."""

    def __init__(self, function: NativeFunction, arguments: pa.Schema) -> None:
        self._function = function
        self._results_of, self._call = _calls(function)
        self._error = ctypes.create_string_buffer(_ERROR_BYTES)
        self._schema = _Lent(arguments)
        self.arguments = arguments
        told = _Room()
        self._check(self._results_of(self._schema.address, told.address, *self._words))
        self._results = pa.Schema._import_from_c(told.address)  # noqa: SLF001

    def call(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Give the batch away, take the results, and see that they are what they say."""
        lent, given = _Room(), _Room()
        batch._export_to_c(lent.address)  # noqa: SLF001
        self._check(self._call(self._schema.address, lent.address, given.address, *self._words))
        results = pa.RecordBatch._import_from_c(given.address, self._results)  # noqa: SLF001
        try:
            results.validate(full=True)
        except pa.ArrowInvalid as error:
            self._function.fail(f"gave a batch that cannot be read: {error}")
        return results

    @property
    def _words(self) -> tuple[Any, int]:
        return ctypes.addressof(self._error), _ERROR_BYTES

    def _check(self, status: int) -> None:
        if status != 0:
            text = self._error.value.decode(errors="replace")
            self._function.fail(f"failed: {text}")


def _calls(function: NativeFunction) -> tuple[Callable[..., int], Callable[..., int]]:
    try:
        symbol = getattr(ctypes.CDLL(_found(function.library)), function.symbol)
    except (OSError, AttributeError) as error:
        function.fail(f"cannot be opened: {error}")
    symbol.restype = ctypes.c_void_p
    table = symbol()
    if not table:
        function.fail("gave no table")
    least = struct.calcsize(_TABLE)
    size, major, _, kind, _, results, call = struct.unpack(_TABLE, ctypes.string_at(table, least))
    if major != MAJOR or size < least:
        function.fail(f"speaks version {major} of ember_udf.h, not {MAJOR}")
    if kind != KINDS[function.kind]:
        function.fail(f"is no {function.kind} function")
    pointer, room = ctypes.c_void_p, ctypes.c_size_t
    return (
        ctypes.CFUNCTYPE(ctypes.c_int32, pointer, pointer, pointer, room)(results),
        ctypes.CFUNCTYPE(ctypes.c_int32, pointer, pointer, pointer, pointer, room)(call),
    )


def _found(library: str) -> str:
    if Path(library).is_absolute():
        return library
    from pyspark import SparkFiles  # noqa: PLC0415 (where the function runs)

    return SparkFiles.get(library)


def native_function(
    library: str,
    symbol: str,
    returns: DataType | str | None = None,
    *,
    kind: Literal["scalar", "map"] = "scalar",
    isolated: bool = False,
) -> Callable[..., Any]:
    """Make a function of Spark's of a symbol of a shared library.

    A ``scalar`` function is called with columns, and can be registered for SQL with
    ``spark.udf.register``; ``returns`` is its type. A ``map`` function is for ``mapInArrow``.

    :param library: a path that is the same on every machine, or the name of a file that was added
        with ``SparkContext.addFile``
    :param isolated: never in the executor itself, but in a worker process of its own
    """
    function = NativeFunction(library, symbol, kind, isolated=isolated)
    if kind == "map":
        return _mapping(function)
    if returns is None:
        words = "a scalar function needs the type that it returns"
        raise TypeError(words)
    return _scalar(function, returns)


def _mapping(function: NativeFunction) -> Callable[[Any], Any]:
    def call(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield function.batch(batch)

    call.__name__ = function.symbol
    return call


def _scalar(function: NativeFunction, returns: DataType | str) -> Callable[..., Any]:
    from pyspark.sql.pandas.functions import arrow_udf  # noqa: PLC0415 (the driver's)
    from pyspark.sql.pandas.types import to_arrow_type  # noqa: PLC0415
    from pyspark.sql.types import DataType, _parse_datatype_string  # noqa: PLC0415

    declared = returns if isinstance(returns, DataType) else _parse_datatype_string(returns)
    wanted = to_arrow_type(declared)

    def call(*columns: pa.Array) -> pa.Array:
        return function.column(columns, wanted)

    call.__name__ = function.symbol
    make: Callable[..., Callable[..., Any]] = arrow_udf
    return make(call, declared)


def _by_value() -> None:
    """Executors need not have this package: what they need of it travels with the function."""
    from pyspark import cloudpickle  # noqa: PLC0415

    register: Callable[[Any], None] = cloudpickle.register_pickle_by_value
    register(sys.modules[__name__])


_by_value()
