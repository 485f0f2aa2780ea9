"""What a JVM holds when it has given back what it can, and whose it is.

The JVM accounts for its heap, code, classes and threads; what else is resident is of native
libraries, ours among them. Garbage is collected first, and malloc gives its free pages back: a leak
is what stays then.
"""

import re
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from suite.memory import share_of
from suite.soaking import accounted

MIB: Final = 2**20
#: Has the JVM account for its memory, from its start.
TRACKING: Final = "-XX:NativeMemoryTracking=summary"
HEAP: Final = "JVM's Java Heap"
#: A line of a histogram: its number, instances, bytes, class.
INSTANCES: Final = re.compile(r"^\s*\d+:\s+(\d+)\s+\d+\s+(\S+)", re.MULTILINE)
TOTAL: Final = re.compile(r"^Total\s+\d+\s+(\d+)", re.MULTILINE)
#: As a class of Ember's is called, an array of it and a lambda in it, too.
OURS: Final = re.compile(r"(\[L)?(dev\.ember|org\.apache\.spark\.[\w.]+\.ember)\.")


@dataclass(frozen=True)
class Account:
    """A JVM at rest."""

    jvm: dict[str, float]
    """MiB that the JVM accounts for, by what for; of the heap what is alive."""
    other: float
    """MiB beside these: the process's share of all memory, less what the JVM has taken."""
    ours: Counter[str]
    """Objects of Ember's that are alive, by class."""


def account(pid: int) -> Account:
    """Have a JVM give back what it can, and see what stays."""
    jcmd = str(Path(f"/proc/{pid}/exe").resolve().with_name("jcmd"))
    ours, live = histogram(_asked(jcmd, pid, "GC.class_histogram"))
    _asked(jcmd, pid, "System.trim_native_heap")
    taken = accounted(jcmd, pid)
    other = share_of(pid) / MIB - sum(taken.values())
    return Account({name: taken[name] for name in taken if name != HEAP} | live, other, ours)


def histogram(text: str) -> tuple[Counter[str], dict[str, float]]:
    """Read a histogram of live objects: Ember's, by class, and MiB of all."""
    total = TOTAL.search(text)
    if total is None:
        message = f"no histogram of the heap: {text[:200]}"
        raise RuntimeError(message)
    ours: Counter[str] = Counter()
    for number, name in INSTANCES.findall(text):
        if OURS.match(name):
            ours[name] += int(number)
    return ours, {"live heap": int(total[1]) / MIB}


def _asked(jcmd: str, pid: int, command: str) -> str:
    asked = [jcmd, str(pid), command]
    return subprocess.run(asked, capture_output=True, text=True, check=True, timeout=120).stdout
