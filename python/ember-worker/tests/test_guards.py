"""A function cannot end the executor, nor take the JVM's signals, nor its standard streams."""

from __future__ import annotations

import asyncio
import faulthandler
import io
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import threading
import time
import types
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql.types import LongType

from calling import ONE_ROW, Raised, call, on_own_thread
from ember_worker import guards, signals
from protocol import ARROW_ITER, header, run

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    "function",
    [
        lambda: os._exit(0),
        lambda: os.abort(),  # noqa: PLW0108 - the replaced one
        lambda: os.execv("/bin/true", ["true"]),
        lambda: os.execvp("true", ["true"]),
        lambda: os.kill(os.getpid(), signal.SIGKILL),
        lambda: os.killpg(os.getpgrp(), signal.SIGTERM),
        lambda: signal.raise_signal(signal.SIGTERM),
    ],
)
def test_a_function_that_would_end_the_process_is_stopped(function: Callable[[], Any]) -> None:
    with pytest.raises(Raised, match="would end the executor process"):
        call(function)


@pytest.mark.parametrize("number", [signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH])
def test_a_signal_that_ends_nobody_is_sent(number: int) -> None:
    assert call(lambda: os.kill(os.getpid(), number)) is None


def test_what_a_child_executes_has_the_environment_of_the_session() -> None:
    def spawn() -> int:
        os.environ["SET_HERE"] = "1"
        command = ["sh", "-c", 'exit "${SET_HERE:-0}"']
        return os.spawnv(os.P_WAIT, "/bin/sh", command) * 10 + os.spawnvp(os.P_WAIT, "sh", command)

    assert call(spawn) == 11


def test_the_frames_of_the_guard_are_not_in_the_traceback() -> None:
    with pytest.raises(Raised) as raised:
        call(lambda: os._exit(7))
    assert "os._exit(7)" in str(raised.value)
    assert "ember_worker/guards.py" not in str(raised.value)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_exits_later_ends_only_itself() -> None:
    def arm() -> threading.Thread:
        thread = threading.Thread(target=lambda: (time.sleep(0.05), os._exit(1)))
        thread.start()
        return thread

    thread = call(arm)
    thread.join(5)
    assert not thread.is_alive()


def test_a_forked_child_really_exits() -> None:
    def fork() -> int:
        child = os.fork()
        if child == 0:
            os._exit(5)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    assert call(fork) == 5


def test_a_forked_child_that_comes_back_never_reaches_the_bridge() -> None:
    def fork() -> int:
        child = os.fork()
        if child == 0:
            return 0
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    assert call(fork) == 1


def test_a_forked_child_that_asks_for_more_input_never_reaches_the_bridge() -> None:
    children: list[int] = []
    sys.modules["ember_test_children"] = types.SimpleNamespace(pids=children)  # type: ignore[assignment]

    def fork(batches: Any) -> Any:
        import ember_test_children

        for batch in batches:
            ember_test_children.pids.append(os.fork())
            yield batch

    batches, _ = run(header(ARROW_ITER, fork, LongType()), ONE_ROW * 2)
    assert len(batches) == 2
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [1, 1]


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("faulthandler.enable", lambda: faulthandler.enable()),  # noqa: PLW0108
        ("faulthandler.register", lambda: faulthandler.register(signal.SIGUSR2)),
        ("faulthandler.dump_traceback_later", lambda: faulthandler.dump_traceback_later(1)),
        ("os.closerange", lambda: os.closerange(0, 64)),
    ],
)
def test_what_would_upset_the_jvm_is_recorded_and_not_done(
    name: str, function: Callable[[], Any]
) -> None:
    before = guards.RECORDED.get(name, 0)
    assert call(function) is None
    assert guards.RECORDED[name] == before + 1


@pytest.mark.parametrize("on_main", [True, False])
@pytest.mark.parametrize("number", sorted(signals.JVM_SIGNALS))
def test_a_handler_for_a_signal_of_the_jvm_is_only_remembered(
    number: int, *, on_main: bool
) -> None:
    def handler(*_: Any) -> None:
        """Handle nothing."""

    def install() -> tuple[Any, ...]:
        first = signal.signal(number, handler)
        return first, signal.getsignal(number), signal.signal(number, signal.SIG_DFL)

    real = signals._get_handler(number)
    first, second, third = call(install, on_this_thread=on_main)
    assert first == (signal.SIG_DFL if real is None else real)
    assert (second, third) == (handler, handler)
    assert signals._get_handler(number) is real
    assert signal.getsignal(number) == first


