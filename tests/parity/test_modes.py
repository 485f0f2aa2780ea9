"""One smoke test for each way an application is started: two settings are all a user names."""

import pytest

from parity import session
from parity.applications import run, submit, tell

pytestmark = pytest.mark.slow


def in_executors(told, kinds=7):
    """Every kind ran embedded, in a JVM, with no session left to Spark."""
    assert told["rows"] == list(range(8))
    assert len(told["kinds"]) == kinds
    assert all(embedded > 0 for embedded, _ in told["kinds"].values()), told
    assert told["on_spark"] == 0, told
    return True


@pytest.fixture
def only_the_jar(plugin):
    """What a user gives, and nothing else (two tasks of an executor may be embedded at a time)."""
    assert plugin, "the modes need the plugin"
    return {
        "spark.plugins": session.PLUGIN,
        "spark.jars": str(session.jar()),
        "spark.ember.embedded.tasks": "4",
        "spark.ui.enabled": "false",
    }


def test_python_with_the_jar_in_the_builder(only_the_jar, tmp_path):
    settings = {"spark.master": "local[2]", **only_the_jar}
    assert in_executors(run_bare("plain", tmp_path, settings))


def test_local_cluster(only_the_jar, tmp_path):
    settings = {
        "spark.master": "local-cluster[2,1,1024]",
        "spark.executor.memory": "1024m",
        **only_the_jar,
    }
    assert in_executors(run_bare("plain", tmp_path, settings))


def test_spark_submit_with_jars(only_the_jar, tmp_path):
    arguments = ["--master", "local[2]", "--jars", only_the_jar["spark.jars"]]
    for key in ("spark.plugins", "spark.ember.embedded.tasks", "spark.ui.enabled"):
        arguments += ["--conf", f"{key}={only_the_jar[key]}"]
    assert in_executors(submit("plain", tmp_path, arguments))


def test_the_suites_own_settings_in_a_process_of_their_own(only_the_jar, tmp_path):
    assert in_executors(run("plain", tmp_path, {}))


def run_bare(name, folder, settings):
    """``python app.py`` with these settings in the builder and no others."""
    import json
    import sys

    from parity.applications import application

    return tell([sys.executable, application(name)], folder, {"PARITY_CONF": json.dumps(settings)})
