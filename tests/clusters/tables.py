"""Tables of the documentation that name tests, and the tests that there are."""

import ast
import re
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def rows(page: str, *headings: str) -> list[str]:
    """The rows of every table of a page, without those that begin with ``headings``."""
    lines = (ROOT / "docs" / page).read_text().splitlines()
    return [line for line in lines if line.startswith("| ") and not line.startswith(headings)]


def named(row: str) -> list[str]:
    """Every test that a row names."""
    return re.findall(r"`(test_\w+)`", row)


def defined(folders: Iterable[str]) -> set[str]:
    """Every test function of the folders."""
    return {
        node.name
        for folder in folders
        for path in (ROOT / folder).glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
