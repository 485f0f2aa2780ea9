"""Load one Spark Connect server with many sessions for a given time, with Ember and without.

    python benches/connect_load.py --minutes 10 --clients 32      EMBER_JAR names another jar

Every client has a session and a module of its own and works without a pause: functions of every
kind, of which each answer is checked; one operation in ten raises, one in fifty reads a null
pointer. When the sessions have ended, the server has to hold what it held before them. The exit
code is 1 on a wrong answer, on another error than the one asked for, on an operation that does not
end, on a server that does, on a worker process of a session that has ended, and on what stays
behind: objects of Ember's, memory that the JVM does not account for, threads, descriptors and
processes. What the JVM takes for code, classes and its heap may grow by little more than with Spark
alone, whose leg the other is judged by. An interrupt ends the work, and keeps and judges what there
is.
"""

import argparse
import json
import os
import random
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

# Before PySpark's functions are imported: they are to be those of a client.
os.environ["SPARK_CONNECT_MODE_ENABLED"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "connect"))

from pyspark import cloudpickle
from server import Server

from suite.account import TRACKING
from suite.legs import JAR
from suite.load import (
    FLAT,
    MORE_THAN_SPARK,
    Client,
    Leg,
    grown,
    grown_more,
    look_at_rest,
    under_load,
)
from suite.load_acts import KINDS, RAISES, bring_module, chosen
from suite.machine import commit, machine

RUNS = Path(__file__).resolve().parent / "runs"
#: Both legs: a heap that is there from the start, so that what grows is something else. A full
#: collection leaves what is alive in it, and not dead objects in a twentieth of it.
SHARED = {
    "spark.driver.memory": "2g",
    "spark.driver.extraJavaOptions": "-Xms2g -XX:+AlwaysPreTouch -XX:+UseSerialGC "
    f"-XX:MarkSweepDeadRatio=0 {TRACKING}",
}
LEGS = ["ember", "spark"]
WARM_ROUNDS = 2
TELL_S = 30.0


def main() -> int:
    """Run the legs, and say how they went."""
    wanted = arguments()
    if "ember" in wanted.legs and not JAR.is_file():
        print(f"no jar at {JAR}: run ci/build", file=sys.stderr)
        return 1
    for name in [name for name in sys.modules if name.startswith("suite.")]:
        # Executors have no such modules.
        cloudpickle.register_pickle_by_value(sys.modules[name])  # type: ignore[no-untyped-call]
    facts = {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "commit": commit(),
        "machine": machine(),
        "command": shlex.join(["benches/connect_load.py", *sys.argv[1:]]),
    }
    legs: list[Leg] = []
    for name in wanted.legs:
        legs.append(Leg(name, wanted.clients, wanted.minutes * 60, wanted.operations))
        try:
            run(legs[-1], wanted, lambda: keep(wanted, facts, legs))
        except KeyboardInterrupt:
            legs[-1].interrupted = True
        if legs[-1].interrupted:
            break
    compare(legs)
    print(*table(facts, legs), sep="\n")
    keep(wanted, facts, legs)
    return 1 if any(leg.wrong for leg in legs) else 0


def run(leg: Leg, wanted: argparse.Namespace, keep_now: Callable[[], None]) -> None:
    """Start a server, load it, end it."""
    jar = JAR if leg.name == "ember" else None
    with TemporaryDirectory(prefix="ember-load-") as name:
        folder = Path(name)
        with unheard(signal.SIGINT):  # an interrupt is for this process alone
            server = Server(folder, jar, **SHARED)
        try:
            warm(server)
            pid = server.process.pid
            time.sleep(wanted.settle)
            leg.before = look_at_rest(pid, 0.0)
            under_load(leg, pid, made(server, wanted, folder), wanted.stuck_after, Teller(keep_now))
            if server.process.poll() is None:
                if leg.name == "ember":
                    leg.sessions = told_of_functions(server)
                time.sleep(wanted.settle)
                leg.after = look_at_rest(pid, leg.seconds + wanted.settle)
                judge(leg, server)
        finally:
            server.stop()


