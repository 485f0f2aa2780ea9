"""The environments this machine can have; each is made when a test first asks for it."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

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
