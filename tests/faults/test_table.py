"""The table of faults names the tests that there are."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "docs" / "faults.md"
FOLDERS = ("tests/faults", "tests/parity", "tests/environments", "python/ember-worker/tests")


def named():
    """Every test that the table names, by line."""
    lines = [line for line in TABLE.read_text().splitlines() if line.startswith("| ")]
    return [re.findall(r"`(test_\w+)`", line) for line in lines]


def defined(folders):
    """Every test function of the folders."""
    return {
        node.name
        for folder in folders
        for path in (ROOT / folder).glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_every_named_test_exists():
    assert not {name for names in named() for name in names} - defined(FOLDERS)


def test_every_test_of_a_fault_is_named():
    of_the_table = {name for name in globals() if name.startswith("test_")}
    assert not defined(["tests/faults"]) - of_the_table - {name for row in named() for name in row}


def test_every_fault_names_a_test():
    rows = [line for line in TABLE.read_text().splitlines() if line.startswith("| ")]
    headings = ("| fault ", "| what a function changes ")
    faults = [line for line in rows if not line.startswith(headings)]
    assert len(faults) > 15
    assert [line for line in faults if "`test_" not in line] == []