def told_of_functions(server: Server) -> dict[str, int]:
    """Ask where functions ran, and why some were left to Spark."""
    places = ("in_executor", "in_workers", "on_spark")
    session = server.session()
    try:
        sums = ", ".join(f"sum(sessions_{place}) AS {place}" for place in places)
        (row,) = session.sql(f"SELECT {sums} FROM ember_functions()").collect()
        each = "SELECT explode(fallbacks) AS (reason, times) FROM ember_functions()"
        reasons = session.sql(f"SELECT reason, sum(times) FROM ({each}) GROUP BY reason").collect()
    finally:
        session.stop()
    told = {place.replace("_", " "): row[place] or 0 for place in places}
    return told | {f"on spark because {reason}": times for reason, times in reasons}


def judge(leg: Leg, server: Server) -> None:
    """Find what is wrong with a server of Ember's, once its sessions have ended."""
    if leg.name == "ember" and leg.before and leg.after:
        leg.problems += grown(leg.before, leg.after, leg.new)
        if left := server.workers():
            leg.problems.append(f"{len(left)} worker processes of ended sessions are still there")
        if leg.sessions["on spark"]:
            leg.problems.append(f"functions were left to Spark's own workers: {leg.sessions}")
        if not leg.sessions["in executor"] + leg.sessions["in workers"]:
            leg.problems.append("no function ran in Ember: the run proves nothing")


def compare(legs: list[Leg]) -> None:
    """Find what Ember's server took more of than Spark's alone."""
    named = {leg.name: leg for leg in legs}
    if {"ember", "spark"} <= set(named):
        named["ember"].problems += grown_more(named["ember"], named["spark"])


