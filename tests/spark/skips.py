"""The tests that may deviate, each with a reason."""

import fnmatch
import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Skip:
    """Tests that pass on Spark alone and not with Ember, as a glob, and why."""

    tests: str
    reason: str

    def covers(self, test: str) -> bool:
        """Whether a test is one of them."""
        return fnmatch.fnmatchcase(test, self.tests)


def read(path: Path) -> list[Skip]:
    """Read the list; an entry without a reason is an error."""
    entries = [Skip(**entry) for entry in tomllib.loads(path.read_text())["skip"]]
    for entry in entries:
        assert entry.reason.strip(), f"{entry.tests}: no reason"
    return entries


def written(entries: list[Skip], path: Path) -> Path:
    """Write the globs as the runner's comparison reads them."""
    path.write_text("".join(f"{entry.tests}\n" for entry in entries))
    return path
