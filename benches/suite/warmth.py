"""When a leg is warm: one rule for all of them.

A JVM goes on compiling for long after the first run, because what plans and starts a query is a lot
of code that each run calls a few times. A short run would tell of that more than of the way its
rows take, so a leg runs unmeasured until its compilers take next to nothing of what a run takes.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

#: A warm run leaves the compilers at most this part of its CPU time,
WARM_SHARE: Final = 0.05
#: and the next one does so, too.
WARM_RUNS: Final = 2
#: A leg that does not come so far is warmed no longer than this, if it has run so often.
SECONDS: Final = 8.0
LEAST_RUNS: Final = 3
#: What a warm run takes is asked of so many.
LAST_RUNS: Final = 5


@dataclass(frozen=True)
class Warmth:
    """How often a leg ran before it was measured."""

    runs: int
    warm: bool
    """Whether the rule was met."""
    cpu: float
    """The median CPU seconds of the last runs; one that lost a worker with its account has few."""


def warm_up(run: Callable[[], dict[str, Any]], most: int) -> Warmth:
    """Call ``run`` until it is warm, at most ``most`` times."""
    end = time.monotonic() + SECONDS
    shares: list[float] = []
    cpus: list[float] = []
    while len(cpus) < most and not _warm(shares):
        if time.monotonic() > end and len(cpus) >= LEAST_RUNS:
            break
        answer = run()
        cpus.append(answer["jvm_cpu"] + answer["python_cpu"])
        shares.append(answer["compilers_cpu"] / cpus[-1])
    return Warmth(len(cpus), _warm(shares), median(cpus[-LAST_RUNS:]) if cpus else 0.0)


def _warm(shares: list[float]) -> bool:
    last = shares[-WARM_RUNS:]
    return len(last) == WARM_RUNS and max(last) <= WARM_SHARE
