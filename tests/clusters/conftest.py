"""One cluster of three nodes for the suite: a master, which drivers run on too, and two workers."""

import sys
from pathlib import Path

import making
import nodes
import pytest
from standalone import standalone
from submitting import JAR

WORKERS = ("one", "other")


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="run all there is")


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: starts a cluster or an application more")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--slow"):
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(pytest.mark.skip(reason="slow: pass --slow"))


@pytest.fixture(scope="session", autouse=True)
def plugin():
    if not JAR.exists():
        pytest.fail(f"{JAR} is absent: run ci/build", pytrace=False)


@pytest.fixture(scope="session")
def possible():
    """Whether nodes can be made here; else the test is skipped with what is lacking."""
    if lack := nodes.lacking():
        pytest.skip(f"no nodes here: {lack}")


@pytest.fixture(scope="session")
def own_python(tmp_path_factory):
    """A path at which each worker has another Python; only that of the first can be embedded."""
    folder = tmp_path_factory.mktemp("pythons") / "python"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def without_library(tmp_path_factory):
    """The prefix of a Python that needs no shared library to run, with this Python's packages.

    None where this machine has no such Python of this version.
    """
    try:
        python = making.debian()
    except making.NotHereError:
        return None
    asked = "import sys; print(*sys.version_info[:2])"
    if making.run([str(python), "-c", asked]).split() != list(map(str, sys.version_info[:2])):
        return None
    prefix = tmp_path_factory.mktemp("pythons") / "static"
    making.run([str(python), "-m", "venv", "--without-pip", str(prefix)])
    packages = Path(pytest.__file__).parents[1]
    (site,) = prefix.glob("lib/python3.*/site-packages")
    (site / "borrowed.pth").write_text(f"{packages}\n")
    return prefix


@pytest.fixture(scope="session")
def network(possible, own_python, without_library):
    """The three nodes; the second worker has no library of Debian's Python."""
    mounts = {"one": [f"mount --bind {sys.prefix} {own_python}"]}
    if without_library:
        mounts["other"] = [
            f"mount --bind {without_library} {own_python}",
            *making.hide_debians_libraries(),
        ]
    with nodes.network(["master", *WORKERS], mounts) as made:
        yield made


@pytest.fixture(scope="session")
def cluster(network, tmp_path_factory):
    """Spark's own cluster on them."""
    folder = tmp_path_factory.mktemp("cluster")
    with standalone(folder, [network[name] for name in ("master", *WORKERS)]) as started:
        yield started
