"""``--slow`` runs the commands that compare and measure, too."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.append(str(Path(__file__).parents[2] / "ci"))
sys.path.append(str(Path(__file__).parents[1] / "environments"))


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="run all there is")


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: runs applications several times")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--slow"):
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(pytest.mark.skip(reason="slow: pass --slow"))
