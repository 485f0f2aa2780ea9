"""What is measured between the rounds of a soak, and how a round is watched."""

import random
import re
import subprocess
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final, Self

from pyspark.sql import SparkSession

from suite.evidence import Node
from suite.memory import below
from suite.soak_rounds import Round

#: A round that takes longer is stuck.
LIMIT_S: Final = 120
#: Between two looks.
LOOK_S: Final = 5.0
#: What may be more at the end than at the start, in the middle of some looks each. ``other MiB`` is
#: what the JVM does not account for: the interpreter, the native libraries, what allocators keep.
MORE: Final = {
    "JVM MiB": 96.0,
    "other MiB": 64.0,
    "threads": 8.0,
    "descriptors": 12.0,
    "processes": 3.0,
}

#: Spark's own pools, which keep idle threads for a minute and have their bounds.
POOLS: Final = (
    *(
        "block-manager",
        "QueryStage",
        "ResultQueryStag",
        "shuffle-",
        "broadcast-",
        "Executor task l",
    ),
    *("task-result-get", "subquery-", "rpc-", "netty-", "dispatcher-"),
)

#: What sessions have to have done for a soak to prove something.
WAYS: Final = ("in the executor", "in workers", "from one to the other")


def ways(nodes: list[Node]) -> dict[str, int]:
    """Count the sessions of a query by what they did."""
    each = [(node.embedded, node.in_workers, node.moved) for node in nodes]
    return dict(zip(WAYS, map(sum, zip(*each, strict=True)), strict=False))


def within(
    act: Round, spark: SparkSession, lane: str, dice: random.Random, limit: float = LIMIT_S
) -> str | None:
    """Run a round; say what is wrong with it, that it is stuck too."""
    said: list[str | None] = []

    def run() -> None:
        try:
            said.append(act(spark, lane, dice))
        except Exception as error:  # noqa: BLE001 - a round that fails is the soak's finding
            said.append(f"it failed: {str(error)[:2000]}")

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(limit)
    return said[0] if said else f"stuck for {limit:g} s"


@dataclass(frozen=True)
class Look:
    """The JVM and its processes at one moment."""

    second: float
    held: dict[str, float]
    threads: Counter[str] = field(default_factory=Counter)
    #: MiB by owner: the JVM's own account, and what the kernel says of the rest.
    owners: dict[str, float] = field(default_factory=dict)


class Watch:
    """Measures a JVM and all processes below it."""

    def __init__(self, jvm: int, jcmd: str) -> None:
        """Watch the process ``jvm``, which ``jcmd`` asks for its account."""
        self.jvm = jvm
        self.jcmd = jcmd
        self.looks: list[Look] = []

    @classmethod
    def of(cls, spark: SparkSession) -> Self:
        """Watch the process of ``spark``'s JVM."""
        java: Any = spark._jvm.java.lang  # type: ignore[union-attr]  # noqa: SLF001
        home = java.System.getProperty("java.home")
        return cls(java.ProcessHandle.current().pid(), f"{home}/bin/jcmd")

    def look(self, second: float) -> None:
        """Measure now, unless it was just done."""
        if self.looks and second - self.looks[-1].second < LOOK_S:
            return
        children = below(self.jvm)
        names = thread_names(self.jvm)
        owners = accounted(self.jcmd, self.jvm)
        jvm = sum(owners.values())
        self.looks.append(
            Look(
                second,
                {
                    "JVM MiB": jvm,
                    "other MiB": anonymous(self.jvm) - jvm,
                    "threads": float(names.total()),
                    "descriptors": entries(self.jvm, "fd"),
                    "processes": float(len(children)),
                },
                names,
                owners | mapped(self.jvm),
            )
        )

    def verdict(self) -> list[str]:
        """Say what has grown between the first looks and the last."""
        some = max(1, min(15, len(self.looks) // 3))
        problems = []
        for name, most in MORE.items():
            before = median(look.held[name] for look in self.looks[:some])
            after = median(look.held[name] for look in self.looks[-some:])
            if after - before > most:
                problems.append(f"{name} grew from {before:.0f} to {after:.0f}{self._who(name)}")
        return problems

    def _who(self, name: str) -> str:
        """Name the threads that there are more of, if it is threads that there are more of."""
        if name != "threads":
            return ""
        more = self.looks[-1].threads - self.looks[0].threads
        return ": " + ", ".join(f"{count} {who}" for who, count in more.most_common(6))

    def table(self) -> list[str]:
        """Show about ten of the looks."""
        step = max(1, len(self.looks) // 10)
        lines = ["second " + " ".join(f"{name:>12}" for name in MORE)]
        for look in self.looks[::step]:
            values = " ".join(f"{look.held[name]:12.0f}" for name in MORE)
            lines.append(f"{look.second:6.0f} {values}")
        return lines + self._owners()

    def _owners(self) -> list[str]:
        """Say who holds more at the end than at the start, and how much."""
        if not self.looks:
            return []
        first, last = self.looks[0].owners, self.looks[-1].owners
        more = {name: last[name] - first.get(name, 0.0) for name in last}
        most = sorted(more, key=lambda name: -more[name])[:6]
        told = ", ".join(f"{name} {first.get(name, 0.0):.0f} to {last[name]:.0f}" for name in most)
        return [f"MiB by owner: {told}"]


def accounted(jcmd: str, pid: int) -> dict[str, float]:
    """MiB that a JVM says it has taken, by what for: heap, classes, code, threads."""
    asked = [jcmd, str(pid), "VM.native_memory", "summary"]
    text = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=60).stdout
    found = re.findall(r"-\s+([\w ]+?) \(reserved=\d+KB, committed=(\d+)KB", text)
    if not found:
        message = f"no account of memory: {text[:200]}"
        raise RuntimeError(message)
    return {f"JVM's {name}": int(kilobytes) / 1024 for name, kilobytes in found}


def mapped(pid: int) -> dict[str, float]:
    """MiB of memory that is no file's, by the kind of mapping: glibc's heaps lie at 64 MiB each."""
    held: dict[str, float] = {"main heap": 0.0, "threads' heaps": 0.0, "other mappings": 0.0}
    kind = "other mappings"
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if found := re.match(r"([0-9a-f]+)-[0-9a-f]+ ", line):
            aligned = int(found[1], 16) % (64 << 20) == 0
            kind = "threads' heaps" if aligned else "other mappings"
            kind = "main heap" if line.endswith("[heap]") else kind
        elif line.startswith("Anonymous:"):
            held[kind] += int(line.split()[1]) / 1024
    return held


def anonymous(pid: int) -> float:
    """MiB of memory that a process holds and that is no file's."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    return 0.0


def thread_names(pid: int) -> Counter[str]:
    """Count the threads of a process by name, without numbers and without Spark's pools."""
    names: Counter[str] = Counter()
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            name = (task / "comm").read_text().strip()
        except OSError:  # it has ended
            continue
        if not name.startswith(POOLS):
            names[re.sub(r"\d+", "N", name)] += 1
    return names


def entries(pid: int, folder: str) -> float:
    """How many of something a process has."""
    found: list[Any] = list(Path(f"/proc/{pid}/{folder}").iterdir())
    return float(len(found))
