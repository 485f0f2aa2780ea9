"""``TaskContext`` and ``BarrierTaskContext``: a class attribute in PySpark, per session here.

The six functions of PySpark that read or write the attribute are replaced; each keeps its meaning,
with the session in the place of the class. So is the one that tells where a barrier's tasks meet.
"""

from __future__ import annotations

from typing import Any

from ember_worker.state import CURRENT


def install() -> None:
    """Replace the seven functions."""
    from pyspark.taskcontext import BarrierTaskContext, TaskContext

    stock_get_barrier = BarrierTaskContext.get.__func__  # type: ignore[attr-defined]
    stock_initialize = BarrierTaskContext._initialize.__func__  # type: ignore[attr-defined]

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
            return stock_get_barrier(cls)  # which knows of none, and says so
        return found

    def initialize(cls: type, *meeting: Any) -> None:
        stock_initialize(get_or_create_barrier(cls), *meeting)

    _replace(TaskContext, "__new__", staticmethod(new))
    _replace(TaskContext, "_getOrCreate", classmethod(get_or_create))
    _replace(TaskContext, "_setTaskContext", classmethod(_write))
    _replace(TaskContext, "get", classmethod(_read))
    _replace(BarrierTaskContext, "_getOrCreate", classmethod(get_or_create_barrier))
    _replace(BarrierTaskContext, "get", classmethod(get_barrier))
    _replace(BarrierTaskContext, "_initialize", classmethod(initialize))


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
