"""Who sets aside what the whole process shares needs a worker; libraries do so as they like."""

from __future__ import annotations

import contextlib
import contextvars
import importlib
import io
import itertools
import re
import sys
import types
import warnings
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from pyspark import cloudpickle
from pyspark.sql.types import LongType

from calling import ONE_ROW, Raised, call, on_own_thread
from ember_worker.session import _tail
from ember_worker.state import CURRENT, State
from ember_worker.stateless import keeps_nothing
from ember_worker.transport import Outfile
from protocol import SCALAR_ARROW, FakeEndpoint, error_text, header, on_lane

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def of_module(name: str, function: Any) -> Any:
    """Return it as a module of that name would have it: this one counts as installed."""
    return types.FunctionType(
        function.__code__, {**globals(), "__name__": name}, closure=function.__closure__
    )


def in_block(block: Any) -> Callable[[], str]:
    def entered() -> str:
        with block():
            return "entered"

    return entered


def within_a_stack() -> str:
    with contextlib.ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings(record=True))
        return "entered"


def decorated() -> str:
    @pd.option_context("display.width", 40)
    def within() -> str:
        return "entered"

    return within()


def errors_by_itself() -> str:
    with warnings.catch_warnings(action="error"):
        return "entered"


def by_hand() -> str:
    before = sys.stdout
    sys.stdout = io.StringIO()
    sys.stdout = before
    return "entered"


BLOCKS = [
    ("warnings.catch_warnings", in_block(lambda: warnings.catch_warnings(record=True))),
    ("warnings.catch_warnings", within_a_stack),
    ("warnings.catch_warnings", errors_by_itself),
    ("pandas.option_context", in_block(lambda: pd.option_context("display.width", 40))),
    ("pandas.option_context", decorated),
    ("setting sys.stdout", in_block(lambda: contextlib.redirect_stdout(io.StringIO()))),
    ("setting sys.stderr", in_block(lambda: contextlib.redirect_stderr(None))),
    ("setting sys.stdout", by_hand),
]


@pytest.mark.parametrize(("name", "enter"), BLOCKS)
def test_a_block_needs_a_process(name: str, enter: Callable[[], str]) -> None:
    with pytest.raises(Raised, match=rf"signals\.NeedsProcess: {re.escape(name)} works in a"):
        call(of_module("__main__", enter))
    assert enter() == "entered"  # outside of sessions


def test_a_decorated_function_that_a_library_calls_needs_one() -> None:
    function = of_module("__main__", decorated)

    def mapped() -> Any:
        block = pd.option_context("display.width", 40)
        return pd.Series([1]).map(block(of_module("__main__", lambda value: value)))

    for called in (function, of_module("pandas.core.frame", mapped)):
        with pytest.raises(Raised, match=r"NeedsProcess: pandas\.option_context works"):
            call(called)


@pytest.mark.parametrize(("name", "enter"), BLOCKS[:4])
def test_what_a_library_enters_needs_none(name: str, enter: Callable[[], str]) -> None:
    assert call(of_module(name, enter)) == "entered"


@pytest.mark.parametrize("name", ["simplefilter", "filterwarnings"])
def test_filters_that_make_errors_need_a_process_and_others_do_not(name: str) -> None:
    change = getattr(warnings, name)
    for given in (lambda: change("error"), lambda: change(action="error")):
        with pytest.raises(Raised, match=rf"NeedsProcess: warnings\.{name} works"):
            call(of_module("__main__", given))
    before = warnings.filters[:]
    try:
        call(of_module("__main__", lambda: change("ignore", category=ImportWarning)))
        assert warnings.filters[0][:3:2] == ("ignore", ImportWarning)
    finally:
        warnings.filters[:] = before  # type: ignore[index]


def test_warnings_are_ignored_in_the_executor() -> None:
    def ignoring() -> str:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.warn("nobody sees it", stacklevel=1)
            return "done"

    assert call(of_module("__main__", ignoring)) == "done"


def in_vain(number: int) -> int:
    """Catch whatever comes, be it what is to stop the function."""
    try:
        with contextlib.redirect_stdout(None):
            return number
    except:  # noqa: E722 (the case)
        return -1


def in_other_words() -> None:
    try:
        sys.stdout = None  # type: ignore[assignment]
    except:  # noqa: E722 (the case)
        raise ValueError from None


