"""Watches the actions of an application: each is timed, and what it answered is summed up.

Patched into PySpark's classes before the application starts. What is written is summed up in the
pass that writes it, by an observation of Spark's.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Final

import pyspark
from pyspark.errors import PySparkException
from pyspark.sql import DataFrameWriter, DataFrameWriterV2, Observation
from pyspark.sql import functions as F  # noqa: N812 - PySpark's custom
from pyspark.sql.types import ArrayType, MapType, StructType

try:
    from pyspark.sql.classic.dataframe import DataFrame
except ImportError:  # in Spark 3.5 there is one alone
    from pyspark.sql import DataFrame  # type: ignore[assignment]

from ember.compare.answers import (
    Action,
    Answer,
    of_arrow,
    of_pandas,
    of_rows,
    of_text,
    of_value,
)
from ember.errors import condition_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql.types import DataType

_READS: Final = {
    "collect": of_rows,
    "count": of_value,
    "first": of_value,
    "head": of_value,
    "isEmpty": of_value,
    "tail": of_rows,
    "take": of_rows,
    "toArrow": of_arrow,
    "toPandas": of_pandas,
    "_show_string": of_text,
}
_WITHOUT_ANSWER: Final = ("foreach", "foreachPartition")
_WRITES: Final = {
    DataFrameWriter: (
        *("save", "saveAsTable", "insertInto", "json", "parquet", "text", "csv"),
        *("xml", "orc", "jdbc"),
    ),
    DataFrameWriterV2: (
        *("create", "replace", "createOrReplace", "append", "overwrite"),
        "overwritePartitions",
    ),
}
_OBSERVATION: Final = "_ember_observation"
#: How long a write that did nothing is waited for: its observation never comes.
_OBSERVED_S: Final = 5
_NOT_THE_USERS: Final = (os.path.dirname(pyspark.__file__), os.path.dirname(__file__))  # noqa: PTH120


class Recorder:
    """What an application did, in order."""

    def __init__(self, *, answers: bool) -> None:
        """Keep the actions, and sum their answers up if ``answers``."""
        self.actions: list[Action] = []
        #: Time that went into summing up; it is none of the application's.
        self.own_seconds = 0.0
        self._answers = answers
        self._thread = threading.local()
        self._lock = threading.Lock()

    def install(self) -> None:
        """Patch PySpark's classes."""
        for name, answer in _READS.items():
            self._watch(DataFrame, name, _of_result(answer))
        for name in _WITHOUT_ANSWER:
            self._watch(DataFrame, name, lambda *_: None)
        for writer, names in _WRITES.items():
            for name in names:
                self._watch(writer, name, lambda self, _: _observed(self))
        if self._answers:
            _observe_writes()

    def _watch(self, owner: type, name: str, answer: Callable[[Any, Any], Answer | None]) -> None:
        original = getattr(owner, name, None)
        if original is None:  # it came with a later Spark
            return

        @functools.wraps(original)
        def watched(this: Any, *args: Any, **kwargs: Any) -> Any:
            if getattr(self._thread, "inside", False):
                return original(this, *args, **kwargs)
            action = self._begun(name.strip("_").removesuffix("_string"))
            result = self._timed(action, lambda: original(this, *args, **kwargs))
            if self._answers:
                begun = time.perf_counter()
                action.answer = answer(this, result)
                self.own_seconds += time.perf_counter() - begun
            return result

        setattr(owner, name, watched)

    def _begun(self, name: str) -> Action:
        action = Action(name, _where())
        with self._lock:
            self.actions.append(action)
        return action

    def _timed(self, action: Action, work: Callable[[], Any]) -> Any:
        self._thread.inside = True
        begun = time.perf_counter()
        try:
            return work()
        except BaseException as error:
            action.error = _told(error)
            raise
        finally:
            action.seconds = time.perf_counter() - begun
            self._thread.inside = False


def _of_result(answer: Callable[[Any], Answer]) -> Callable[[Any, Any], Answer]:
    return lambda _, result: answer(result)


def _told(error: BaseException) -> str:
    """Name an error by what does not differ between two runs that fail alike."""
    if isinstance(error, PySparkException) and (condition := condition_of(error)):
        return f"{type(error).__name__}: {condition}"
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[-1].strip() if lines else ''}"


def _where() -> str:
    """Name the line of the user's that led here."""
    frame = sys._getframe(1)  # noqa: SLF001 - the standard library's own way to walk a stack
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_NOT_THE_USERS):
        frame = frame.f_back
    return f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"  # noqa: PTH119


def _observe_writes() -> None:
    """Have every writer write an observed frame."""
    plain_write: Any = DataFrame.write
    plain_write_to = DataFrame.writeTo

    def write(frame: DataFrame) -> Any:
        return _with_observation(frame, plain_write.fget)

    def write_to(frame: DataFrame, table: str) -> Any:
        return _with_observation(frame, lambda each: plain_write_to(each, table))

    DataFrame.write = property(write)  # type: ignore[method-assign, assignment]
    DataFrame.writeTo = write_to  # type: ignore[method-assign, assignment]


def _with_observation(frame: DataFrame, writer: Callable[[Any], Any]) -> Any:
    if frame.isStreaming or not frame.columns:
        return writer(frame)
    observation = Observation()
    digest = F.sum(F.xxhash64(*map(_hashable, frame.schema.fields)).cast("decimal(20,0)"))
    try:
        observed = frame.observe(observation, F.count(F.lit(1)).alias("n"), digest.alias("d"))
    except PySparkException:  # a type that cannot be hashed, or names that are not unique
        return writer(frame)
    made = writer(observed)
    setattr(made, _OBSERVATION, observation)
    return made


def _hashable(field: Any) -> Any:
    """Name a column; Spark hashes no maps, so what holds one is hashed as JSON."""
    column = F.col("`{}`".format(field.name.replace("`", "``")))
    return F.to_json(column) if _has_map(field.dataType) else column


def _has_map(kind: DataType) -> bool:
    if isinstance(kind, StructType):
        return any(_has_map(field.dataType) for field in kind.fields)
    if isinstance(kind, ArrayType):
        return _has_map(kind.elementType)
    return isinstance(kind, MapType)


def _observed(writer: Any) -> Answer | None:
    """Read what was observed of what a writer wrote; a write that did nothing has no answer."""
    observation = getattr(writer, _OBSERVATION, None)
    if observation is None:
        return None
    end = time.monotonic() + _OBSERVED_S
    while not observation._jo.future().isCompleted():  # noqa: SLF001 - `get` would wait for ever
        if time.monotonic() > end:
            return None
        time.sleep(0.01)
    seen = observation.get
    return Answer(int(seen["n"]), str(seen["d"]))
