"""The load of many sessions, small: benches/connect_load.py runs it for as long as one likes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from server import CLIENT_MODE

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 600


@pytest.mark.slow
def test_many_sessions_at_once_get_right_answers_and_leave_nothing():
    options = ["--legs", "ember", "--clients", "8", "--operations", "100", "--settle", "20"]
    done = subprocess.run(
        [sys.executable, str(ROOT / "benches" / "connect_load.py"), *options],
        cwd=ROOT,
        env={key: value for key, value in os.environ.items() if key != CLIENT_MODE},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert "ember: 0 problems" in done.stdout
    assert " 0 sessions on spark" in done.stdout
