"""``TaskContext`` and ``BarrierTaskContext``: a class attribute in PySpark, per session here.

The six functions of PySpark that read or write the attribute are replaced; each keeps its meaning,
with the session in the place of the class.
"""

from __future__ import annotations

from typing import Any

from ember_worker.state import CURRENT


def install() -> None:
    """Replace the six functions."""
    from pyspark.errors import PySparkRuntimeError
    from pyspark.taskcontext import BarrierTaskContext, TaskContext

    def new(cls: type, **_fields: Any) -> Any:
        found = _read(cls)
        return _write(cls, object.__new__(cls)) if found is None else found

    def get_or_create(cls: type) -> Any:
        found = _read(cls)
        return _write(cls, TaskContext()) if found is None else found

    def get_or_create_barrier(cls: type) -> Any:
        found = _read(cls)
        return found if isinstance(found, BarrierTaskContext) else _write(cls, object.__new__(cls))

    def get_barrier(cls: type) -> Any:
        found = _read(cls)
        if not isinstance(found, BarrierTaskContext):
            raise PySparkRuntimeError(errorClass="NOT_IN_BARRIER_STAGE", messageParameters={})
        return found

    _replace(TaskContext, "__new__", staticmethod(new))
    _replace(TaskContext, "_getOrCreate", classmethod(get_or_create))
    _replace(TaskContext, "_setTaskContext", classmethod(_write))
    _replace(TaskContext, "get", classmethod(_read))
    _replace(BarrierTaskContext, "_getOrCreate", classmethod(get_or_create_barrier))
    _replace(BarrierTaskContext, "get", classmethod(get_barrier))


def _read(cls: type) -> Any:
    contexts = CURRENT.get().task_contexts
    for owner in cls.__mro__:
        if owner in contexts:
            return contexts[owner]
    return None


def _write(cls: type, context: Any) -> Any:
    CURRENT.get().task_contexts[cls] = context
    return context


def _replace(cls: type, name: str, function: Any) -> None:
    function.__func__.__doc__ = getattr(getattr(cls, name), "__doc__", None)
    setattr(cls, name, function)
