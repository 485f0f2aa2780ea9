"""Functions whose rows Spark pickles, in the one ``main`` of PySpark 4.1 and 4.2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspark import worker

from ember_worker import headers, one_main, pickled
from ember_worker.pickled import table

if TYPE_CHECKING:
    from collections.abc import Callable


def names() -> dict[str, Any]:
    """Return what names of ``main`` mean."""
    return {
        "read_udfs": pickled.reader(worker.read_udfs, worker.read_udfs),
        "read_udtf": table.reader(worker.read_udtf, worker.read_udtf),
    }


def frames(pass_task: Callable[[Any], None]) -> Callable[[Any], int]:
    """Tell how many frames an endpoint needs below it to be as deep as in Spark.

    ``pass_task`` is of ``headers``.
    """

    def below(endpoint: Any) -> int:
        try:
            kind = headers.eval_type(endpoint.header, pass_task)
            return one_main.FRAMES_BELOW - pickled.levels(kind, endpoint)
        except Exception:  # noqa: BLE001 - main reads the same header, and says what is wrong
            return one_main.FRAMES_BELOW

    return below
