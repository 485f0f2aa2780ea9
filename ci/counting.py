"""What each test runner says about its tests, as two numbers."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Count:
    """How many tests passed and failed."""

    passed: int = 0
    failed: int = 0

    def __add__(self, other: "Count") -> "Count":
        """Sum both."""
        return Count(self.passed + other.passed, self.failed + other.failed)

    def __str__(self) -> str:
        """Write it as our own runners do: the form that `plain` reads."""
        return f"{self.passed} passed, {self.failed} failed"


Counter = Callable[[str], Count]


def plain(log: str) -> Count:
    """Count our own runners' tests: their last line is `N passed, N failed`."""
    found = re.findall(r"^(\d+) passed, (\d+) failed$", log, re.MULTILINE)
    return Count(*map(int, found[-1])) if found else Count()


def cargo(log: str) -> Count:
    """Count the tests of every test binary cargo ran."""
    found = re.findall(r"^test result: \S+ (\d+) passed; (\d+) failed", log, re.MULTILINE)
    return total(Count(int(passed), int(failed)) for passed, failed in found)


def scalatest(log: str) -> Count:
    """Count ScalaTest's tests; a suite that aborted is a failure."""
    tests = re.findall(r"Tests: succeeded (\d+), failed (\d+)", log)
    aborted = re.findall(r"Suites: completed \d+, aborted (\d+)", log)
    counts = [Count(int(passed), int(failed)) for passed, failed in tests]
    return total(counts + [Count(0, int(suites)) for suites in aborted])


def pytest(log: str) -> Count:
    """Count pytest's tests; an error outside a test is a failure."""
    summaries = re.findall(r"^(?:=+ )?(\d+ \w+.*) in [\d.]+s", log, re.MULTILINE)
    words = re.findall(r"(\d+) (passed|failed|errors?)\b", summaries[-1]) if summaries else []
    return total(Count(int(n), 0) if word == "passed" else Count(0, int(n)) for n, word in words)


def total(counts: Iterable[Count]) -> Count:
    """Sum many."""
    return sum(counts, Count())
