"""Many sessions of one Spark Connect server at once: what they do, and what the server holds."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final

from suite.account import account
from suite.cpu import cpu_of
from suite.load_acts import Act
from suite.memory import below, share_of
from suite.soaking import MORE, entries, thread_names

MIB: Final = 2**20
#: What a server may hold more of, after the sessions, than before them.
FLAT: Final = {
    "other MiB": MORE["other MiB"],
    "children MiB": MORE["other MiB"],
    "threads": MORE["threads"],
    "descriptors": MORE["descriptors"],
    "processes": MORE["processes"],
}
#: What the JVM itself takes more of, for code and classes that Spark makes for every query, is
#: Spark's: Ember may add this to what Spark alone takes.
MORE_THAN_SPARK: Final = {"JVM MiB": MORE["JVM MiB"]}
#: Live objects of one class of Ember's that may be more, and for each session or function that was
#: new to the server: Spark keeps the session itself, and Ember's books a thousand functions.
OBJECTS: Final = 16
OBJECTS_OF_NEW: Final = 4
#: Every one of these many seconds the server is looked at.
LOOK_S: Final = 5.0
#: Operations of the slowest twentieth are told apart only when there are some of them.
SOME: Final = 20


@dataclass(frozen=True)
class Operation:
    """One thing that a client did: what, how long it took, and what was wrong with it."""

    name: str
    seconds: float
    problem: str | None = None


class Client:
    """A session, and a thread that works with it until it is told to stop."""

    def __init__(
        self, session: Any, choose: Callable[[random.Random], tuple[str, Act]], seed: int
    ) -> None:
        """Take a session; ``start`` begins to work."""
        self._session = session
        self._choose = choose
        self._dice = random.Random(seed)
        self._over = threading.Event()
        self._since = time.monotonic()
        self._doing = ""
        self.done: list[Operation] = []
        self._thread = threading.Thread(target=self._work, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Begin nothing more; what is under way goes on."""
        self._over.set()

    def leave(self, limit: float) -> None:
        """Wait for what is under way, and end the session."""
        self._thread.join(limit)
        if self._thread.is_alive():
            self.done.append(Operation(self._doing, limit, "it did not end"))
        else:
            self._session.stop()

    def stuck(self, limit: float) -> str | None:
        """Say what takes longer than ``limit`` seconds, if something does."""
        busy = self._thread.is_alive() and time.monotonic() - self._since > limit
        return f"{self._doing}: stuck for {limit:g} s" if busy else None

    def _work(self) -> None:
        while not self._over.is_set():
            name, act = self._choose(self._dice)
            self._doing, self._since = name, time.monotonic()
            try:
                problem = act(self._session, self._dice)
            except Exception as error:  # noqa: BLE001 - an operation that fails is the finding
                problem = f"it failed: {str(error)[:2000]}"
            self.done.append(Operation(name, time.monotonic() - self._since, problem))


@dataclass(frozen=True)
class Look:
    """The server and its children at one moment."""

    second: float
    held: dict[str, float]
    threads: Counter[str] = field(default_factory=Counter)
    #: Of a server at rest: MiB of its JVM by what for, and live objects of Ember's by class.
    jvm: dict[str, float] = field(default_factory=dict)
    ours: Counter[str] = field(default_factory=Counter)


def look(server: int, second: float) -> Look:
    """Measure a server's process and those below it."""
    children = below(server)
    names = thread_names(server)
    return Look(
        second,
        {
            "server MiB": share_of(server) / MIB,
            "children MiB": sum(map(share_of, children)) / MIB,
            "threads": float(names.total()),
            "descriptors": entries(server, "fd"),
            "processes": float(len(children)),
        },
        names,
    )


def look_at_rest(server: int, second: float) -> Look:
    """Measure a server without work, once it has given back what it can."""
    found = account(server)
    looked = look(server, second)
    held = looked.held | {"JVM MiB": sum(found.jvm.values()), "other MiB": found.other}
    return replace(looked, held=held, jvm=found.jvm, ours=found.ours)


def grown(before: Look, after: Look, new: int = 0) -> list[str]:
    """Say what the server still holds of sessions that have ended.

    So many sessions and functions were ``new`` to it.
    """
    problems = []
    for name, most in FLAT.items():
        first, last = before.held[name], after.held[name]
        if last - first > most:
            who = _who(name, before, after)
            problems.append(f"{name} grew from {first:.0f} to {last:.0f}{who}")
    for name, number in (after.ours - before.ours).items():
        if number > OBJECTS + OBJECTS_OF_NEW * new:
            problems.append(f"{number} more objects of {name} are alive")
    return problems


