"""PySpark's local Connect mode puts Spark's own plugin in the place of all others."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from server import CLIENT_MODE, free_port

from parity import session

LIMIT_S = 240
JAR = {"spark.jars": str(session.jar())}
OWN = {
    "EMBER_JAR": str(session.jar()),
    "PYSPARK_PYTHON": sys.executable,
    "PYTHONPATH": str(Path(__file__).resolve().parents[2] / "python" / "ember" / "src"),
}


def seen(folder, **settings):
    """Start a client with a server of its own; give what it saw."""
    settings = {
        "spark.ui.enabled": "false",
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.local.dir": str(folder),
        **settings,
    }
    script = Path(__file__).with_name("local_client.py")
    words = [f"{key}={value}" for key, value in settings.items()]
    environment = {key: value for key, value in os.environ.items() if key != CLIENT_MODE}
    done = subprocess.run(
        [sys.executable, str(script), str(free_port()), *words],
        cwd=folder,
        env=environment | OWN,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_the_jar_alone_changes_nothing(tmp_path):
    plugin = {"spark.plugins": "dev.ember.EmberPlugin"}  # which does not come through
    found = seen(tmp_path, **JAR, **plugin)
    assert found["rows"] == list(range(1, 101))
    assert "Ember" not in found["plan"]
    assert found["executors"] is found["functions"] is None


@pytest.mark.parametrize(
    "asked", [{**JAR, "spark.ember.enabled": "true"}, {}], ids=["set", "added"]
)
def test_ember_loads_where_it_is_asked_for(asked, tmp_path):
    found = seen(tmp_path, **asked, **{"spark.ember.trust": "application"})
    assert found["rows"] == list(range(1, 101))
    assert ": embedded" in found["plan"]
    (executor,) = found["executors"]
    assert (executor["executor"], executor["problem"]) == ("driver", None)
    (function,) = found["functions"]
    assert function["sessions_in_executor"] > 0
    assert function["fallbacks"] == {}
