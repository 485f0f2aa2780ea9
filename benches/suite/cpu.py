"""CPU seconds of a process and of everything it started."""

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TICK: Final = 1 / os.sysconf("SC_CLK_TCK")
COMPILER: Final = re.compile(r"C[12] Compiler")


@dataclass(frozen=True)
class Cpu:
    """CPU seconds: those of the JVM, and those of the Python processes below it.

    ``compilers`` is the part of the JVM's that its compilers of hot code took.
    """

    jvm: float
    python: float
    compilers: float


@dataclass(frozen=True)
class Reading:
    """The CPU clocks of a JVM and of the processes below it, in seconds.

    ``reaped`` is what children that have ended had used, by the process that waited for them.
    """

    jvm: float
    compilers: float
    python: dict[int, float]
    reaped: dict[int, float]

    def __sub__(self, earlier: "Reading") -> Cpu:
        """Give what was used since ``earlier``.

        A child that ended and was waited for lives on in its parent's account. One whose parent had
        ended before it is in nobody's: what that one used in between is lost.
        """
        living = sum(used - earlier.python.get(pid, 0.0) for pid, used in self.python.items())
        reaped = sum(used - earlier.reaped.get(pid, 0.0) for pid, used in self.reaped.items())
        before = sum(
            used + earlier.reaped[pid]
            for pid, used in earlier.python.items()
            if pid not in self.python
        )
        return Cpu(
            self.jvm - earlier.jvm,
            living + max(0.0, reaped - before),
            max(0.0, self.compilers - earlier.compilers),
        )


def cpu_of(jvm: int) -> Reading:
    """Read the CPU clocks of the JVM and of its descendants."""
    stats = _stats()
    tree = _descendants(jvm, stats)
    return Reading(
        _own(jvm, stats[jvm]),
        _compilers(jvm),
        {pid: _own(pid, stats[pid]) for pid in tree if pid != jvm},
        {pid: stats[pid].reaped for pid in tree},
    )


def _compilers(jvm: int) -> float:
    """Read the clocks of the threads that compile; one that has ended is forgotten."""
    nanoseconds = 0
    for thread in Path(f"/proc/{jvm}/task").iterdir():
        try:
            if COMPILER.match((thread / "comm").read_text()):
                nanoseconds += int((thread / "schedstat").read_text().split()[0])
        except OSError:  # it ended between the listing and the reading
            continue
    return nanoseconds / 1e9


@dataclass(frozen=True)
class _Stat:
    parent: int
    own: float
    reaped: float


def _stats() -> dict[int, _Stat]:
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                text = (folder / "stat").read_text()
            except OSError:  # it ended between the listing and the reading
                continue
            fields = text.rpartition(")")[2].split()
            user, system, child_user, child_system = (int(word) * TICK for word in fields[11:15])
            found[int(folder.name)] = _Stat(
                int(fields[1]), user + system, child_user + child_system
            )
    return found


def _descendants(root: int, stats: dict[int, _Stat]) -> list[int]:
    found = [root]
    for pid in found:
        found.extend(child for child, stat in stats.items() if stat.parent == pid)
    return found


def _own(pid: int, stat: _Stat) -> float:
    """Read the process's clock in nanoseconds; a process that has ended has only its ticks."""
    try:
        return time.clock_gettime((~pid << 3) | 2)  # CPUCLOCK_SCHED of a process, as in Linux
    except OSError:
        return stat.own
