"""The package that is nothing but a client, as people install it beside no Spark at all."""

import json
import os
import subprocess
from pathlib import Path

import making
import pytest
from kinds import KINDS

HERE = Path(__file__).parent
#: The newest there is; Spark's servers take clients of earlier minor versions.
CLIENT = "pyspark-client==4.2.0"


@pytest.fixture
def python():
    """A Python with that package, made once."""
    try:
        return making.venv("thin-client", making.pyenv("3.11"), CLIENT, *making.PACKAGES)
    except making.NotHereError as lack:
        pytest.skip(str(lack))


@pytest.mark.slow
def test_every_kind_of_a_thin_client_runs_embedded(python, ember, plain):
    kept = {key: os.environ[key] for key in ("HOME", "LANG") if key in os.environ}
    done = subprocess.run(
        [
            str(python),
            str(HERE / "applications" / "thin.py"),
            *(f"sc://127.0.0.1:{server.port}" for server in (ember, plain)),
        ],
        env={**kept, "PATH": "/usr/bin:/bin", "PYTHONPATH": str(HERE)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-8000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["packages"] == {"pyspark": None, "pyspark-client": CLIENT.partition("==")[2]}
    assert list(told["kinds"]) == [kind.__name__ for kind in KINDS]
    for kind, (with_ember, alone) in told["kinds"].items():
        assert ": embedded" in with_ember["plan"], kind
        assert "Ember" not in alone["plan"], kind
        assert with_ember["rows"] == alone["rows"] != [], kind
    first, second = told["errors"]
    assert first == second
    assert "ValueError: no 0" in first
