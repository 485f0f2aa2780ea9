"""Runs of the application, one after the other: without Ember, with it, without, with."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ember.compare.answers import Action
from ember.compare.memory import Peak
from ember.compare.plans import Query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

#: The two ways of running it.
SPARK: Final = "spark"
EMBER: Final = "ember"
#: How long processes may take to end.
_GRACE_S: Final = 10


@dataclass(frozen=True)
class Application:
    """What is run, and how."""

    words: tuple[str, ...]
    conf: dict[str, str]
    answers: bool
    folder: Path


@dataclass
class Run:
    """One run, as it ended. ``actions`` and ``queries`` are empty where it told nothing."""

    leg: str
    seconds: float
    peak_bytes: int
    status: int
    log: str
    contexts: int = 0
    actions: list[Action] = field(default_factory=list)
    queries: list[Query] = field(default_factory=list)

    @property
    def in_actions(self) -> float:
        """Time in which the application waited for Spark's answers."""
        return sum(action.seconds for action in self.actions)


def run(application: Application, leg: str, number: int, tick: Callable[[float], None]) -> Run:
    """Run it once; ``tick`` hears how long it has taken, now and then. An interruption ends it.

    So does what would end this process: the application is in a session of its own, and would stay.
    """
    with _interruptions():
        return _run(application, leg, number, tick)


@contextlib.contextmanager
def _interruptions() -> Iterator[None]:
    """Have a hang-up and a termination interrupt, as Ctrl-C does; on the main thread alone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _run(application: Application, leg: str, number: int, tick: Callable[[float], None]) -> Run:
    # The application may change its folder before it is written.
    record = application.folder.resolve() / f"run-{number}-{leg}.json"
    log = application.folder / f"run-{number}-{leg}.log"
    record.unlink(missing_ok=True)
    told = [leg, str(record), json.dumps(application.conf), str(application.answers)]
    command = [sys.executable, "-m", "ember.compare.child", *told, *application.words]
    begun = time.monotonic()
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603 - the user's application
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            with Peak(process.pid) as peak:
                status = _wait(process, begun, tick)
            seconds = time.monotonic() - begun
        finally:
            _end(process)
    return _read(Run(leg, seconds, peak.bytes, status, str(log)), record)


def _wait(process: subprocess.Popen[bytes], begun: float, tick: Callable[[float], None]) -> int:
    while True:
        try:
            return process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            tick(time.monotonic() - begun)


def _end(process: subprocess.Popen[bytes]) -> None:
    """See the application and its JVM off: by themselves if it has ended, else by force."""
    try:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        end = time.monotonic() + _GRACE_S
        while _lives(process.pid) and time.monotonic() < end:
            process.poll()
            time.sleep(0.05)
    finally:  # who interrupts once more does not want to wait
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _lives(group: int) -> bool:
    """Whether a process of the group runs; one that has ended and was not waited for does not."""
    return any(_group_of(path) == group for path in Path("/proc").glob("[0-9]*/stat"))


def _group_of(path: Path) -> int | None:
    try:
        state, _, group, *_ = path.read_text(errors="replace").rpartition(")")[2].split()
    except (OSError, ValueError):
        return None
    return None if state == "Z" else int(group)


def _read(run: Run, record: Path) -> Run:
    """Add what the run told, if it came to that."""
    try:
        told: dict[str, Any] = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return run
    run.seconds -= told["ownSeconds"]
    run.contexts = told["contexts"]
    run.actions = [Action.from_json(each) for each in told["actions"]]
    run.queries = [Query.from_json(each) for each in told["queries"]]
    return run


def of_leg(runs: Sequence[Run], leg: str) -> list[Run]:
    """Give the runs of one leg, in order."""
    return [run for run in runs if run.leg == leg]