@contextmanager
def unheard(number: int) -> Iterator[None]:
    """Ignore a signal, here for now and for ever in what is started meanwhile."""
    before = signal.signal(number, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(number, before)


def warm(server: Server) -> None:
    """Do everything once or twice in a session that ends, before anything is measured."""
    session, dice = server.session(), random.Random(0)
    for _ in range(WARM_ROUNDS):
        for act in (*KINDS.values(), RAISES):
            if problem := act(session, dice):
                message = f"a server without load gave a wrong answer: {problem}"
                raise RuntimeError(message)
    session.stop()


def made(server: Server, wanted: argparse.Namespace, folder: Path) -> list[Client]:
    """Start every client's session, with its own module."""
    clients = []
    for number in range(wanted.clients):
        session = server.session()
        bring_module(session, number, folder)
        clients.append(Client(session, partial(chosen, number), wanted.seed * 1000 + number))
    return clients


class Teller:
    """Says how it goes, and has kept what there is, now and then."""

    def __init__(self, keep_now: Callable[[], None]) -> None:
        """Tell on standard error."""
        self._keep_now = keep_now
        self._told = time.monotonic()

    def __call__(self, leg: Leg) -> None:
        """Tell, unless it was just done."""
        if time.monotonic() - self._told < TELL_S:
            return
        self._told = time.monotonic()
        held = ", ".join(f"{name} {value:.0f}" for name, value in leg.looks[-1].held.items())
        wrong = sum(1 for one in leg.operations if one.problem)
        done = f"{len(leg.operations)} operations, {wrong} wrong"
        print(f"{leg.name} {leg.seconds:5.0f} s  {done}; {held}", file=sys.stderr, flush=True)
        self._keep_now()


def keep(wanted: argparse.Namespace, facts: dict[str, Any], legs: list[Leg]) -> None:
    """Save what there is so far, if it is to be saved."""
    if wanted.save:
        folder = RUNS / f"{facts['date'][:10]}-{wanted.save}"
        folder.mkdir(parents=True, exist_ok=True)
        kept = facts | {"legs": [leg.document() for leg in legs]}
        (folder / "result.json").write_text(json.dumps(kept, indent=1) + "\n")
        (folder / "table.md").write_text("\n".join(table(facts, legs)) + "\n")


def table(facts: dict[str, Any], legs: list[Leg]) -> list[str]:
    """Write the figures as Markdown."""
    each = [leg.document() for leg in legs]
    lines = [f"# A Connect server under load, {facts['date']}", ""]
    lines += [f"- {name}: {facts[name]}" for name in ("commit", "machine", "command")]
    lines += ["- Times are of a client, by the clock, median / slowest twentieth", ""]
    lines += ["| | " + " | ".join(leg.name for leg in legs) + " |", "|---|" + "---|" * len(legs)]
    rows = [
        ("clients", [str(one["clients"]) for one in each]),
        ("seconds", [f"{one['seconds']:.0f}" for one in each]),
        ("operations", [str(one["all"]["count"]) for one in each]),
        ("a second", [f"{one['all']['count'] / max(1.0, one['seconds']):.2f}" for one in each]),
        ("CPU s, server and children", [f"{one['cpu_seconds']:.0f}" for one in each]),
        ("every operation", [_times(one["all"]) for one in each]),
    ]
    rows += [
        (name, [_times(one["operations"].get(name, {})) for one in each])
        for name in sorted({name for one in each for name in one["operations"]})
    ]
    rows += [
        (f"{name}: before / most / after", [_held(one, name) for one in each])
        for name in ("server MiB", *MORE_THAN_SPARK, *FLAT)
    ]
    rows += [
        (f"{name}, MiB: before / after", [_of_jvm(one, name) for one in each])
        for name in sorted({name for one in each for name in _large(one)})
    ]
    lines += [f"| {name} | " + " | ".join(cells) + " |" for name, cells in rows]
    if len(legs) < len(LEGS):
        lines += ["", f"{', '.join(MORE_THAN_SPARK)}: not judged, for want of the other leg"]
    for leg in legs:
        ran = ", ".join(f"{count} sessions {place}" for place, count in leg.sessions.items())
        lines += ["", f"{leg.name}: {len(leg.wrong)} problems{'; ' if ran else ''}{ran}"]
        lines += [f"- {words}" for words in leg.wrong]
        lines += ["- ended early, by an interrupt"] if leg.interrupted else []
    return lines


def _times(spread: dict[str, float]) -> str:
    if not spread.get("count"):
        return "-"
    return f"{spread['median_s']:.2f} / {spread['slow_s']:.2f} s, n={spread['count']}"


def _held(one: dict[str, Any], name: str) -> str:
    values = [(one[when] or {}).get(name) for when in ("before", "peak", "after")]
    return " / ".join("-" if value is None else f"{value:.0f}" for value in values)


def _large(one: dict[str, Any]) -> list[str]:
    return [name for name, mib in (one["jvm_after"] or {}).items() if mib >= 1]


def _of_jvm(one: dict[str, Any], name: str) -> str:
    values = [(one[when] or {}).get(name) for when in ("jvm_before", "jvm_after")]
    return " / ".join("-" if value is None else f"{value:.1f}" for value in values)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=10.0, help="of load, for each leg")
    parser.add_argument(
        "--operations",
        type=int,
        metavar="N",
        help="a leg ends after so many, too: legs that did the same can be compared",
    )
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--legs",
        type=lambda text: text.split(","),
        default=LEGS,
        help="ember,spark or one of them",
    )
    parser.add_argument(
        "--settle",
        type=float,
        default=120.0,
        metavar="S",
        help="before a server is looked at that has nothing to do",
    )
    parser.add_argument(
        "--stuck-after",
        type=float,
        default=300.0,
        metavar="S",
        help="an operation that takes longer is stuck",
    )
    parser.add_argument("--save", metavar="NAME", help="keep the figures in benches/runs/DATE-NAME")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
