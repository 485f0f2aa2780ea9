"""Who sets aside what the whole process shares needs a worker; libraries do so as they like."""

from __future__ import annotations

import contextlib
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
from ember_worker.stateless import keeps_nothing
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


@pytest.mark.parametrize(("name", "enter"), BLOCKS[:5])
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
    assert not isinstance(1, of_sys)
    assert type(of_sys("a name", "and words")) is types.ModuleType


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
