"""What PySpark and Python keep in globals belongs to one session."""

# The calls of os are what is tested.
# ruff: noqa: PTH102, PTH106, PTH108, PTH109, PTH118
from __future__ import annotations

import contextvars
import decimal
import gc
import importlib
import os
import pickle
import subprocess
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pyspark import BarrierTaskContext, SparkFiles, TaskContext
from pyspark.accumulators import INT_ACCUMULATOR_PARAM, Accumulator
from pyspark.sql.types import LongType, StructField, StructType

from calling import ONE_ROW, call, on_own_thread
from ember_worker.isolation import broadcasts, process
from ember_worker.state import CURRENT, PROCESS, State
from protocol import (
    SCALAR_ARROW,
    SCALAR_ROW,
    FakeEndpoint,
    header,
    on_lane,
    run,
    run_vanilla,
    without_times,
)

if TYPE_CHECKING:
    from pathlib import Path


def _task() -> tuple[int, str | None]:
    context = TaskContext.get()
    assert context is not None
    assert context is TaskContext()
    assert context is TaskContext._getOrCreate()
    return context.partitionId(), context.getLocalProperty("key")


def test_the_task_context_is_that_of_the_session() -> None:
    assert call(_task, partition=4) == (4, "value 4")
    assert TaskContext.get() is None


def test_two_sessions_at_once_see_their_own_task_context_and_environment() -> None:
    meeting = threading.Barrier(2)

    def look(number: int) -> list[Any]:
        seen = []
        for _ in range(20):
            meeting.wait(10)
            seen.append((_task()[0], os.environ["NUMBER"], os.getenv("NUMBER")))
            os.environ["NUMBER"] = str(number)
        return seen

    def session_of(number: int) -> Any:
        return call(look, number, partition=number, environment={"NUMBER": str(number)})

    with ThreadPoolExecutor(2) as lanes:
        first, second = lanes.map(session_of, (1, 2))
    assert first == [(1, "1", "1")] * 20
    assert second == [(2, "2", "2")] * 20


def test_a_barrier_task_has_its_barrier_context_and_others_have_none() -> None:
    def barrier() -> Any:
        context = BarrierTaskContext.get()
        assert context is BarrierTaskContext._getOrCreate()
        assert context is TaskContext.get()
        return context.partitionId(), context._conn_info

    assert call(barrier, barrier=True, partition=3) == (3, "/nonexistent.sock")
    assert BarrierTaskContext._conn_info is None  # two at once meet where each was told
    with pytest.raises(Exception, match="NOT_IN_BARRIER_STAGE"):
        call(barrier)


def _counting() -> Any:
    counter: Any = Accumulator(900, 0, INT_ACCUMULATOR_PARAM)

    def count(value: int) -> int:
        counter.add(value)
        return value

    return count


def test_accumulators_of_two_sessions_at_once_are_not_mixed() -> None:
    given = [pa.RecordBatch.from_pydict({"_0": [1] * 2000})] * 5
    kind = StructType([StructField("_0", LongType())]).json()
    message = header(SCALAR_ROW, _counting(), LongType(), input_type=kind)
    _, expected = run_vanilla(message, given)
    with ThreadPoolExecutor(3) as lanes:
        tails = list(lanes.map(lambda _: run(message, given)[1], range(3)))
    assert pickle.dumps((900, 10000), 5)[2:] in expected
    assert [without_times(tail) for tail in tails] == [without_times(expected)] * 3


def _broadcast_file(folder: Path, name: str, value: object) -> str:
    path = folder / name
    path.write_bytes(pickle.dumps(value))
    return str(path)


def _broadcast_value(bid: int) -> Any:
    from pyspark.core.broadcast import _from_id

    return _from_id(bid).value


def test_a_broadcast_is_loaded_once_for_all_sessions(tmp_path: Path) -> None:
    path = _broadcast_file(tmp_path, "b", ["value"])
    first = call(_broadcast_value, 5, broadcasts=((5, path),))
    os.unlink(path)
    assert first == ["value"]
    assert call(_broadcast_value, 5, broadcasts=((5, path),)) is first


def test_the_same_broadcast_id_of_another_application_is_another_value(tmp_path: Path) -> None:
    old, new = (_broadcast_file(tmp_path, name, name) for name in ("old", "new"))
    assert call(_broadcast_value, 6, broadcasts=((6, old),)) == "old"
    assert call(_broadcast_value, 6, broadcasts=((6, new),)) == "new"


