"""What a builder gets, beside what it has, and what is said where that would be in vain."""

import sys
import warnings
from pathlib import Path

import pytest
from pyspark import SparkContext
from pyspark.sql import SparkSession

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))
import ember
from ember import builder

OURS = "dev.ember.EmberPlugin"


@pytest.fixture(autouse=True)
def jar(tmp_path, monkeypatch):
    """A jar, no JVM, and an environment that says nothing of Spark."""
    path = tmp_path / "ember-spark-4.3_2.13.jar"
    path.touch()
    monkeypatch.setenv("EMBER_JAR", str(path))
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path))
    for name in ("PYSPARK_SUBMIT_ARGS", "PYSPARK_GATEWAY_PORT", "SPARK_REMOTE", "SPARK_API_MODE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("SPARK_CONNECT_MODE", "SPARK_CONNECT_MODE_ENABLED", "SPARK_LOCAL_CONNECT_REUSE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(SparkContext, "_active_spark_context", None)
    monkeypatch.setattr(SparkContext, "_gateway", None)
    return str(path)


def enabled(**options):
    made = SparkSession.Builder()
    made._options.update(options)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return ember.enable(made)._options


def test_the_jar_and_the_plugin_are_set(jar):
    assert enabled() == {"spark.plugins": OURS, "spark.jars": jar}


def test_they_are_added_to_what_the_builder_has_once(jar):
    first = enabled(**{"spark.plugins": "org.Other", "spark.jars": "/a.jar,/b.jar"})
    assert first == {"spark.plugins": f"org.Other,{OURS}", "spark.jars": f"/a.jar,/b.jar,{jar}"}
    assert enabled(**first) == first


def test_what_the_defaults_of_spark_name_is_kept(jar, tmp_path):
    (tmp_path / "spark-defaults.conf").write_text(
        "# spark.jars /not.jar\nspark.plugins  org.Other\nspark.jars = /a.jar\n"
    )
    assert enabled() == {"spark.plugins": f"org.Other,{OURS}", "spark.jars": f"/a.jar,{jar}"}


def test_lines_of_the_defaults_go_on_after_a_backslash(jar, tmp_path):
    (tmp_path / "spark-defaults.conf").write_text(
        "# no line of a comment does \\\nspark.plugins \\\n   org.Other,\\\n\torg.Third\n"
        "spark.jars /a\\:b.jar\\\\\n"
    )
    assert enabled() == {
        "spark.plugins": f"org.Other,org.Third,{OURS}",
        "spark.jars": f"/a:b.jar\\,{jar}",
    }


@pytest.mark.parametrize(("options", "plugins"), [
    ("--properties-file {}/named", "org.Named,org.Third,"),
    ("--properties-file={}/named --conf spark.plugins=org.Said", "org.Said,"),
    ("--properties-file {}/empty", ""),
    ("--properties-file {}/empty --load-spark-defaults", "org.Default,"),
    ("--extra-properties-file {}/named", "org.Named,org.Third,"),
])  # fmt: skip
def test_a_file_of_properties_takes_the_place_of_the_defaults(
    options, plugins, tmp_path, monkeypatch
):
    (tmp_path / "spark-defaults.conf").write_text("spark.plugins org.Default\n")
    (tmp_path / "named").write_text("spark.plugins org.Named,\\\n  org.Third\n")
    (tmp_path / "empty").touch()
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", options.format(tmp_path) + " pyspark-shell")
    assert enabled()["spark.plugins"] == plugins + OURS


@pytest.mark.parametrize("line", [
    "--conf spark.plugins=org.Other --jars /a.jar,{jar} pyspark-shell",
    "--conf=spark.plugins=org.Other --jars=/a.jar,{jar} pyspark-shell",
])  # fmt: skip
def test_what_the_command_line_names_is_kept(line, jar, monkeypatch):
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", line.format(jar=jar))
    assert enabled() == {"spark.plugins": f"org.Other,{OURS}", "spark.jars": f"/a.jar,{jar}"}


def test_without_ember_the_other_plugins_stay_wherever_they_are_named(tmp_path):
    (tmp_path / "spark-defaults.conf").write_text(f"spark.plugins  org.Other,{OURS}\n")
    assert builder.without_ember({}) == "org.Other"
    assert builder.without_ember({"spark.plugins": f"{OURS},org.Third"}) == "org.Third"


def test_jars_of_the_command_line_that_would_win_are_told_of(jar, monkeypatch):
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", "--jars /a.jar pyspark-shell")
    made = SparkSession.Builder()
    with pytest.warns(ember.EmberWarning, match=f"add {jar} to them"):
        ember.enable(made)
    assert made._options == {}


def test_a_client_of_connect_is_told_what_the_server_needs():
    made = ember.session().remote("sc://host")
    with pytest.warns(ember.EmberWarning, match="ember_status") as told:
        ember.enable(made)
    assert "--conf spark.plugins=dev.ember.EmberPlugin" in str(told[0].message)
    assert made._options == {"spark.remote": "sc://host"}


def test_a_client_of_a_server_that_is_kept_is_told_so_too():
    made = SparkSession.Builder().remote("local").config("spark.local.connect.reuse", "true")
    with pytest.warns(ember.EmberWarning, match="in the server"):
        ember.enable(made)


@pytest.mark.parametrize(
    "options", [{"spark.remote": "local[2]"}, {"spark.api.mode": "connect"}], ids=str
)
def test_the_server_that_pyspark_starts_is_asked_to_have_ember(options, jar, tmp_path):
    (tmp_path / "spark-defaults.conf").write_text("spark.jars /a.jar\n")
    asked = {"spark.ember.enabled": "true", "spark.jars": f"/a.jar,{jar}"}
    assert enabled(**options) == {**options, **asked}


def test_what_was_said_of_ember_in_such_a_server_stays(jar):
    recipe = {"spark.remote": "local", "spark.jars": jar, "spark.ember.enabled": "true"}
    assert enabled(**recipe) == recipe
    off = {**recipe, "spark.ember.enabled": "false"}
    assert enabled(**off) == off


def test_such_a_server_that_runs_has_ember_or_that_is_told(monkeypatch):
    monkeypatch.setenv("SPARK_CONNECT_MODE_ENABLED", "1")
    monkeypatch.setattr(builder, "_is_loadable", lambda: True)
    monkeypatch.setattr(builder, "_started", lambda: {"spark.ember.enabled": "true"})
    assert enabled() == {}
    monkeypatch.setattr(builder, "_started", lambda: {"spark.plugins": OURS})
    monkeypatch.setattr(SparkContext, "_active_spark_context", object())
    with pytest.warns(ember.EmberWarning, match="stop it before"):
        ember.enable(SparkSession.Builder())


def test_sessions_may_be_those_of_connect_by_default(jar, monkeypatch):
    monkeypatch.setenv("SPARK_CONNECT_MODE", "1")
    assert enabled() == {"spark.ember.enabled": "true", "spark.jars": jar}
    classic = {"spark.api.mode": "classic"}
    assert enabled(**classic) == {**classic, "spark.plugins": OURS, "spark.jars": jar}


def test_the_environment_may_make_it_a_client(monkeypatch):
    monkeypatch.setenv("SPARK_REMOTE", "sc://host")
    with pytest.warns(ember.EmberWarning, match="in the server"):
        assert ember.enable(SparkSession.Builder())._options == {}


def test_where_the_plugin_is_already_nothing_is_set(monkeypatch):
    monkeypatch.setattr(builder, "_started", lambda: {"spark.plugins": f"org.Other,{OURS}"})
    assert enabled() == {}


def test_a_missing_jar_is_an_error_with_advice(monkeypatch):
    monkeypatch.setenv("EMBER_JAR", "/no/such.jar")
    with pytest.raises(ember.EmberError, match="unset it"):
        ember.enable(SparkSession.Builder())


@pytest.mark.usefixtures("no_spark")
def test_without_a_spark_there_is_an_error_with_advice(monkeypatch):
    monkeypatch.delenv("SPARK_CONF_DIR")
    with pytest.raises(ember.EmberError, match="set SPARK_HOME"):
        ember.enable(SparkSession.Builder())
