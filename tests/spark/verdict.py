"""What two runs say: how many tests passed, and in how many of them a function ran embedded."""

import json
from collections.abc import Iterator
from pathlib import Path

from skips import Skip


class Verdict:
    """Both legs beside each other.  `ran` and `fallen` are tests with a session of either sort."""

    def __init__(self, vanilla: Path, ember: Path, ran: set[str], fallen: set[str]) -> None:
        self.ran = ran
        self.fallen = fallen
        self.modules = modules(ember)
        self.alone = outcomes(modules(vanilla))
        self.with_it = outcomes(self.modules)
        self.both = {name for name in self.with_it if self.alone.get(name) == "passed"}
        self.passed = {name for name in self.both if self.with_it[name] == "passed"}

    def lines(self, known: list[Skip]) -> Iterator[str]:
        """The report; its last line counts the tests, known deviations apart."""
        inside, fallen = len(self.ran & self.passed), len(self.fallen & self.passed)
        yield f"something ran embedded in {inside} of {len(self.passed)} passed tests;"
        yield f"a session fell back to Spark's runner in {fallen}"
        for module, tests in sorted(self.modules.items()):
            passed = self.passed & tests.keys()
            yield f"  {len(self.ran & passed):4d} of {len(passed):4d}  {module}"
        skipped = {test for test in self.both - self.passed if any(s.covers(test) for s in known)}
        for skip in known:
            asked = [test for test in self.both if skip.covers(test)]
            if asked and self.passed.issuperset(asked):
                yield f"no longer needed in skips.toml: {skip.tests}"
        if not self.ran:
            yield "no test ran embedded: its passes prove nothing"
        yield f"{len(skipped)} deviate as skips.toml says"
        yield f"{len(self.passed)} passed, {len(self.both - self.passed - skipped)} failed"


Outcomes = dict[str, str]


def modules(result: Path) -> dict[str, Outcomes]:
    """Each module's tests, and how they ended."""
    suites = json.loads(result.read_text())["suites"]
    return {
        module: {name: test["outcome"] for name, test in suite["tests"].items()}
        for module, suite in suites.items()
    }


def outcomes(of: dict[str, Outcomes]) -> Outcomes:
    """The same without the modules."""
    return {name: outcome for tests in of.values() for name, outcome in tests.items()}
