"""PySpark 4.2: one ``main``, and a serializer each that reads groups and cogroups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspark.sql.pandas.serializers import ArrowStreamCoGroupSerializer, ArrowStreamGroupSerializer

from ember_worker import groups, headers, one_main, pickled_main, transport

if TYPE_CHECKING:
    from collections.abc import Callable


def install(*, in_executor: bool) -> Any:
    """Rebind the stream serializers; return ``invoke(endpoint, outfile)``."""
    for serializer, read in (
        (ArrowStreamGroupSerializer, groups.as_slices),
        (ArrowStreamCoGroupSerializer, groups.sides_as_slices),
    ):
        serializer.load_stream = _loading(serializer.load_stream, read)  # type: ignore[method-assign]
    return one_main.install(
        levels=pickled_main.levels(headers.task_as_text),
        in_executor=in_executor,
        **pickled_main.names(),
    )


def _loading(stock: Callable[..., Any], read: Callable[[Any], Any]) -> Callable[..., Any]:
    def load_stream(serializer: Any, stream: Any) -> Any:
        if isinstance(stream, transport.DataStream):
            return read(stream.endpoint)
        return stock(serializer, stream)

    return load_stream