def grown_more(leg: "Leg", alone: "Leg") -> list[str]:
    """Say what a server took more of than Spark's alone did under the same load."""
    problems = []
    for name, most in MORE_THAN_SPARK.items():
        ember, spark = leg.growth(name), alone.growth(name)
        if ember is not None and spark is not None and ember - spark > most:
            problems.append(f"{name} grew by {ember:.0f}, and with Spark alone by {spark:.0f}")
    return problems


def _who(name: str, before: Look, after: Look) -> str:
    if name != "threads":
        return ""
    more = after.threads - before.threads
    return ": " + ", ".join(f"{count} {who}" for who, count in more.most_common(6))


@dataclass
class Leg:
    """What became of one server."""

    name: str
    clients: int
    seconds: float = 0.0
    enough: int | None = None
    """Operations after which it may end before its time."""
    cpu: float = 0.0
    before: Look | None = None
    looks: list[Look] = field(default_factory=list)
    after: Look | None = None
    operations: list[Operation] = field(default_factory=list)
    sessions: dict[str, int] = field(default_factory=dict)
    """Where functions ran, the warm-up's too, as the server tells it."""
    problems: list[str] = field(default_factory=list)
    interrupted: bool = False

    def growth(self, name: str) -> float | None:
        """Give how much more there was of something after the sessions, if both were seen."""
        if self.before is None or self.after is None:
            return None
        return self.after.held[name] - self.before.held[name]

    @property
    def new(self) -> int:
        """Count the sessions, and the functions that nobody had seen before."""
        return self.clients + sum(one.name == "crashes" for one in self.operations)

    @property
    def full(self) -> bool:
        """Tell whether enough was done."""
        return self.enough is not None and len(self.operations) >= self.enough

    @property
    def wrong(self) -> list[str]:
        """Name what was wrong, each once."""
        found = Counter(f"{one.name}: {one.problem}" for one in self.operations if one.problem)
        return [f"{words} ({count} times)" for words, count in found.items()] + self.problems

    def document(self) -> dict[str, Any]:
        """Give everything that is worth keeping."""
        named: dict[str, list[float]] = {}
        for one in self.operations:
            named.setdefault(one.name, []).append(one.seconds)
        return {
            "leg": self.name,
            "clients": self.clients,
            "seconds": self.seconds,
            "cpu_seconds": self.cpu,
            "interrupted": self.interrupted,
            "operations": {name: _spread(times) for name, times in sorted(named.items())},
            "all": _spread([one.seconds for one in self.operations]),
            "sessions": self.sessions,
            "problems": self.wrong,
            "before": self.before.held if self.before else None,
            "peak": peak(self.looks),
            "after": self.after.held if self.after else None,
            "jvm_before": self.before.jvm if self.before else None,
            "jvm_after": self.after.jvm if self.after else None,
            "objects": dict(self.after.ours - self.before.ours)
            if self.before and self.after
            else None,
            "looks": [[one.second, one.held] for one in self.looks],
        }


def peak(looks: Iterable[Look]) -> dict[str, float]:
    """Give the most that was held of each."""
    most: dict[str, float] = {}
    for one in looks:
        for name, value in one.held.items():
            most[name] = max(value, most.get(name, 0.0))
    return most


def _spread(seconds: list[float]) -> dict[str, float]:
    if not seconds:
        return {"count": 0}
    slow = quantiles(seconds, n=20)[-1] if len(seconds) >= SOME else max(seconds)
    return {"count": len(seconds), "median_s": median(seconds), "slow_s": slow}


def under_load(
    leg: Leg, server: int, clients: list[Client], limit: float, told: Callable[[Leg], None]
) -> None:
    """Let clients work for the time that ``leg.seconds`` says; tell at each look.

    An interrupt ends the work and loses nothing of it.
    """
    begun, cpu = time.monotonic(), cpu_of(server)
    wanted, leg.seconds = leg.seconds, 0.0
    try:
        for client in clients:
            client.start()
        while leg.seconds < wanted and not leg.problems and not leg.full:
            time.sleep(min(LOOK_S, wanted - leg.seconds))
            leg.seconds = time.monotonic() - begun
            leg.operations = [one for client in clients for one in client.done]
            leg.problems += _ended(server) + [
                stuck for client in clients if (stuck := client.stuck(limit))
            ]
            if not leg.problems:
                leg.looks.append(look(server, leg.seconds))
                told(leg)
    except KeyboardInterrupt:
        leg.interrupted = True
    for client in clients:
        client.stop()
    end = time.monotonic() + limit
    if not _ended(server):
        for client in clients:
            client.leave(max(0.1, end - time.monotonic()))
        used = cpu_of(server) - cpu
        leg.cpu = used.jvm + used.python
    leg.seconds = time.monotonic() - begun
    leg.operations = [one for client in clients for one in client.done]


def _ended(server: int) -> list[str]:
    """Say that a server has ended; one that waits to be buried has."""
    try:
        state = Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        state = "X"
    return ["the server has ended"] if state in "XZ" else []
