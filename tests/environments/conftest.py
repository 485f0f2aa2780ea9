"""The environments this machine can have; each is made when a test first asks for it."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "ci"))
sys.path.append(str(Path(__file__).parents[1] / "install"))

import jobs
import making


@pytest.fixture(scope="session", autouse=True)
def plugin():
    if not jobs.jar().exists():
        pytest.fail(f"{jobs.jar()} is absent: run ci/build", pytrace=False)


@pytest.fixture
def made():
    """Makes an environment, or skips the test with what the machine lacks."""

    def make(recipe, *arguments):
        try:
            return recipe(*arguments)
        except making.NotHereError as lack:
            pytest.skip(str(lack))

    return make


@pytest.fixture
def hiding():
    """A command in whose view of the file system folders and files are otherwise."""
    unshare = shutil.which("unshare")
    if unshare is None or not making.succeeds([unshare, "-m", "mount", "-t", "tmpfs", "x", "/mnt"]):
        pytest.skip("only root may mount, where that is allowed")

    def wrapped(*mounts):
        script = "\n".join(["set -e", *mounts, 'exec "$@"'])
        return (unshare, "-m", "sh", "-c", script, "sh")

    return wrapped
