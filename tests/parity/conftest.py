"""One SparkSession for the suite; ``--spark-only`` asks whether the cases themselves are fair."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from parity.known import KNOWN, SOMETIMES
from parity.legs import Legs
from parity.streams import Streams
from pyspark import cloudpickle

import parity
from parity import session

cloudpickle.register_pickle_by_value(parity)


def pytest_addoption(parser):
    parser.addoption(
        "--spark-only",
        action="store_true",
        help="without the plugin: every pair must be vacuous, and its two answers equal",
    )
    parser.addoption(
        "--lane",
        choices=["embedded", "process", "auto"],
        default="embedded",
        help="where the first leg's functions must run",
    )
    parser.addoption("--slow", action="store_true", help="run all there is")


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: starts a cluster, or is one of a large matrix")


def pytest_collection_modifyitems(config, items):
    for module in {item.module for item in items}:
        cloudpickle.register_pickle_by_value(module)
    if not config.getoption("--spark-only"):
        for item in items:
            asked = getattr(item, "callspec", None) and item.callspec.params.get("case")
            if asked is not None and asked.name in KNOWN:
                item.add_marker(pytest.mark.xfail(reason=KNOWN[asked.name], strict=True))
            elif asked is not None and asked.name in SOMETIMES:
                item.add_marker(pytest.mark.xfail(reason=SOMETIMES[asked.name], strict=False))
    if not config.getoption("--slow"):
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(pytest.mark.skip(reason="slow: pass --slow"))


@pytest.fixture(scope="session")
def plugin(request):
    """Whether the plugin is there; its absence is an error unless it was asked for."""
    if request.config.getoption("--spark-only"):
        return False
    if not session.jar().exists():
        pytest.fail(f"{session.jar()} is absent: run ci/build, or pass --spark-only", pytrace=False)
    return True


@pytest.fixture(scope="session")
def lane(request):
    """Where the first leg's functions must run."""
    return request.config.getoption("--lane")


@pytest.fixture(scope="session")
def spark(plugin, lane, tmp_path_factory):
    """The session of the whole suite."""
    started = session.start(tmp_path_factory.mktemp("spark"), plugin=plugin, lane=lane)
    yield started
    started.stop()


@pytest.fixture(scope="session")
def parity_legs(spark, plugin, lane):
    """Both legs, in that session."""
    return Legs(spark, plugin=plugin, lane=lane)


@pytest.fixture(scope="module")
def both(parity_legs, tmp_path_factory):
    """The same for streams, with a folder for each module of tests."""
    return Streams(parity_legs, tmp_path_factory.mktemp("streams"))
