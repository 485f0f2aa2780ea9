"""Who sets aside what the whole process shares needs a worker; libraries do so as they like."""

from __future__ import annotations

import contextlib
import io
import re
import sys
import types
import warnings
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from pyspark import cloudpickle

from calling import Raised, call, on_own_thread
from ember_worker.stateless import keeps_nothing

if TYPE_CHECKING:
    from collections.abc import Callable


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
        stack.enter_context(warnings.catch_warnings())
        return "entered"


def decorated() -> str:
    @pd.option_context("display.width", 40)
    def within() -> str:
        return "entered"

    return within()


def by_hand() -> str:
    before = sys.stdout
    sys.stdout = io.StringIO()
    sys.stdout = before
    return "entered"


BLOCKS = [
    ("warnings.catch_warnings", in_block(warnings.catch_warnings)),
    ("warnings.catch_warnings", in_block(lambda: warnings.catch_warnings(record=True))),
    ("warnings.catch_warnings", within_a_stack),
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


def test_the_module_of_the_streams_is_what_it_was() -> None:
    assert isinstance(sys, types.ModuleType)
    assert call(cloudpickle.loads(cloudpickle.dumps(lambda: sys))) is sys

    def asks() -> int:
        return sys.maxsize

    assert keeps_nothing(asks)
    assert keeps_nothing(cloudpickle.loads(cloudpickle.dumps(asks)))
