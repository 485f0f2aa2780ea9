"""One booted interpreter for all tests: what ``boot.start`` replaces stays replaced."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "src")]


@pytest.fixture(scope="session", autouse=True)
def booted() -> None:
    """Boot once, as the executor does."""
    from ember_worker import boot

    os.environ["EMBER_BASE"] = "base"
    boot.start({"environment": {"EMBER_FIRST": "of the first session"}, "pythonPath": ""})
