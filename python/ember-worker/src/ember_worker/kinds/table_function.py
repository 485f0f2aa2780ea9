"""Table functions in Arrow's format (301): rows of many input rows are converted together.

For each input row PySpark makes converters, a schema, a table of the rows that the function gave
and a batch of it, which costs ten times as much as the function. Here rows of plain values wait
for one another. All others are converted at once, by PySpark's code, for which what is the same
for every row is made once.

What crosses has a list for each input row, of its rows: the JVM joins them with it.
"""

from __future__ import annotations

from itertools import accumulate, chain
from types import MethodType
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark import worker
from pyspark.sql.conversion import ArrowBatchTransformer, LocalDataToArrowConversion
from pyspark.util import PythonEvalType as Kind

from ember_worker.kinds.plain import plain
from ember_worker.kinds.waiting import Waiting, WaitingWriter
from ember_worker.rebound import importing, rebound

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql.types import StructType

#: What is sent at a time: the rows of so many input rows, or so many bytes.
_LISTS = 256
_BYTES = 64 << 10


def reader(stock: Callable[..., Any], ways: dict[Any, Callable[..., Any]]) -> Callable[..., Any]:
    """Return PySpark's ``stock`` ``read_udtf`` with this for its kind.

    ``ways`` are ``dump_stream`` for each way to write.
    """

    def read_udtf(pickler: Any, info: Any, kind: int, runner_conf: Any, eval_conf: Any) -> Any:
        if kind != Kind.SQL_ARROW_TABLE_UDF:
            return stock(pickler, info, kind, runner_conf, eval_conf)
        made = rebound(stock, _meanings())(pickler, info, kind, runner_conf, eval_conf)
        # Bound to the object, so that no frame of ours is on the function's stack.
        made[-1].dump_stream = MethodType(ways[ListWriter], made[-1])
        return made

    return read_udtf


class _Rows(Waiting):
    """The rows of one input row, which wait: to PySpark's code also the table of them."""

    __slots__ = ()

    @property
    def num_columns(self) -> int:
        width: int = len(self.data[0])
        return width

    def to_batches(self) -> list[_Rows]:
        return [self]


class _Conversion:
    """``LocalDataToArrowConversion`` for that code, in one session."""

    schema: pa.Schema

    def __init__(self) -> None:
        self._convert = LocalDataToArrowConversion.convert
        self._of: tuple[Any, ...] = ()
        #: For each column what values of it may wait; none if there is a column that has none.
        self._checks: tuple[Callable[[Any], bool], ...] = ()

    def convert(self, data: list[Any], *of: Any) -> Any:
        """Return a table of the rows, or what stands for one."""
        if self._checks and self._may_wait(data):
            return _Rows(self, data, len(data), 64 * len(data))
        table = self._convert(data, *of)
        if not self._of:
            self._learn(table, of)
        return table

    def converted(self, waiting: list[list[tuple[Any, ...]]]) -> pa.RecordBatch:
        """Return the batch of rows that waited."""
        table = self._convert(list(chain.from_iterable(waiting)), *self._of)
        return ArrowBatchTransformer.wrap_struct(table.to_batches()[0])

    def _learn(self, table: pa.Table, of: tuple[Any, ...]) -> None:
        """Remember what the first table shows of all others."""
        self._of = of
        schema: StructType = of[0]
        if len(schema) > 0:
            meanings = _what_is_made_once(schema, table.schema)
            self._convert = rebound(LocalDataToArrowConversion.convert, meanings)
            self.schema = ArrowBatchTransformer.wrap_struct(table.to_batches()[0]).schema
            checks = [plain(field.dataType, nullable=field.nullable) for field in schema]
            self._checks = tuple(check for check in checks if check is not None)
            if len(self._checks) < len(checks):
                self._checks = ()

    def _may_wait(self, data: list[Any]) -> bool:
        checks = self._checks
        for row in data:
            if type(row) is not tuple or len(row) != len(checks):
                return False
            for check, value in zip(checks, row):  # noqa: B905 - as long, and this is faster
                if not check(value):
                    return False
        return True


