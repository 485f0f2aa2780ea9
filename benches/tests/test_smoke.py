"""The whole way once, small: real Spark drivers, a table, the kept samples."""

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from suite.legs import JAR
from suite.measure import MEMORY_LEGS

BENCHES = Path(__file__).resolve().parents[1]
WORKLOAD = "validate_format"


@pytest.fixture
def kept():
    """Give the name of a run, and take the run away afterwards."""
    name = f"smoke-{datetime.now(UTC):%H%M%S%f}"
    yield name
    for folder in (BENCHES / "runs").glob(f"*-{name}"):
        shutil.rmtree(folder)


def test_a_small_run_measures_both_legs_and_keeps_every_sample(kept):
    legs = ["ember", "spark"] if JAR.is_file() else ["spark", "unix"]
    command = [sys.executable, BENCHES / "run.py", "--quick", "--runs", "1", "--warmups", "0"]
    command += ["--legs", ",".join(legs), "--workloads", WORKLOAD, "--save", kept]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (folder,) = (BENCHES / "runs").glob(f"*-{kept}")
    (result,) = json.loads((folder / "result.json").read_text())["results"]
    assert result["identical"]
    assert not result["vacuous"]
    assert len(result["limit"]["scans"]) == len(result["limit"]["bares"]) == 1
    for leg in legs:
        assert result["legs"][leg]["rows"] == 2000
        assert result["legs"][leg]["cpus"][0] > 0
        if leg in MEMORY_LEGS:
            assert result["peaks"][leg] > 2**30
    assert f"| {WORKLOAD} | row | 2,000 |" in (folder / "table.md").read_text()