@pytest.mark.parametrize("name", ["setrlimit", "prlimit"])
@pytest.mark.parametrize("which", [resource.RLIMIT_CORE, resource.RLIMIT_FSIZE])
def test_a_function_that_limits_its_process_needs_one(name: str, which: int) -> None:
    before = resource.getrlimit(which)
    given = () if name == "setrlimit" else (0,)

    def limit() -> None:
        getattr(resource, name)(*given, which, (0, 1))

    with pytest.raises(Raised, match=rf"signals\.NeedsProcess: resource\.{name}"):
        call(limit)
    assert resource.getrlimit(which) == before


def test_limits_that_are_there_or_cannot_be_are_answered_as_the_kernel_does() -> None:
    there = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert call(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, there)) is None
    assert call(lambda: resource.prlimit(0, resource.RLIMIT_NOFILE, there)) == there
    assert call(lambda: resource.prlimit(os.getpid(), resource.RLIMIT_NOFILE)) == there
    with pytest.raises(Raised, match="ValueError: current limit exceeds maximum limit"):
        call(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (2, 1)))
    with pytest.raises(Raised, match="ValueError: invalid resource specified"):
        call(lambda: resource.setrlimit(99, (1, 1)))


def test_a_limit_that_a_functions_own_thread_sets_is_not_set() -> None:
    before = resource.getrlimit(resource.RLIMIT_CORE)

    def elsewhere() -> Any:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(resource.setrlimit, resource.RLIMIT_CORE, (0, 1)).result()

    assert call(elsewhere) is None
    assert resource.getrlimit(resource.RLIMIT_CORE) == before


def test_a_forked_child_has_limits_of_its_own() -> None:
    def fork() -> int:
        child = os.fork()
        if child == 0:
            resource.setrlimit(resource.RLIMIT_CORE, (0, 1))
            os._exit(resource.getrlimit(resource.RLIMIT_CORE)[1])
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    assert call(fork) == 1


@pytest.mark.parametrize("on_main", [True, False])
def test_a_handler_needs_a_process(*, on_main: bool) -> None:
    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(Raised, match=r"ember_worker\.signals\.NeedsProcess: .*main thread"):
        call(lambda: signal.signal(signal.SIGALRM, signal.SIG_IGN), on_this_thread=on_main)
    assert signal.getsignal(signal.SIGALRM) == before


def test_what_is_to_be_isolated_needs_a_process() -> None:
    with pytest.raises(Raised, match=r"NeedsProcess: add_one works in a process of the function's"):
        call(lambda: signals.isolate("add_one"))


@pytest.mark.parametrize("on_main", [True, False])
def test_an_event_loop_that_hears_signals_needs_a_process(*, on_main: bool) -> None:
    async def listen() -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, print)

    with pytest.raises(Raised, match=r"signals\.NeedsProcess: signal\.set_wakeup_fd"):
        call(lambda: asyncio.run(listen()), on_this_thread=on_main)


def test_a_function_that_turns_the_fault_handler_on_is_told_that_it_is() -> None:
    def turn_on() -> tuple[bool, ...]:
        before = faulthandler.is_enabled()
        faulthandler.enable()
        return before, faulthandler.is_enabled()

    def turn_off() -> tuple[bool, ...]:
        faulthandler.enable()
        return faulthandler.disable(), faulthandler.disable(), faulthandler.is_enabled()  # type: ignore[func-returns-value]

    assert call(turn_on) == (False, True)
    assert call(turn_off) == (True, False, False)


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGALRM])
def test_a_handler_of_a_functions_own_thread_is_pythons_own_error(number: int) -> None:
    def elsewhere() -> Any:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(signal.signal, number, signal.SIG_DFL).result()

    with pytest.raises(Raised, match="ValueError: signal only works in main thread"):
        call(elsewhere)


def test_a_handler_that_is_none_is_pythons_own_error() -> None:
    with pytest.raises(Raised, match="TypeError: signal handler must be"):
        call(lambda: signal.signal(signal.SIGTERM, "no"), on_this_thread=True)  # type: ignore[arg-type]