def _what_is_made_once(of: StructType, schema: pa.Schema) -> dict[str, Any]:
    """Return names of ``LocalDataToArrowConversion.convert`` for rows of this type."""
    create = LocalDataToArrowConversion._create_converter
    converters = {
        (id(field.dataType), field.nullable): create(
            field.dataType, field.nullable, none_on_identity=True
        )
        for field in of
    }

    class Converters:
        @staticmethod
        def _create_converter(of: Any, nullable: bool, **_options: Any) -> Any:  # noqa: FBT001
            return converters[id(of), nullable]

    return {
        "LocalDataToArrowConversion": Converters,
        "require_minimum_pyarrow_version": _nothing,
        "StructType": _NoType,
        "StructField": _nothing,
        "_deduplicate_field_names": _nothing,
        "to_arrow_schema": lambda *_fields, **_options: schema,
    }


class _Anything(type):
    def __instancecheck__(cls, value: Any) -> bool:
        return True


class _NoType(metaclass=_Anything):
    """A type that the schema is not made of again."""

    def __init__(self, _fields: Any) -> None:
        pass


def _nothing(*_arguments: Any) -> None:
    pass


class _Empty:
    """What stands for no rows: PySpark's empty batch, made once."""

    def __init__(self) -> None:
        self.batch: pa.RecordBatch = None
        self.struct: pa.RecordBatch = None

    def from_pylist(self, data: list[Any], schema: list[pa.Field]) -> pa.RecordBatch:
        """Do as ``pyarrow.RecordBatch``, which is given no row here."""
        if self.batch is None:
            self.batch = pa.RecordBatch.from_pylist(data, schema=pa.schema(schema))
            self.struct = ArrowBatchTransformer.wrap_struct(self.batch)
        return self.batch


class _Pyarrow:
    """``pyarrow`` for that code."""

    Table = (pa.Table, _Rows)

    def __init__(self, empty: _Empty) -> None:
        self.RecordBatch = empty

    @staticmethod
    def schema(fields: list[pa.Field]) -> list[pa.Field]:
        return fields

    def __getattr__(self, name: str) -> Any:
        return getattr(pa, name)


class _Transformer:
    """``ArrowBatchTransformer`` for that code."""

    to_pandas = ArrowBatchTransformer.to_pandas

    def __init__(self, empty: _Empty) -> None:
        self._empty = empty

    def wrap_struct(self, batch: Any) -> Any:
        if type(batch) is _Rows:
            return batch
        if batch is self._empty.batch:
            return self._empty.struct
        return ArrowBatchTransformer.wrap_struct(batch)


def _verify(result: Any, **options: Any) -> None:
    if type(result) is not _Rows:
        worker.verify_arrow_result(result, **options)


def _meanings() -> dict[str, Any]:
    """Return what names of ``read_udtf`` mean in one session."""
    empty = _Empty()
    return {
        "__builtins__": importing(pyarrow=_Pyarrow(empty)),
        "LocalDataToArrowConversion": _Conversion(),
        "ArrowBatchTransformer": _Transformer(empty),
        "verify_arrow_result": _verify,
    }


class ListWriter(WaitingWriter):
    """Writes batches of one struct column many at a time, as lists in the rows of a batch."""

    def __init__(self, endpoint: Any, schema: pa.Schema) -> None:
        """Write batches of ``schema`` to ``endpoint``."""
        super().__init__(endpoint, schema)
        (column,) = schema
        self._sent = pa.schema([pa.field(column.name, pa.list_(column.type))])
        self._checked: Any = None
        self._lengths: list[int] = []
        self._converted: list[pa.Array] = []
        self._bytes = 0

    def write_batch(self, batch: Any) -> None:
        """Keep one batch."""
        if type(batch) is _Rows:
            enough = self.wait(batch)
        else:
            self.convert()
            if batch is not self._checked:
                self._check(batch)
                self._checked = batch
            self.keep(batch)
            enough = self._bytes >= _BYTES
        self._lengths.append(batch.num_rows)
        if enough or len(self._lengths) >= _LISTS:
            self.flush()

    def keep(self, batch: pa.RecordBatch) -> None:
        """Keep rows."""
        column = batch.column(0)
        self._converted.append(column)
        self._bytes += column.get_total_buffer_size()

    def close(self) -> None:
        """Export what was kept."""
        self.flush()

    def flush(self) -> None:
        """Export what waits and what was kept."""
        self.convert()
        if self._lengths:
            offsets = pa.array([0, *accumulate(self._lengths)], pa.int32())
            column = pa.ListArray.from_arrays(offsets, pa.concat_arrays(self._converted))
            self._lengths, self._converted = [], []
            self._bytes = 0
            self._push(pa.RecordBatch.from_arrays([column], schema=self._sent))
