"""What is said to keep nothing between batches keeps nothing."""

from __future__ import annotations

import builtins
import functools
import itertools
import json
import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from pyspark import cloudpickle
from pyspark.sql.types import LongType, StructField, StructType

from ember_worker.stateless import keeps_nothing
from protocol import MAP_ARROW, SCALAR_ARROW, SCALAR_ROW, FakeEndpoint, header, on_lane

if TYPE_CHECKING:
    from collections.abc import Callable

#: As in a user's notebook: what is of no module is pickled with the function.
NOTEBOOK = {"__name__": "__main__", "__builtins__": builtins}
PLAIN = [
    "lambda x: x + 1",
    "lambda x: json.loads(x)['a']",
    "lambda x: PATTERN.sub('', x) if x else LIMIT",
    "lambda x: np.sin(x) * SCALE",
    "lambda x: len([v for v in x if v in NAMES])",
    "lambda x: twice(x)",
    "functools.partial(twice, 3)",
    "make_adder(3)",
    "recursive",
    "PATTERN.match",
    "str.upper",
    "math.sqrt",
    "len",
]
KEEPING = [
    "lambda x: next(COUNTER)",
    "lambda x: SEEN.append(x)",
    "lambda x, found={}: found.setdefault(x, len(found))",
    "lambda x: counting(x)",
    "counting",
    "make_counter()",
    "noting",
    "Doubler()",
    "Doubler().double",
    "lambda x: Doubler().double(x)",
    "SEEN.append",
    "lambda x: TABLE[x]",
    "functools.partial(SEEN.append)",
    "lambda x: setattr(twice, 'calls', x)",
    "lambda x: twice.__dict__.setdefault('calls', x)",
    "lambda x: globals().update(calls=x)",
    "lambda x: [vars(twice).update(calls=y) for y in x]",
    "lambda x: exec('calls = 1', {})",
    "lambda x: __import__('__main__').calls",
    "lambda x: sys.modules['__main__'].calls",
    "lambda x: twice.__globals__.update(calls=x)",
    "lambda x: twice.__annotations__.update(calls=x)",
    "lambda x: sys._getframe().f_globals.update(calls=x)",
    "lambda x: os.environ.setdefault('CALLS', x)",
    "lambda x: os.chdir(x)",
]
DEFINITIONS = """
COUNTER, SEEN, TABLE = itertools.count(), [], {1: 2}
PATTERN, LIMIT, SCALE, NAMES = re.compile('a'), 7, np.float64(2.0), frozenset('ab')
calls = 0

def twice(x):
    total = 0
    def add():
        nonlocal total
        total += x
    add(), add()
    return total

def make_adder(n):
    return lambda x: x + n

def recursive(x):
    return 1 if x < 2 else x * recursive(x - 1)

def counting(x):
    global calls
    calls += 1
    return calls

def make_counter():
    made = 0
    def count(x):
        nonlocal made
        made += 1
        return made
    return count

def noting(x):
    noting.last = x
    return x

class Doubler:
    def double(self, x):
        return 2 * x
    __call__ = double
"""


def arrived(text: str) -> Callable[..., Any]:
    """Return the function of ``text`` as a worker gets it: pickled where it was written."""
    modules = {"functools": functools, "itertools": itertools, "json": json}
    scope = {**NOTEBOOK, **modules, "math": math, "np": np, "re": re}
    exec(DEFINITIONS, scope)
    made = eval(text, scope)
    function: Callable[..., Any] = cloudpickle.loads(cloudpickle.dumps(made))
    return function


@pytest.mark.parametrize("text", PLAIN)
def test_a_function_over_what_never_changes_keeps_nothing(text: str) -> None:
    assert keeps_nothing(arrived(text))


@pytest.mark.parametrize("text", KEEPING)
def test_a_function_that_may_keep_something_is_not_said_to_keep_nothing(text: str) -> None:
    assert not keeps_nothing(arrived(text))


@pytest.mark.parametrize(
    ("kind", "text", "told"),
    [
        (SCALAR_ARROW, "lambda x: x", True),
        (SCALAR_ROW, "lambda x: x + LIMIT", True),
        (SCALAR_ROW, "lambda x: x + len(SEEN)", False),
        (MAP_ARROW, "lambda batches: batches", False),
    ],
)
def test_a_session_tells_of_functions_that_keep_nothing_and_of_no_others(
    kind: int, text: str, *, told: bool
) -> None:
    numbers = pa.RecordBatch.from_pydict({"_0": [1, 2]})
    result: Any = LongType()
    if kind == MAP_ARROW:
        result = StructType([StructField("_0", result)])
        numbers = pa.RecordBatch.from_arrays(
            [pa.StructArray.from_arrays(numbers.columns, ["_0"])], ["s"]
        )
    given = StructType([StructField("_0", LongType())]).json() if kind == SCALAR_ROW else None
    head = header(kind, arrived(text), result, input_type=given)
    endpoint = FakeEndpoint(head, [numbers])
    on_lane(endpoint)
    assert len(endpoint.taken) == 1
    assert endpoint.stateless == told
