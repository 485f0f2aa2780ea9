"""Two Connect servers, with Ember and without, and stock clients of both."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "parity"))

from server import CLIENT_MODE, Server

from parity import session

os.environ[CLIENT_MODE] = "1"


@pytest.fixture(scope="session")
def ember(tmp_path_factory):
    """A server with the plugin."""
    if not session.jar().exists():
        pytest.fail(f"{session.jar()} is absent: run ci/build", pytrace=False)
    server = Server(tmp_path_factory.mktemp("ember"), session.jar())
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
def both(client, plain):
    """A session on each of the two, Ember's first."""
    other = plain.session()
    yield client, other
    other.stop()