def test_a_session_sees_only_the_broadcasts_it_was_sent(tmp_path: Path) -> None:
    path = _broadcast_file(tmp_path, "b", "secret")
    assert call(_broadcast_value, 7, broadcasts=((7, path),)) == "secret"
    with pytest.raises(Exception, match="BROADCAST_VARIABLE_NOT_LOADED"):
        call(_broadcast_value, 7)


def test_only_the_broadcasts_of_the_last_session_are_kept(tmp_path: Path) -> None:
    paths = [_broadcast_file(tmp_path, str(number), [number]) for number in range(2)]
    first, second = ((20 + number, path) for number, path in enumerate(paths))
    from pyspark.core.broadcast import _broadcastRegistry, _from_id

    loaded: Any = _broadcastRegistry
    call(lambda: _from_id(20).value, broadcasts=(first,))
    gc.collect()
    assert first in loaded._loaded
    call(lambda: None)
    assert first in loaded._loaded
    call(lambda: _from_id(21).value, broadcasts=(second,))
    gc.collect()
    assert first not in loaded._loaded
    assert second in loaded._loaded


def test_a_removal_of_a_broadcast_the_session_never_had_means_nothing() -> None:
    assert call(lambda: broadcasts.BroadcastRegistry().pop(1234)) is None


def test_sparks_own_pipelining_is_shown_and_starts_no_thread() -> None:
    def look() -> Any:
        reading = [it.name for it in threading.enumerate() if "pipelined" in it.name]
        return os.getenv("SPARK_PIPELINED_UDF"), reading

    assert call(look, environment={"SPARK_PIPELINED_UDF": "1"}) == ("1", [])


def test_the_environment_of_a_session_is_the_workers_and_does_not_leak() -> None:
    def look() -> Any:
        before = (os.environ["EMBER_BASE"], os.environ["OVERLAY"], os.environb[b"OVERLAY"])
        os.environ["LEAK"] = "1"
        os.putenv("LEAK_TOO", "1")
        del os.environ["EMBER_BASE"]
        return before, os.getenv("LEAK"), os.environ.get("EMBER_BASE")

    assert call(look, environment={"OVERLAY": "a=b"}) == (("base", "a=b", b"a=b"), "1", None)
    assert "LEAK" not in os.environ
    assert call(lambda: ("LEAK" in os.environ, os.environ.get("EMBER_BASE"))) == (False, "base")


def test_the_variables_of_the_session_that_started_the_interpreter_stay_with_it() -> None:
    assert call(lambda: os.environ.get("EMBER_FIRST")) is None
    assert call(lambda: os.environ["EMBER_FIRST"], environment={"EMBER_FIRST": "own"}) == "own"


def test_os_environ_refuses_what_it_always_refused() -> None:
    def misuse() -> list[str]:
        errors = []
        for key, value in (("a=b", "c"), ("a\0b", "c"), ("a", 1)):
            try:
                os.environ[key] = value  # type: ignore[assignment]
            except (ValueError, TypeError) as error:
                errors.append(type(error).__name__)
        try:
            del os.environ["ABSENT"]
        except KeyError as error:
            errors.append(str(error))
        return errors

    assert call(misuse) == ["ValueError", "ValueError", "TypeError", "'ABSENT'"]


def test_a_process_that_a_session_starts_has_the_sessions_environment() -> None:
    def start() -> Any:
        os.environ["SET_INSIDE"] = "2"
        command = 'printf "$GIVEN $SET_INSIDE"'
        return subprocess.run(["sh", "-c", command], capture_output=True, check=True).stdout

    assert call(start, environment={"GIVEN": "1"}) == b"1 2"


def test_the_working_directory_and_the_umask_go_back_with_the_session(tmp_path: Path) -> None:
    def change() -> str:
        os.chdir(tmp_path)
        os.umask(0o77)
        return os.getcwd()

    def look() -> tuple[str, int]:
        return os.getcwd(), os.umask(0o22)

    before = os.getcwd()
    call(lambda: os.umask(0o22), on_this_thread=True)
    assert call(change, on_this_thread=True) == str(tmp_path)
    assert call(look, on_this_thread=True) == (before, 0o22)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has it per thread")
def test_a_lane_changes_its_own_working_directory_only(tmp_path: Path) -> None:
    before = os.getcwd()
    inside, go_on = threading.Event(), threading.Event()

    def change() -> str:
        os.chdir(tmp_path)
        inside.set()
        assert go_on.wait(10)
        return os.getcwd()

    with ThreadPoolExecutor(1) as lane:
        running = lane.submit(call, change)
        assert inside.wait(10)
        assert os.getcwd() == before
        go_on.set()
        assert running.result() == str(tmp_path)


