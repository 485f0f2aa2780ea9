"""Sessions that are looked at: what is seen of them, where it goes, and that it ends with them."""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pyspark.sql.types import ArrayType, LongType, StringType

from ember_worker import sampling
from protocol import SCALAR_ARROW, header, run

if TYPE_CHECKING:
    from pathlib import Path

BATCH = [pa.RecordBatch.from_pydict({"_0": [1, 2]})]
SECONDS = 0.3


def _spin() -> None:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        pass


def _busy(values: Any) -> Any:
    _spin()
    return values


def _what_it_sees(values: Any) -> Any:
    names = sorted({thread.name for thread in threading.enumerate()})
    words = [str(os.environ.get(sampling.VARIABLE)), *names]
    return pa.array([words] * len(values))


def _run(
    function: Any, result: Any, folder: Path | None, every_ms: int = 5
) -> list[pa.RecordBatch]:
    now = time.monotonic_ns()
    asked = {} if folder is None else {sampling.VARIABLE: f"{every_ms}:{now}:{folder}"}
    batches, _ = run(header(SCALAR_ARROW, function, result), BATCH, asked)
    return batches


def _stacks(folder: Path) -> tuple[list[str], dict[str, int]]:
    """Return the head and the stacks of the one file that is there."""
    (path,) = folder.iterdir()
    assert path.suffix == ".stacks"
    head, *lines = path.read_text().splitlines()
    stacks = (line.split("\t") for line in lines)
    return head.split(), {frames: int(nanos) for nanos, frames in stacks}


def _until_no_sampler() -> bool:
    deadline = time.monotonic() + 10
    while sampling._sampler._thread is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    return sampling._sampler._thread is None


def test_a_busy_function_is_seen_for_as_long_as_it_worked(tmp_path: Path) -> None:
    _run(_busy, LongType(), tmp_path)
    (task, begun, ended), stacks = _stacks(tmp_path)
    assert task == "100"  # as the header says
    assert int(ended) - int(begun) >= SECONDS * 1e9
    seen = {frames: nanos for frames, nanos in stacks.items() if "_spin (" in frames}
    assert 0.5 * SECONDS < sum(seen.values()) / 1e9 <= (int(ended) - int(begun)) / 1e9
    frames = max(seen, key=seen.__getitem__).split(";")
    assert [frame.split(" ")[0] for frame in frames[-2:]] == ["_busy", "_spin"]
    assert frames[-1].startswith("_spin (test_sampling.py:")


def test_what_stands_below_a_function_is_sparks_and_not_ours(tmp_path: Path) -> None:
    _run(_busy, LongType(), tmp_path)
    _, stacks = _stacks(tmp_path)
    for frames in stacks:
        files = {frame.split("(")[-1].split(":")[0] for frame in frames.split(";")}
        assert not files & {"session.py", "transport.py", "depth.py", "seam_4_3.py"}, frames
    assert any("invoke_udf (worker.py:" in frames for frames in stacks)


def test_a_function_sees_nothing_of_it(tmp_path: Path) -> None:
    (asked,) = _run(_what_it_sees, ArrayType(StringType()), tmp_path)
    assert asked.column(0)[0].as_py()[0] == "None"


def test_the_sampler_ends_with_the_last_session(tmp_path: Path) -> None:
    _run(_busy, LongType(), tmp_path)
    assert _until_no_sampler()


def test_without_being_asked_nothing_is_looked_at(tmp_path: Path) -> None:
    assert _until_no_sampler()
    before = threading.active_count()
    (seen,) = _run(_what_it_sees, ArrayType(StringType()), None)
    assert len(seen.column(0)[0].as_py()) == before + 2  # its own lane, and the variable
    assert not list(tmp_path.iterdir())


def test_a_session_is_left_alone_when_its_folder_has_gone(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    ended = threading.Timer(SECONDS / 3, folder.rmdir)
    ended.start()
    _run(_busy, LongType(), folder)
    ended.join()
    assert not folder.exists()
    assert _until_no_sampler()


def test_a_session_is_looked_at_as_often_as_it_was_asked_for(tmp_path: Path) -> None:
    seldom, often = tmp_path / "seldom", tmp_path / "often"
    seldom.mkdir()
    often.mkdir()
    _run(lambda values: values, LongType(), seldom, every_ms=1000)
    _run(_busy, LongType(), often)
    _, stacks = _stacks(often)
    seen = sum(nanos for frames, nanos in stacks.items() if "_spin (" in frames)
    assert seen > 0.5 * SECONDS * 1e9


@pytest.mark.parametrize("collects", [True, False])
def test_nothing_is_collected_within_a_look_that_would_hang(
    monkeypatch: pytest.MonkeyPatch, *, collects: bool
) -> None:
    within = []
    current_frames = sys._current_frames
    monkeypatch.setattr(
        sys, "_current_frames", lambda: (within.append(gc.isenabled()), current_frames())[1]
    )
    (gc.enable if collects else gc.disable)()
    try:
        assert threading.get_ident() in sampling._current_frames()
        hangs = (3, 11) <= sys.version_info < (3, 11, 9)
        assert within == [collects and not hangs]
        assert gc.isenabled() == collects
    finally:
        gc.enable()
