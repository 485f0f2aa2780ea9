"""Connect servers, with Ember and without, and stock clients of them."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "parity"))
sys.path.insert(0, str(Path(__file__).parents[1] / "environments"))

from server import CLIENT_MODE, Server

from parity import session

os.environ[CLIENT_MODE] = "1"


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="run all there is")


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: makes an environment first, or is one more of a kind")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--slow"):
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(pytest.mark.skip(reason="slow: pass --slow"))


@pytest.fixture(scope="session")
def jar():
    """The plugin's."""
    if not session.jar().exists():
        pytest.fail(f"{session.jar()} is absent: run ci/build", pytrace=False)
    return session.jar()


@pytest.fixture(scope="session")
def ember(jar, tmp_path_factory):
    """A server with the plugin, whose clients are strangers to one another."""
    server = Server(tmp_path_factory.mktemp("ember"), jar)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def trusting(jar, tmp_path_factory):
    """One whose clients trust one another, so that functions run in its executor."""
    settings = {"spark.ember.trust": "application", "spark.ember.embedded.tasks": "2"}
    server = Server(tmp_path_factory.mktemp("trusting"), jar, **settings)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def plain(tmp_path_factory):
    """A server of Spark's alone."""
    server = Server(tmp_path_factory.mktemp("plain"), None)
    yield server
    server.stop()


@pytest.fixture
def client(ember):
    """A client's session on the server with the plugin."""
    started = ember.session()
    yield started
    started.stop()


@pytest.fixture
def alone(plain):
    """A client's session on the server of Spark's alone."""
    started = plain.session()
    yield started
    started.stop()


@pytest.fixture
def both(client, alone):
    """A session on each of the two, Ember's first."""
    return client, alone
