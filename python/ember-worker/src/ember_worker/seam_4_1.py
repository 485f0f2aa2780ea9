"""PySpark 4.1: one ``main``, and many serializers that read groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ember_worker import group_streams, groups, headers, one_main, pickled_main

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Serializers by their names in 4.1.
_OF_GROUPS = (
    "GroupArrowUDFSerializer",
    "ArrowStreamAggArrowUDFSerializer",
    "GroupPandasUDFSerializer",
    "GroupPandasIterUDFSerializer",
)
_OF_COGROUPS = ("CogroupArrowUDFSerializer", "CogroupPandasUDFSerializer")


def install(*, in_executor: bool) -> Any:
    """Rebind the stream serializers; return ``invoke(endpoint, outfile)``."""
    group_streams.load_groups(_OF_GROUPS, _groups)
    group_streams.load_groups(_OF_COGROUPS, groups.sides_as_slices)
    return one_main.install(
        group_streams.Infile,
        levels=pickled_main.levels(headers.task_as_fields),
        in_executor=in_executor,
        **pickled_main.names(),
    )


def _groups(endpoint: Any) -> Iterator[tuple[Any]]:
    return ((group,) for group in groups.as_slices(endpoint))
