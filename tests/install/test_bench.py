"""``ember.bench`` measures each function of its list in Ember, too, and says so."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "python" / "ember" / "src"
LIMIT_S = 300


@pytest.mark.slow
def test_every_function_is_measured_both_ways_and_ran_embedded(tmp_path):
    kept = {k: os.environ[k] for k in ("HOME", "LANG", "JAVA_HOME", "EMBER_JAR") if k in os.environ}
    environment = {
        **kept,
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "PYTHONPATH": str(SOURCES),
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "ember.bench", "--rows", "5000", "--runs", "2", "--slots", "2"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    heads, *rows = [line for line in done.stdout.splitlines() if line.startswith("  ")]
    assert heads.split("  ")[1] == "function"
    assert len(rows) == 6
    assert not [row for row in rows if "not embedded" in row or "Spark's runner" in row]
    assert done.stderr.count(": ran ") == 6
