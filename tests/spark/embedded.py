"""Counts the tests in which a function ran embedded, from the applications' event logs.

A test counts when a task that ended inside its window counted an embedded session.  A task that
failed reports no metrics, so a test in which every task failed is not counted: never too many.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

EMBEDDED = "Ember: sessions"
ON_SPARK = "Ember: sessions on Spark's runner"


def tests(windows: Path, logs: Path) -> tuple[set[str], set[str]]:
    """Tests with an embedded session, and tests of which a session fell back to Spark."""
    moments: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for log in sorted(logs.iterdir()):
        for attempt, name, moment in sessions(log):
            moments[name][attempt].append(moment)
    embedded, fallen = set(), set()
    for line in windows.read_text().splitlines():
        window = json.loads(line)
        if holds(window, moments[EMBEDDED]):
            embedded.add(window["id"])
        if holds(window, moments[ON_SPARK]):
            fallen.add(window["id"])
    return embedded, fallen


def holds(window: dict[str, Any], moments: dict[str, list[float]]) -> bool:
    """Whether one of its own application's moments lies in the window."""
    mine = moments.get(window["attempt"], ())
    return any(window["start"] <= moment <= window["end"] for moment in mine)


def sessions(log: Path) -> Iterator[tuple[str, str, float]]:
    """(attempt, metric, when) for each task of an application that counted sessions."""
    attempt = ""
    with log.open(errors="replace") as lines:
        for line in lines:
            if '"SparkListenerEnvironmentUpdate"' in line:
                folder = json.loads(line)["System Properties"]["java.io.tmpdir"]
                attempt = str(Path(folder).parent)
            elif '"SparkListenerTaskEnd"' in line and '"Ember: sessions' in line:
                yield from of_task(attempt, line)


def of_task(attempt: str, line: str) -> Iterator[tuple[str, str, float]]:
    """The sessions that one ended task counted."""
    try:
        task = json.loads(line)["Task Info"]
    except ValueError:  # the last line of an application that was ended
        return
    for counted in task["Accumulables"]:
        name = counted.get("Name")
        if name in (EMBEDDED, ON_SPARK) and int(counted.get("Update") or 0) > 0:
            yield attempt, name, task["Finish Time"]
