"""Functions whose rows Spark pickles, in the one ``main`` of PySpark 3.5 to 4.2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspark import worker

from ember_worker import headers, pickled
from ember_worker.pickled import table

if TYPE_CHECKING:
    from collections.abc import Callable


def names(others: Callable[..., Any] = worker.read_udfs) -> dict[str, Any]:
    """Return what names of ``main`` mean; ``others`` reads the functions of other kinds."""
    return {
        "read_udfs": pickled.reader(worker.read_udfs, others),
        "read_udtf": table.reader(worker.read_udtf, worker.read_udtf),
    }


def levels(pass_task: Callable[[Any], None]) -> Callable[[Any], int]:
    """Tell how many frames of ours stand between PySpark's loop and the functions of an endpoint.

    ``pass_task`` is of ``headers``.
    """

    def above(endpoint: Any) -> int:
        try:
            return pickled.levels(headers.eval_type(endpoint.header, pass_task), endpoint)
        except Exception:  # noqa: BLE001 - main reads the same header, and says what is wrong
            return 0

    return above
