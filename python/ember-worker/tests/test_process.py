"""The zygote and its workers, over a socket of the test: how they start, fork and end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[3]
ZYGOTE = ROOT / "python/ember-worker/src/ember_worker/process/zygote.py"
SECONDS = 60


def bridge() -> Path:
    """Return the bridge for this Python, as ``ci/build`` left it."""
    name = "py{}{}".format(*sys.version_info)
    path = ROOT / "target/jar/native/linux-x86_64" / name / "libember_bridge.so"
    if not path.exists():
        pytest.skip(f"{path} is absent: run ci/build")
    return path


class Executor:
    """The executor's end of a zygote."""

    def __init__(self, folder: Path) -> None:
        """Start a zygote and wait until it is ready."""
        self.library = shutil.copy(bridge(), folder)
        self.end, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.end.settimeout(SECONDS)
        self.forks = 0
        command = [sys.executable, str(ZYGOTE), self.library]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(command, stdin=theirs, env=environment)
        theirs.close()
        assert self.hear() == "ready"

    def hear(self) -> Any:
        """Return what the zygote tells next."""
        return json.loads(self.end.recv(4096))

    def fork(self) -> tuple[int, socket.socket]:
        """Have a worker forked; return its number and our end of its socket."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        files = [os.memfd_create(name) for name in ("input", "output")]
        os.posix_fallocate(files[0], 0, 4096)
        self.forks += 1
        socket.send_fds(self.end, [b"fork %d" % self.forks], [theirs.fileno(), *files])
        theirs.close()
        number, pid = self.hear()["forked"]
        assert number == self.forks
        for file in files:
            os.close(file)
        return pid, ours


@pytest.fixture(scope="module")
def executor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executor]:
    """One zygote for the module."""
    started = Executor(tmp_path_factory.mktemp("bridge"))
    yield started
    started.end.close()
    assert started.process.wait(SECONDS) == 0


def descriptors(pid: int) -> list[str]:
    """Return what a process has open."""
    return sorted(str(link.readlink()) for link in Path("/proc", str(pid), "fd").iterdir())


def test_a_zygote_forks_with_one_thread(executor: Executor) -> None:
    assert len(list(Path("/proc", str(executor.process.pid), "task").iterdir())) == 1


def test_a_worker_has_what_it_was_given_and_nothing_else(executor: Executor) -> None:
    pid, ours = executor.fork()
    time.sleep(0.5)
    kinds = [name.split(":")[0] for name in descriptors(pid)]
    assert kinds.count("/memfd") == 2
    assert kinds.count("socket") == 1
    assert len(kinds) == 6, kinds
    ours.close()
    assert executor.hear() == {"ended": [pid, 0]}


def test_a_worker_ends_when_its_executor_lets_it_go(executor: Executor) -> None:
    pid, ours = executor.fork()
    ours.close()
    assert executor.hear() == {"ended": [pid, 0]}


def test_a_worker_is_killed_on_the_executors_word_and_only_while_it_is_there(
    executor: Executor,
) -> None:
    pid, ours = executor.fork()
    executor.end.send(b"kill %d" % pid)
    assert executor.hear() == {"ended": [pid, signal.SIGKILL]}
    executor.end.send(b"kill %d" % pid)
    executor.end.send(b"kill %d" % os.getpid())
    second, other = executor.fork()
    for end in (ours, other):
        end.close()
    assert executor.hear() == {"ended": [second, 0]}


def test_workers_die_with_a_zygote_that_is_killed(tmp_path: Path) -> None:
    doomed = Executor(tmp_path)
    _, ours = doomed.fork()
    ours.settimeout(SECONDS)
    doomed.process.kill()
    assert ours.recv(1) == b""
    doomed.process.wait(SECONDS)
    for end in (ours, doomed.end):
        end.close()


def test_a_zygote_closes_what_it_inherits_and_not_what_there_might_be() -> None:
    code = """
import os
from ember_worker.process import zygote

inherited = [os.open(os.devnull, os.O_RDONLY) for _ in range(20)]
os.sysconf = lambda name: 1 << 30
os.closerange = lambda low, high: print("one by one to", high)
zygote.close_inherited()
print(sorted(int(name) for name in os.listdir("/proc/self/fd"))[:3], len(inherited))
for descriptor in inherited:
    try:
        os.fstat(descriptor)
    except OSError:
        continue
    print(descriptor, "is open")
"""
    environment = {**os.environ, "PYTHONPATH": str(ZYGOTE.parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=True,
        close_fds=False,
        env=environment,
        text=True,
    )
    assert done.stdout.splitlines() == ["[0, 1, 2] 20"]


def test_a_bridge_that_cannot_be_loaded_is_told(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.settimeout(SECONDS)
    missing = str(tmp_path / "absent.so")
    with subprocess.Popen([sys.executable, str(ZYGOTE), missing], stdin=theirs) as zygote:
        theirs.close()
        assert "ImportError" in json.loads(ours.recv(4096))["failed"]
        zygote.wait(SECONDS)
    ours.close()


def test_what_is_to_be_isolated_stays_in_a_worker() -> None:
    code = """
from ember_worker import boot

boot.load_worker(in_executor=False)
from ember_worker import signals

signals.isolate("add_one")
print("goes on")
"""
    environment = {**os.environ, "PYTHONPATH": str(ZYGOTE.parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, env=environment, text=True
    )
    assert done.stdout == "goes on\n"