def test_a_timer_without_a_handler_is_refused() -> None:
    for arm in (lambda: signal.alarm(1), lambda: signal.setitimer(signal.ITIMER_REAL, 1)):
        with pytest.raises(Raised, match="would end the executor process"):
            call(arm)
    assert call(lambda: signal.alarm(0)) == 0


def test_output_goes_to_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    stream = sys.__stdout__
    assert stream is not None
    call(lambda: print("printed", file=stream))
    call(lambda: stream.write("no line end"))
    call(lambda: subprocess.run(["echo", "from a child"], check=True))
    call(lambda: os.system("echo from a shell"))
    out, err = capfd.readouterr()
    assert out == ""
    for text in ("printed", "no line end", "from a child", "from a shell"):
        assert text in err


@pytest.mark.parametrize("name", ["stdin", "stdout", "stderr"])
def test_a_stream_that_a_function_closes_is_closed_for_its_session_alone(name: str) -> None:
    stream = getattr(sys, f"__{name}__")
    others: list[Any] = []

    def closed() -> Any:
        stream.close()
        stream.close()
        others.append(call(use))
        with pytest.raises(ValueError, match=r"^I/O operation on closed file\.$"):
            use()
        return stream.closed

    def use() -> Any:
        return (stream.read if name == "stdin" else lambda: stream.write("x\n"))()

    assert call(closed)
    expected = "" if name == "stdin" else 2
    assert [*others, call(use)] == [expected] * 2
    assert getattr(sys, f"__{name}__") is stream


@pytest.mark.parametrize("name", ["stdin", "stdout", "stderr"])
@pytest.mark.parametrize(
    "lose",
    [
        lambda stream: stream.detach().close(),
        lambda stream: stream.buffer.close(),
        lambda stream: stream.buffer.raw.close(),
    ],
)
def test_a_stream_that_a_function_has_closed_for_good_is_made_anew(
    name: str, lose: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, name, getattr(sys, f"__{name}__"))
    call(lambda: lose(getattr(sys, name)))
    made = getattr(sys, name)
    assert made is getattr(sys, f"__{name}__")
    assert not made.closed
    call(made.read if name == "stdin" else lambda: print("printed", file=made))


def test_a_closed_file_that_a_function_leaves_as_a_stream_is_put_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def leave() -> None:
        sys.stdout = io.StringIO()
        sys.stdout.close()

    monkeypatch.setattr(sys, "stdout", None)
    call(on_own_thread, leave)
    assert sys.stdout is sys.__stdout__


def test_standard_input_is_empty() -> None:
    assert sys.__stdin__ is not None
    assert call(sys.__stdin__.read) == ""
    assert call(lambda: subprocess.run(["cat"], check=True, timeout=5).returncode) == 0


def test_os_system_returns_a_wait_status() -> None:
    assert os.waitstatus_to_exitcode(call(lambda: os.system("exit 3"))) == 3
    assert os.waitstatus_to_exitcode(call(lambda: os.system("kill -9 $$"))) == -9


def test_multiprocessing_starts_fresh_interpreters_and_takes_closures() -> None:
    def pool(offset: int) -> Any:
        with multiprocessing.get_context().Pool(1) as workers:
            return workers.map(lambda value: value + offset, [1, 2])

    assert multiprocessing.get_context().get_start_method() == "spawn"
    assert call(pool, 10) == [11, 12]


def test_a_closure_takes_its_queues_and_locks_to_a_fresh_interpreter() -> None:
    class Answer:
        def __hidden(self) -> int:
            return 7

        def method(self) -> Any:
            return self.__hidden

    def through_a_queue() -> Any:
        queue: Any = multiprocessing.Queue()
        lock, answer = multiprocessing.Lock(), Answer().method()

        def put() -> None:
            with lock:
                queue.put(answer())

        child = multiprocessing.Process(target=put)
        child.start()
        try:
            return queue.get(timeout=60)
        finally:
            child.join()

    assert call(through_a_queue) == 7


def test_a_function_may_still_choose_to_fork() -> None:
    def fork() -> Any:
        context = multiprocessing.get_context("fork")
        queue = context.SimpleQueue()
        child = context.Process(target=lambda: queue.put(os.environ["GIVEN"]))
        child.start()
        child.join(10)
        return queue.get(), child.exitcode

    assert call(fork, environment={"GIVEN": "yes"}) == ("yes", 0)
