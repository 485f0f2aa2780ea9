"""Memory that runs out for an executor and its workers together, as it does in a container."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from test_crashes import COMMON

import clusters

pytestmark = pytest.mark.slow

LIMIT = 3500 << 20
#: One executor beside the driver, so that one worker grows.
CLUSTER = {
    "spark.master": "local-cluster[1,1,1024]",
    "spark.executor.memory": "512m",
    "spark.ember.lane": "process",
}
PLAN = {"executors": 1, "beside": True}


def ended_in_a_worker(told):
    """The worker went, by the signal and under its function's name; nothing else noticed."""
    assert told["first"]["right"], told
    assert told["second"]["right"], told
    assert (told["lost"], told["harm"], told["failed"]) == (0, 1, 1), told
    assert told["beside"]["right"], told
    assert "(crashed): function function in worker process" in told["log"]
    assert "was ended by signal 9 (SIGKILL" in told["log"]
    return True


def test_a_worker_is_ended_by_the_kernels_rule_when_memory_runs_out(tmp_path):
    with Reaper(tmp_path) as reaper:
        told = clusters.run(tmp_path, {**COMMON, **CLUSTER}, "hoard", PLAN)
    assert ended_in_a_worker(told)
    (victim,) = reaper.victims
    assert victim.offered > 0, "it has offered itself to be taken first"


def test_a_worker_is_ended_by_the_kernel_when_the_memory_of_its_group_runs_out(tmp_path):
    with memory_group() as group:
        told = clusters.run(tmp_path, {**COMMON, **CLUSTER}, "hoard", PLAN, joining=group)
    assert ended_in_a_worker(told)


class Reaper(threading.Thread):
    """What the kernel does to a group whose memory runs out, for the processes of an application.

    It ends the one that is worst by the kernel's own reckoning: what it holds, and its
    ``oom_score_adj`` thousandths of the limit.
    """

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.mark = f"TMPDIR={folder}".encode()
        self.over = threading.Event()
        self.victims = []

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()

    def run(self):
        while not self.over.wait(0.1):
            found = [process for pid in Path("/proc").glob("[0-9]*") if (process := self.see(pid))]
            if sum(process.held for process in found) > LIMIT:
                worst = max(found, key=lambda process: process.badness)
                os.kill(worst.pid, signal.SIGKILL)
                self.victims.append(worst)
                time.sleep(2)  # until it has gone

    def see(self, path):
        try:
            if self.mark not in (path / "environ").read_bytes().split(b"\0"):
                return None
            return Process(path)
        except OSError:  # it has gone meanwhile
            return None


class Process:
    """One process as the kernel's rule sees it."""

    def __init__(self, path):
        self.pid = int(path.name)
        self.held = int((path / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        self.offered = int((path / "oom_score_adj").read_text())

    @property
    def badness(self):
        return self.held + self.offered * LIMIT // 1000


@contextmanager
def memory_group():
    """A control group of this limit, as the file that takes its processes; or skip."""
    try:
        folder, tasks = made_group()
    except OSError as refused:
        pytest.skip(f"no control group can be made here: {refused}")
    try:
        if not ends_who_takes_too_much(tasks):
            pytest.skip("the control groups of this machine limit no memory")
        yield tasks
    finally:
        clusters.wait_until_empty(tasks)
        folder.rmdir()


def made_group():
    """Make one, in the second version's tree or the first's."""
    name = f"ember-faults-{os.getpid()}"
    second = Path("/sys/fs/cgroup/cgroup.controllers").exists()
    folder = Path("/sys/fs/cgroup", *(() if second else ("memory",)), name)
    folder.mkdir()
    limit = "memory.max" if second else "memory.limit_in_bytes"
    (folder / limit).write_text(str(LIMIT))
    return folder, folder / "cgroup.procs"


def ends_who_takes_too_much(tasks):
    """Whether the kernel keeps the limit: ask with a process that takes more, and nothing else."""
    taken = f"bytearray({LIMIT + (512 << 20)})"
    asked = subprocess.run(clusters.joined([sys.executable, "-c", taken], tasks), check=False)
    return asked.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL)