def test_sys_path_and_the_recursion_limit_go_back_with_the_session() -> None:
    def change() -> None:
        sys.path.append("/left/behind")
        sys.path = [*sys.path, "/and/another"]
        sys.setrecursionlimit(1234)

    call(lambda: None)
    entries, limit = sys.path.copy(), sys.getrecursionlimit()
    call(change)
    assert sys.path == entries
    assert sys.getrecursionlimit() == limit


@pytest.mark.parametrize("cancelled", [False, True])
def test_sys_path_does_not_wait_for_a_session_that_hangs_after_its_cancellation(
    *,
    cancelled: bool,
) -> None:
    hanging = State({})
    process.enter(hanging, lambda: cancelled)
    try:
        call(lambda: sys.path.append("/left/behind"))
        assert ("/left/behind" in sys.path) is not cancelled
    finally:
        process.leave(hanging)
    assert "/left/behind" not in sys.path


def test_a_limit_that_two_sessions_change_goes_back_with_the_last() -> None:
    first_in, second_out = threading.Event(), threading.Event()

    def first() -> None:
        sys.setrecursionlimit(1300)
        first_in.set()
        assert second_out.wait(10)

    before = sys.getrecursionlimit()
    with ThreadPoolExecutor(1) as lane:
        running = lane.submit(call, first)
        assert first_in.wait(10)
        call(lambda: sys.setrecursionlimit(1400))
        assert sys.getrecursionlimit() == 1400
        second_out.set()
        running.result()
    assert sys.getrecursionlimit() == before


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="limits recursion through C by itself")
def test_the_recursion_limit_stays_within_the_stack() -> None:
    def recurse_through_c() -> Any:
        sys.setrecursionlimit(10**8)

        def descend(_: Any) -> Any:
            return sorted([1, 2], key=descend)

        try:
            descend(None)
        except RecursionError:
            return sys.getrecursionlimit()

    stack = threading.stack_size(16 << 20)
    try:
        assert call(recurse_through_c) == (16 << 20) // process.LEVEL_BYTES
    finally:
        threading.stack_size(stack)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has it per thread")
def test_a_connect_session_starts_in_the_directory_of_its_files(tmp_path: Path) -> None:
    environment = {"SPARK_JOB_ARTIFACT_UUID": "0-1"}
    before = os.getcwd()
    assert call(os.getcwd, files=str(tmp_path), environment=environment) == str(tmp_path)
    assert call(os.getcwd, files=str(tmp_path)) == before
    sys.path.remove(str(tmp_path))


def test_a_clients_folder_is_on_the_path_for_its_own_session_alone(tmp_path: Path) -> None:
    def look() -> Any:
        return sys.path[1]

    environment = {"SPARK_JOB_ARTIFACT_UUID": "0-1"}
    assert call(look, files=str(tmp_path), environment=environment) == str(tmp_path)
    assert str(tmp_path) not in sys.path


def test_a_clients_folder_leaves_the_path_though_others_run_on(tmp_path: Path) -> None:
    def look() -> Any:
        return str(tmp_path) in sys.path

    environment = {"SPARK_JOB_ARTIFACT_UUID": "0-1"}
    other, same = State({}), contextvars.copy_context()
    state = same.run(lambda: CURRENT.set(State({})) and CURRENT.get())
    process.enter(other, lambda: False)
    try:
        assert call(look, files=str(tmp_path), environment=environment)
        assert not look()
        same.run(process.lend_path, str(tmp_path))
        assert call(look, files=str(tmp_path), environment=environment)
        assert look(), "another session of the same client has it"
        state.take_back()
        assert not look()
    finally:
        process.leave(other)


def test_what_a_function_puts_in_the_place_of_the_path_goes_with_it() -> None:
    def replace() -> Any:
        sys.path = ("/nowhere", 7)  # type: ignore[assignment]
        return sys.path

    before = sys.path.copy()
    assert call(replace) == ("/nowhere", 7)
    assert sys.path == before


def test_the_directory_of_the_sessions_files_is_on_the_path_once(tmp_path: Path) -> None:
    def look() -> Any:
        return SparkFiles.getRootDirectory(), sys.path.index(str(tmp_path))

    assert call(look, files=str(tmp_path)) == (str(tmp_path), 1)
    call(look, files=str(tmp_path))
    assert sys.path.count(str(tmp_path)) == 1
    sys.path.remove(str(tmp_path))


