"""What is said to keep nothing between batches keeps nothing."""

from __future__ import annotations

import builtins
import functools
import importlib
import itertools
import json
import math
import re
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from pyspark import cloudpickle
from pyspark.sql.types import LongType, StructField, StructType

from ember_worker.stateless import keeps_nothing
from protocol import MAP_ARROW, SCALAR_ARROW, SCALAR_ROW, FakeEndpoint, header, on_lane

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

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
    "lambda x: importlib.import_module('calls').SEEN.append(x)",
    "Doubler.made",
]
#: The same with a package of the user's own, which functions name and do not bring along.
PLAIN_WITH_OWN = [
    "own.double",
    "lambda x: own.double(x)",
    "lambda x: own.clean(x, own.LIMIT)",
    "lambda x: own.parts.scaled(x)",
    "lambda x: own.checked(x)",
    "lambda x: own.Numbers.double(x)",
    "own.Numbers.halved",
    "own.logging_double",
    "own.repeated",
    "own.through_relative_import",
    "local_import",
    "local_import_of_own",
    "functools.partial(own.double, 3)",
    "lambda x: np.sin(x) + own.LIMIT",
    "lambda x: getattr(x, 'real')",
]
KEEPING_WITH_OWN = [
    "own.count",
    "lambda x: own.count()",
    "lambda x: own.through(x)",
    "lambda x: own.SEEN.append(x)",
    "lambda x: own.TABLE[x]",
    "lambda x: own.COUNTER()",
    "lambda x, m=own: m.SEEN.append(x)",
    "lambda x: own.parts.KEPT.update(x)",
    "lambda x: own.Counter().bump()",
    "own.Counter.bump_all",
    "lambda x: own.Total.add(x)",
    "lambda x: getattr(own, 'SEEN').append(x)",
    "lambda x: own.asked.later.append(x)",
    "lambda x: own.cached(x)",
    "own.through_import",
    "own.through_relative_import_of_one_that_is_not_loaded",
    "through_local_import",
    "not_imported_yet",
    "setting_what_is_the_modules",
]
OWN = {
    "__init__": """
import functools, json, logging, re
import numpy as np
from own import asked, parts
SEEN, TABLE, LIMIT, PATTERN, total = [], {1: 2}, 7, re.compile('a'), 0
logger = logging.getLogger(__name__)

def double(x):
    return 2 * x

def clean(x, most):
    return json.dumps(np.abs(len(PATTERN.sub('', x)[:most])))

def logging_double(x):
    logger.info('%s', x)
    return double(x)

def again(function):
    @functools.wraps(function)
    def twice(x):
        return function(function(x))
    return twice

@again
def repeated(x):
    return x + 1

class WrongNumberError(ValueError):
    most = LIMIT

def checked(x):
    if x > LIMIT:
        raise WrongNumberError(x)
    return x

class Numbers:
    base = 2
    @staticmethod
    def double(x):
        return 2 * x
    @classmethod
    def halved(cls, x):
        return x / cls.base

def count():
    global total
    total += 1
    return total

def through(x):
    return count() + x

class Counter:
    calls = 0
    def bump(self):
        Counter.calls += 1
        return Counter.calls
    @classmethod
    def bump_all(cls, x):
        cls.calls += x
        return cls.calls
    __call__ = bump

class Total:
    sums = []
    @classmethod
    def add(cls, x):
        cls.sums.append(x)

COUNTER = Counter()

@functools.lru_cache
def cached(x):
    return x

def through_import(x):
    import own.parts
    return own.parts.KEPT.setdefault(x, 1)

def through_relative_import(x):
    from .parts import scaled
    return scaled(x)

def through_relative_import_of_one_that_is_not_loaded(x):
    from . import lazy
    return lazy.double(x)
""",
    "parts": """
KEPT, SCALE = {}, 3.0

def scaled(x):
    return SCALE * x
""",
    "asked": """
def __getattr__(name, kept=[]):
    return kept
""",
    "lazy": """
def double(x):
    return 2 * x
""",
}
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
    @classmethod
    def made(cls, x):
        return cls()

def local_import(x):
    import decimal
    import numpy.linalg as linear
    from pyarrow import compute
    return compute.sum(x), linear.norm(x), decimal.Decimal(x)
"""
WITH_OWN = """
import own

def local_import_of_own(x):
    from own import double
    return double(x)

def through_local_import(x):
    from own import count
    return count()

def not_imported_yet(x):
    import own.lazy
    return own.lazy.double(x)

def setting_what_is_the_modules(x):
    own.total += x
    return own.total
"""


@pytest.fixture
def own_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Bring a package as a user does with ``addPyFile``."""
    (tmp_path / "own").mkdir()
    for name, text in OWN.items():
        (tmp_path / "own" / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "own"]:
        del sys.modules[name]


def arrived(text: str, more: str = "") -> Callable[..., Any]:
    """Return the function of ``text`` as a worker gets it: pickled where it was written."""
    modules = {"functools": functools, "itertools": itertools, "json": json}
    scope = {**NOTEBOOK, **modules, "importlib": importlib, "math": math, "np": np, "re": re}
    exec(DEFINITIONS + more, scope)
    made = eval(text, scope)
    function: Callable[..., Any] = cloudpickle.loads(cloudpickle.dumps(made))
    return function


@pytest.mark.parametrize("text", PLAIN)
def test_a_function_over_what_never_changes_keeps_nothing(text: str) -> None:
    assert keeps_nothing(arrived(text))


@pytest.mark.parametrize("text", KEEPING)
def test_a_function_that_may_keep_something_is_not_said_to_keep_nothing(text: str) -> None:
    assert not keeps_nothing(arrived(text))


@pytest.mark.usefixtures("own_package")
@pytest.mark.parametrize("text", PLAIN_WITH_OWN)
def test_a_function_may_use_modules_of_the_users_own_that_keep_nothing(text: str) -> None:
    assert keeps_nothing(arrived(text, WITH_OWN))


@pytest.mark.usefixtures("own_package")
@pytest.mark.parametrize("text", KEEPING_WITH_OWN)
def test_what_modules_of_the_users_own_keep_is_kept(text: str) -> None:
    assert not keeps_nothing(arrived(text, WITH_OWN))


def test_a_look_that_would_go_far_is_not_taken() -> None:
    chain = "".join(f"def f{n}(x): return f{n + 1}(x)\n" for n in range(200))
    scope = dict(NOTEBOOK)
    exec(f"def f200(x): return x\n{chain}", scope)
    assert keeps_nothing(scope["f120"])
    assert not keeps_nothing(scope["f0"])


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
