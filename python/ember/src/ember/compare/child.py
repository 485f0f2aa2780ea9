"""Runs the application in a process of its own, on one leg, and writes what was seen of it.

``python -m ember.compare.child LEG RECORD CONF ANSWERS app.py [arguments]``, by :mod:`.runs` alone.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import json
import runpy
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from py4j.protocol import Py4JError
from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession

from ember.builder import PLUGINS, additions, without_ember
from ember.compare.actions import Recorder
from ember.compare.plans import Query, queries
from ember.compare.runs import EMBER

if TYPE_CHECKING:
    from collections.abc import Callable


class Seen:
    """What is told of a run: its actions, and the queries of its contexts."""

    def __init__(self, *, answers: bool) -> None:
        """Begin with nothing."""
        self.recorder = Recorder(answers=answers)
        self.queries: list[Query] = []
        self.contexts = 0

    def take_queries(self) -> None:
        """Read the queries of the context that is about to stop."""
        session = SparkSession._instantiatedSession  # noqa: SLF001 - PySpark's own way to ask
        if session is not None:
            with contextlib.suppress(Py4JError, OSError):  # a JVM that died tells nothing
                self.queries += queries(session)

    def write(self, path: Path) -> None:
        """Tell it all."""
        told = {
            "contexts": self.contexts,
            "ownSeconds": self.recorder.own_seconds,
            "actions": [action.to_json() for action in self.recorder.actions],
            "queries": [query.to_json() for query in self.queries],
        }
        path.write_text(json.dumps(told), encoding="utf-8")


def main(arguments: list[str]) -> None:
    """Run the application as ``python app.py`` would."""
    leg, record, conf, answers, application, *rest = arguments
    seen = Seen(answers=answers == "True")
    seen.recorder.install()
    _watch_contexts(seen, leg, json.loads(conf))
    sys.argv = [application, *rest]
    sys.path[0] = str(Path(application).resolve().parent)
    try:
        runpy.run_path(application, run_name="__main__")
    finally:
        if SparkContext._active_spark_context is not None:  # noqa: SLF001 - as above
            seen.take_queries()
        seen.write(Path(record))


def _watch_contexts(seen: Seen, leg: str, conf: dict[str, str]) -> None:
    """Put each context on its leg as it starts, and read its queries as it stops."""
    start: Callable[..., None] = SparkContext.__init__
    stop = SparkContext.stop
    parameters = inspect.signature(start)

    @functools.wraps(start)
    def started(*args: Any, **kwargs: Any) -> None:
        bound = parameters.bind(*args, **kwargs)
        given = bound.arguments.get("conf")
        given = SparkConf() if given is None else given
        for key, value in {**conf, **_of_leg(leg, {**dict(given.getAll()), **conf})}.items():
            given.set(key, value)
        bound.arguments["conf"] = given
        start(*bound.args, **bound.kwargs)
        seen.contexts += 1

    @functools.wraps(stop)
    def stopped(context: SparkContext) -> None:
        if getattr(context, "_jsc", None) is not None:  # it may be stopped twice, or half made
            seen.take_queries()
        stop(context)

    SparkContext.__init__ = started  # type: ignore[method-assign]
    SparkContext.stop = stopped  # type: ignore[method-assign, assignment]


def _of_leg(leg: str, given: dict[str, str]) -> dict[str, str]:
    """Turn Ember on, or off where the application has turned it on itself."""
    if leg == EMBER:
        return additions(given)
    return {PLUGINS: without_ember(given), "spark.ember.enabled": "false"}


if __name__ == "__main__":
    main(sys.argv[1:])
