"""Errors of sessions that fail at once have the lines of their sources, as one alone has."""

from __future__ import annotations

import io
import linecache
import sys
import threading
import zipfile
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from ember_worker import tracebacks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SOURCE = "# a line\n" * 2_000 + "def fail(value):\n    raise ValueError(value)\n"
THREADS = 4


class _Outfile(io.BytesIO):
    endpoint = SimpleNamespace(cancelled=False)


@pytest.fixture
def fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """A function of a module that lies in an archive."""
    with zipfile.ZipFile(tmp_path / "shipped.zip", "w") as archive:
        archive.writestr("shipped.py", SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path / "shipped.zip"))
    import shipped  # type: ignore[import-not-found]

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield shipped.fail
    sys.setswitchinterval(before)
    del sys.modules["shipped"]


def test_errors_at_once_have_their_source_lines(fail: Callable[[int], None]) -> None:
    for _ in range(20):
        linecache.clearcache()
        texts = _texts_at_once(fail)
        assert [b"    raise ValueError(value)\n" in text for text in texts] == [True] * THREADS


def test_an_error_waits_for_a_slow_one_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracebacks, "_PATIENCE_S", 0.01)
    slow, done = threading.Event(), threading.Event()

    def hold() -> None:
        with tracebacks.in_words():
            slow.set()
            done.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    assert slow.wait(10)
    text = _text(_raise)
    done.set()
    holder.join()
    assert b"ValueError: quick" in text


def _raise() -> None:
    message = "quick"
    raise ValueError(message)


def _texts_at_once(fail: Callable[[int], None]) -> list[bytes]:
    gate = threading.Barrier(THREADS)
    texts: list[bytes] = [b""] * THREADS

    def run(at: int) -> None:
        gate.wait()
        texts[at] = _text(fail, at)

    threads = [threading.Thread(target=run, args=(at,)) for at in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return texts


def _text(fail: Callable[..., None], *args: Any) -> bytes:
    from ember_worker import stand_ins  # after the start of the interpreter

    outfile = _Outfile()
    try:
        fail(*args)
    except ValueError as error:
        stand_ins.handle_worker_exception(error, outfile)
    return outfile.getvalue()