def test_the_time_zone_a_function_sets_goes_back() -> None:
    def change() -> Any:
        os.environ["TZ"] = "Asia/Tokyo"
        time.tzset()
        return time.timezone

    before = time.timezone
    assert call(change) == -9 * 3600
    assert time.timezone == before


def test_threads_of_a_function_belong_to_its_session() -> None:
    seen: list[Any] = []

    def start() -> None:
        thread = threading.Thread(target=lambda: seen.append(_task()))
        thread.start()
        thread.join()
        assert not {"run", "_bootstrap"} & set(thread.__dict__)
        with ThreadPoolExecutor(1) as pool:
            seen.append(pool.submit(_task).result())
            seen.extend(pool.map(lambda _: _task(), [0]))

    call(start, partition=9)
    assert seen == [(9, "value 9")] * 3


def test_what_a_thread_of_a_function_raises_has_the_frames_it_has_in_a_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[list[str]] = []

    def note(raised: Any) -> None:
        seen.append([frame.name for frame in traceback.extract_tb(raised.exc_traceback)])

    def start() -> None:
        thread = threading.Thread(target=lambda: int("in a thread"))
        thread.start()
        thread.join()

    monkeypatch.setattr(threading, "excepthook", note)
    start()
    call(start)
    assert seen[0] == seen[1]
    assert seen[0][-1] == "<lambda>"


@pytest.mark.parametrize("seconds", [0, 2])
def test_threads_that_outlive_their_session_are_told_of(seconds: int) -> None:
    def start(values: Any) -> Any:
        threading.Thread(target=time.sleep, args=(seconds,), daemon=True).start()
        return values

    endpoint = FakeEndpoint(header(SCALAR_ARROW, start, LongType()), ONE_ROW)
    assert on_lane(endpoint)
    assert len(endpoint.taken) == 1
    assert endpoint.threads_left == (seconds > 0)


def test_contexts_of_libraries_start_fresh_in_every_session() -> None:
    variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable", default=0)

    def change() -> tuple[int, int]:
        before = variable.get(), decimal.getcontext().prec
        variable.set(1)
        decimal.getcontext().prec = 5
        return before

    assert call(change, on_this_thread=True) == (0, 28)
    assert call(change, on_this_thread=True) == (0, 28)


def test_outside_a_session_there_is_only_the_process() -> None:
    call(lambda: None, on_this_thread=True)
    assert CURRENT.get() is PROCESS


def test_what_a_function_leaves_behind_is_no_error_for_the_next() -> None:
    def vanish() -> None:
        folder = os.path.join("/tmp", f"ember-gone-{os.getpid()}")
        os.mkdir(folder)
        os.chdir(folder)
        os.rmdir(folder)

    before = os.getcwd()
    call(vanish, on_this_thread=True)
    assert os.getcwd() == before
    assert run(header(SCALAR_ARROW, _identity, LongType()), ONE_ROW)[0]


class RaisingThread(threading.Thread):
    """Raises what happened in it when it is waited for, as many recipes have it."""

    def run(self) -> None:
        try:
            int("in a thread")
        except ValueError as error:
            self.error = error

    def join(self, timeout: float | None = None) -> None:
        super().join(timeout)
        raise self.error

    def is_alive(self) -> bool:
        raise self.error


def test_a_thread_that_raises_when_it_is_waited_for_ends_no_session_late() -> None:
    kept: list[RaisingThread] = []

    def caught() -> str:
        kept.append(RaisingThread())
        kept[0].start()
        try:
            kept[0].join()
        except ValueError as error:
            return str(error)
        return "nothing"

    assert "in a thread" in call(caught, on_this_thread=True)


def test_a_stream_that_a_function_has_left_is_no_error_for_the_next() -> None:
    class Stream:
        @staticmethod
        def flush() -> None:
            raise SystemExit(3)

    def replaced() -> None:
        sys.stdout = Stream()  # type: ignore[assignment]

    before = sys.stdout
    try:
        call(on_own_thread, replaced, on_this_thread=True)
    finally:
        sys.stdout = before


def _identity(values: Any) -> Any:
    return values


def test_caches_of_imports_are_dropped_by_one_session_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inside: list[int] = []
    most: list[int] = []

    class Finder:
        @staticmethod
        def invalidate_caches() -> None:
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.02)
            inside.pop()

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder()])
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: call(importlib.invalidate_caches), range(4)))
    assert len(most) >= 4
    assert max(most) == 1
