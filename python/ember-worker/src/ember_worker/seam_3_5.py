"""PySpark 3.5: one ``main``, which does by itself what later ones have functions for.

Groups are as in 4.0. Where ``main`` does what is not to be done here, or not so, a name that it
uses means something else.
"""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING, Any

from pyspark import util, worker

from ember_worker import (
    group_batches,
    group_streams,
    groups,
    headers,
    one_main,
    pickled_main,
    stand_ins,
)
from ember_worker.tracebacks import hide_our_frames, in_words

if TYPE_CHECKING:
    from types import TracebackType

_stock: Any = worker


def install(*, in_executor: bool) -> Any:
    """Rebind the stream serializers; return ``invoke(endpoint, outfile)``."""
    group_streams.load_groups(("CogroupUDFSerializer",), groups.sides_as_slices)
    return one_main.install(
        group_batches.Infile,
        levels=pickled_main.levels(headers.task_behind_address),
        in_executor=in_executor,
        add_path=_add_path if in_executor else _add_path_alone,
        try_simplify_traceback=_simplified,
        traceback=_Traceback,
        # The limits of memory would be the executor's.
        has_resource_module=_stock.has_resource_module and not in_executor,
        **pickled_main.names(group_batches.read_udfs),
    )


def _add_path(path: str) -> None:
    """Have Python look into a folder or an archive of the session's files."""
    with stand_ins.files_of_session():
        _stock.add_path(path)


def _add_path_alone(path: str) -> None:
    with stand_ins.files_of_session_alone():
        _stock.add_path(path)


def _simplified(_top: TracebackType | None) -> TracebackType | None:
    """Do as PySpark does, without our frames."""
    error = _cleaned()
    with in_words():
        return util.try_simplify_traceback(error.__traceback__)


class _Traceback:
    """``traceback`` for ``main``: without our frames, and one error after the other."""

    @staticmethod
    def format_exception(*error: Any) -> list[str]:
        with in_words():
            return traceback.format_exception(*error)

    @staticmethod
    def format_exc() -> str:
        error = _cleaned()
        return "".join(_Traceback.format_exception(type(error), error, error.__traceback__))


def _cleaned() -> Any:
    """Return the error that is being handled, without our frames."""
    error: Any = sys.exc_info()[1]
    hide_our_frames(error)
    return error
