"""PySpark 4.0: one ``main``; a group is one batch of the stream, and a cogroup two streams."""

from __future__ import annotations

from typing import Any

from ember_worker import group_batches, group_streams, groups, headers, one_main, pickled_main

_OF_COGROUPS = ("CogroupArrowUDFSerializer", "CogroupPandasUDFSerializer")


def install(*, in_executor: bool) -> Any:
    """Rebind the stream serializers; return ``invoke(endpoint, outfile)``."""
    group_streams.load_groups(_OF_COGROUPS, groups.sides_as_slices)
    return one_main.install(
        group_batches.Infile,
        levels=pickled_main.levels(headers.task_behind_address),
        in_executor=in_executor,
        **pickled_main.names(group_batches.read_udfs),
    )
