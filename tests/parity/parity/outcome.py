"""Answers in a form that compares exactly: types, bits of floats, order, and error texts."""

import re
from decimal import Decimal
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, Row
from pyspark.sql.types import VariantVal

# Only what must differ between two runs of the same query, whoever runs it.
UNSTABLE = (
    (re.compile(r"\bstage \d+\.\d+"), "stage N"),
    (re.compile(r"\btask \d+\.\d+"), "task N"),
    (re.compile(r"\bTID \d+"), "TID N"),
    (re.compile(r"\bResultTask\(\d+"), "ResultTask(N"),
    (re.compile(r"\(TID N\) \([^()]* executor driver\)"), "(TID N) (HOST)"),
    (re.compile(r"\bpid[ =]\d+"), "pid N"),
    (re.compile(r"\b0x[0-9a-f]+"), "0xN"),
    (re.compile(r"(?<=[\w$])@[0-9a-f]{4,}\b"), "@N"),
    (re.compile(r"#\d+L?\b"), "#N"),
    (re.compile(r"\[id = [-0-9a-f]+, runId = [-0-9a-f]+\]"), "[id = N, runId = N]"),
    (re.compile(r"\n=== Streaming Query ===.*", re.DOTALL), ""),
    # The JVM frames of a failed task name the node's class; the causes between them are compared.
    (re.compile(r"^\tat .*\n?", re.MULTILINE), ""),
    (re.compile(r"^\t\.\.\. \d+ more\n?", re.MULTILINE), ""),
)


def rows(frame: DataFrame, answer: Any, *, ordered: bool) -> Any:
    """The schema and the rows; a sorted list where the query promises no order."""
    schema = frame.schema.jsonValue()
    values = exact(answer)
    if not ordered and isinstance(answer, list):
        values = ("list", tuple(sorted(values[1], key=repr)))
    return ("rows", schema, values)


def error(raised: BaseException) -> Any:
    """Class, condition, state and text of what was raised, and of everything that caused it."""
    if isinstance(raised, PySparkException):
        condition, state = raised.getCondition(), raised.getSqlState()
        text = getattr(raised, "_desc", None) or str(raised)
    elif isinstance(raised, Py4JJavaError):
        condition, state, text = None, None, raised.java_exception.toString()
    else:
        condition, state, text = None, None, str(raised)
    return ("error", kind_of(raised), condition, state, stable(text), causes(raised))


def kind_of(raised: BaseException) -> str:
    """The classes it can be caught as in Python, and its class in the JVM."""
    origin = getattr(raised, "_origin", None)
    java = origin.getClass().getName() if origin is not None else "-"
    return " < ".join([java, *(base.__name__ for base in type(raised).__mro__)])


def causes(raised: BaseException) -> tuple[str, ...]:
    """The JVM's chain of causes: a class and a first line each."""
    found = []
    cause = getattr(raised, "_origin", None)
    while cause is not None and cause.getCause() is not None:
        cause = cause.getCause()
        found.append(stable(f"{cause.getClass().getName()}: {cause.getMessage()}"))
    return tuple(found)


def stable(text: str) -> str:
    """The text without what two runs cannot share."""
    for pattern, instead in UNSTABLE:
        text = pattern.sub(instead, text)
    return text


def exact(value: Any) -> Any:  # noqa: PLR0911 (one line a type)
    """A value that is equal to another's only where type, bits and order are."""
    if isinstance(value, Row):
        names = tuple(getattr(value, "__fields__", ()))
        return ("Row", names, tuple(exact(item) for item in value))
    if isinstance(value, float):
        return ("float", "nan" if value != value else value.hex())  # noqa: PLR0124 (NaN)
    if isinstance(value, list | tuple):
        return (type(value).__name__, tuple(exact(item) for item in value))
    if isinstance(value, dict):
        pairs = tuple((exact(key), exact(item)) for key, item in value.items())
        return ("dict", pairs)
    if isinstance(value, set | frozenset):
        return ("set", tuple(sorted(exact(item) for item in value)))
    if isinstance(value, VariantVal):
        return ("variant", bytes(value.value).hex(), bytes(value.metadata).hex())
    if isinstance(value, bytes | bytearray):
        return (type(value).__name__, bytes(value).hex())
    if isinstance(value, Decimal):
        return ("Decimal", str(value))
    return (type(value).__name__, repr(value))