@pytest.mark.parametrize("function", [lambda: in_vain(1), in_other_words])
def test_what_stops_a_function_does_so_whatever_it_catches(function: Callable[[], None]) -> None:
    with pytest.raises(Raised, match=r"signals\.NeedsProcess: setting sys\.stdout works in a"):
        call(function)
    assert call(lambda: "a later session") == "a later session"


def test_nothing_is_given_by_a_function_that_was_stopped() -> None:
    def each(values: Any) -> Any:
        in_vain(1)
        return values

    endpoint = FakeEndpoint(header(SCALAR_ARROW, each, LongType()), ONE_ROW * 3, {})
    tail = on_lane(endpoint)
    assert endpoint.taken == []
    assert "NeedsProcess: setting sys.stdout works" in error_text(tail)


def test_a_thread_of_the_functions_sets_streams_as_before() -> None:
    def replaced() -> bool:
        before, found = sys.stdout, io.StringIO()

        def take() -> None:
            with contextlib.redirect_stdout(found):
                print("taken")  # noqa: T201 (the case)

        on_own_thread(take)
        return sys.stdout is before and found.getvalue() == "taken\n"

    assert call(replaced)


def test_a_stream_may_be_set_to_itself() -> None:
    def again() -> None:
        sys.stdout = sys.stdout

    call(again)


def test_a_stream_is_not_taken_away() -> None:
    def delete() -> None:
        del sys.stdin

    with pytest.raises(Raised, match=r"NeedsProcess: setting sys\.stdin works"):
        call(delete)
    assert sys.stdin is sys.__stdin__


def test_other_modules_are_like_any(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "made_by_a_user.py").write_text("stdout = 1\n")
    monkeypatch.syspath_prepend(tmp_path)

    def change() -> Any:
        module = importlib.import_module("made_by_a_user")
        module.stdout = 2
        return module

    module = call(change)
    assert (type(module), module.stdout) == (types.ModuleType, 2)
    assert type(pd) is types.ModuleType
    of_sys = type(sys)
    assert all(isinstance(each, of_sys) for each in (module, sys, itertools))
    assert all(type(each) == of_sys for each in (module, sys, itertools))  # noqa: E721 (the case)
    assert not isinstance(1, of_sys)
    assert issubclass(types.ModuleType, of_sys)
    assert type(of_sys("a name", "and words")) is types.ModuleType


def test_a_class_of_modules_may_be_derived_from_that_of_sys() -> None:
    def derive() -> Any:
        class Lazy(type(sys)):  # type: ignore[misc]
            def __init__(self, name: str, number: int) -> None:
                super().__init__(name)
                self.stdout = number

        return Lazy("lazy", number=2), Lazy

    module, of_it = call(derive)
    assert (type(module), module.stdout) == (of_it, 2)
    assert isinstance(module, of_it)
    assert not isinstance(itertools, of_it)


def test_what_stops_a_function_may_be_told_in_its_counters() -> None:
    state = State({})
    state.needs_process = "it works elsewhere only"
    endpoint = FakeEndpoint(header(SCALAR_ARROW, len, LongType()), ONE_ROW, {})
    outfile = Outfile(endpoint)
    outfile.write(b"counted: 'ember_worker.signals.NeedsProcess: it works elsewhere only'")
    session = contextvars.copy_context()
    session.run(CURRENT.set, state)
    told = error_text(session.run(_tail, outfile))
    assert told.endswith("ember_worker.signals.NeedsProcess: it works elsewhere only\n")


def test_the_module_of_the_streams_is_what_it_was() -> None:
    assert isinstance(sys, types.ModuleType)
    assert call(cloudpickle.loads(cloudpickle.dumps(lambda: sys))) is sys

    def asks() -> int:
        return sys.maxsize

    assert keeps_nothing(asks)
    assert keeps_nothing(cloudpickle.loads(cloudpickle.dumps(asks)))


def test_a_module_of_a_class_of_its_own_may_keep_anything() -> None:
    class Counting(types.ModuleType):
        @property
        def next(self) -> int:
            vars(self)["made"] = vars(self).get("made", 0) + 1
            return int(vars(self)["made"])

    module = Counting("counting")
    assert not keeps_nothing(lambda: module.next)
