"""What must hold of what an application told."""

from typing import Any


def all_embedded(told: dict[str, Any]) -> bool:
    """Every kind ran in executors and gave the rows that it gives without Ember."""
    assert told
    for kind, answers in told.items():
        embedded, alone = answers["ember"], answers["spark"]
        assert alone["embedded"] + alone["in_workers"] == 0, (kind, alone)
        assert alone["on_spark"] > 0, (kind, alone)
        assert embedded["rows"] == alone["rows"] != [], kind
        assert embedded["embedded"] > 0, (kind, embedded["reasons"])
        assert embedded["in_workers"] + embedded["on_spark"] == 0, (kind, embedded["reasons"])
    return True


def processes(told: dict[str, Any]) -> dict[str, set[str]]:
    """The executables that functions ran in, by address."""
    found: dict[str, set[str]] = {}
    for address, executable, _, _ in told["said"]:
        found.setdefault(address, set()).add(executable)
    return found
