"""What kinds of functions need beside PySpark's own code, a file each.

PySpark's ``read_udfs`` returns the function and a serializer, which is asked for the input and
given the output of the session; ``reader`` gives the serializer the ways that its kind takes.
"""

from __future__ import annotations

from functools import partial
from types import MethodType
from typing import TYPE_CHECKING, Any

from pyspark.sql.pandas.serializers import (
    ArrowStreamCoGroupSerializer,
    ArrowStreamGroupSerializer,
)
from pyspark.util import PythonEvalType as Kind

from ember_worker import groups, transport
from ember_worker.kinds import (
    aggregate_arrow,
    aggregate_pandas,
    cogrouped_map_arrow,
    cogrouped_map_pandas,
    frames,
    gathering,
    grouped_map_arrow,
    grouped_map_pandas,
    pandas_groups,
)
from ember_worker.rebound import rebound

if TYPE_CHECKING:
    from collections.abc import Callable

#: Kinds whose results PySpark makes for each group anew: nobody else can write to them.
_OF_OWN_MEMORY = {
    Kind.SQL_GROUPED_AGG_PANDAS_UDF,
    Kind.SQL_GROUPED_AGG_PANDAS_ITER_UDF,
    Kind.SQL_GROUPED_AGG_ARROW_UDF,
    Kind.SQL_GROUPED_AGG_ARROW_ITER_UDF,
    Kind.SQL_WINDOW_AGG_PANDAS_UDF,
    Kind.SQL_WINDOW_AGG_ARROW_UDF,
}

#: What names of PySpark's ``read_udfs`` mean for a kind, made anew for each session.
_MEANINGS: dict[Any, Callable[[], dict[str, Any]]] = {
    Kind.SQL_GROUPED_MAP_ARROW_UDF: grouped_map_arrow.meanings,
    Kind.SQL_COGROUPED_MAP_ARROW_UDF: cogrouped_map_arrow.meanings,
    Kind.SQL_GROUPED_MAP_PANDAS_UDF: grouped_map_pandas.meanings,
    Kind.SQL_GROUPED_MAP_PANDAS_ITER_UDF: grouped_map_pandas.in_order,
    Kind.SQL_COGROUPED_MAP_PANDAS_UDF: grouped_map_pandas.meanings,
    Kind.SQL_GROUPED_AGG_PANDAS_UDF: aggregate_pandas.meanings,
    Kind.SQL_WINDOW_AGG_PANDAS_UDF: aggregate_pandas.meanings,
    Kind.SQL_GROUPED_AGG_ARROW_UDF: aggregate_arrow.meanings,
    Kind.SQL_WINDOW_AGG_ARROW_UDF: aggregate_arrow.meanings,
    Kind.SQL_SCALAR_PANDAS_UDF: frames.meanings,
    Kind.SQL_SCALAR_PANDAS_ITER_UDF: frames.meanings,
    Kind.SQL_MAP_PANDAS_ITER_UDF: frames.meanings,
    Kind.SQL_GROUPED_AGG_PANDAS_ITER_UDF: frames.meanings,
}

#: How a group is shown to that code, where it is not a slice.
_SHOWS: dict[Any, Callable[..., Any]] = {
    Kind.SQL_GROUPED_MAP_ARROW_UDF: grouped_map_arrow.show,
    Kind.SQL_COGROUPED_MAP_ARROW_UDF: cogrouped_map_arrow.show,
    Kind.SQL_COGROUPED_MAP_PANDAS_UDF: cogrouped_map_pandas.show,
    Kind.SQL_GROUPED_MAP_PANDAS_UDF: pandas_groups.show,
    Kind.SQL_GROUPED_AGG_PANDAS_UDF: pandas_groups.show,
    Kind.SQL_WINDOW_AGG_PANDAS_UDF: pandas_groups.show,
}

#: How the input of a serializer is read, by its type.
_READERS: dict[type, Callable[..., Any]] = {
    ArrowStreamGroupSerializer: groups.groups,
    ArrowStreamCoGroupSerializer: groups.cogroups,
}
#: The same for PySpark's code alone.
_STOCK_READERS: dict[type, Callable[[Any], Any]] = {
    ArrowStreamGroupSerializer: groups.as_slices,
    ArrowStreamCoGroupSerializer: groups.sides_as_slices,
}


def reader(
    stock: Callable[..., Any], other: Callable[..., Any], ways: dict[Any, Callable[..., Any]]
) -> Callable[..., Any]:
    """Return PySpark's ``stock`` ``read_udfs`` with what its kind needs.

    ``other`` is it for kinds that this package does not know, ``ways`` are ``dump_stream`` for
    each way to write.
    """

    def read_udfs(pickler: Any, infos: Any, kind: int, runner_conf: Any, eval_conf: Any) -> Any:
        meanings, show = _MEANINGS.get(kind), _SHOWS.get(kind, groups.slices)
        # Profiles show what pandas does first where PySpark's code made a frame.
        profiled = runner_conf.udf_profiler is not None
        read = rebound(stock, meanings()) if meanings and not profiled else other
        made = read(pickler, infos, kind, runner_conf, eval_conf)
        serializer = made[-1]
        if type(serializer) in _READERS:
            writer = (
                gathering.GatheringWriter if kind in _OF_OWN_MEMORY else gathering.CopyingWriter
            )
            # Bound to the object, so that no frame of ours is on the function's stack.
            own: Any = serializer
            own.dump_stream = MethodType(ways[writer], serializer)
            groups_of = _reading(type(serializer), None if profiled else show)
            own.load_stream = MethodType(_loading(serializer, groups_of), serializer)
        return made

    return read_udfs


def _reading(of: type, show: Any) -> Callable[[Any], Any]:
    return _STOCK_READERS[of] if show is None else partial(_READERS[of], show=show)


def _loading(serializer: Any, read: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    stock = type(serializer).load_stream

    def load_stream(serializer: Any, stream: Any) -> Any:
        if isinstance(stream, transport.DataStream):
            return read(stream.endpoint)
        return stock(serializer, stream)

    return load_stream
