"""One booted interpreter for all tests: what ``boot.start`` replaces stays replaced."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "src")]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="run all there is")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: one of a large matrix")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--slow"):
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(pytest.mark.skip(reason="slow: pass --slow"))


@pytest.fixture(scope="session", autouse=True)
def booted() -> None:
    """Boot once, as the executor does."""
    from ember_worker import boot

    os.environ["EMBER_BASE"] = "base"
    first = {"EMBER_FIRST": "of the first session", "SPARK_PYTHON_RUNTIME": "PYTHON_WORKER"}
    boot.start({"environment": first, "pythonPath": ""})
