"""Spark's unified functions: in Spark 4.3.0 ``mapInPandas`` runs with them only through Ember."""

import pytest

from parity.applications import run

SETTING = {"spark.sql.execution.udf.unified.execution.enabled": "true"}
NO_SESSION = {"an error", "a column too few"}


@pytest.fixture(scope="module", autouse=True)
def _needs_plugin(plugin):
    if not plugin:
        pytest.skip("asks what the plugin does; there is none with --spark-only")


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """What Spark answers without the setting, and without Ember."""
    return run("unified", tmp_path_factory.mktemp("plain"), {"spark.ember.enabled": "false"})


@pytest.fixture(scope="module")
def unified(lane, tmp_path_factory):
    """What comes through Ember with it."""
    return run("unified", tmp_path_factory.mktemp("unified"), {**SETTING, "spark.ember.lane": lane})


def test_every_question_has_the_answer_it_has_without_the_setting(plain, unified):
    assert {name: told["answer"] for name, told in unified.items()} == {
        name: told["answer"] for name, told in plain.items()
    }


def test_two_paths_ran(plain, unified):
    for name, told in unified.items():
        assert plain[name]["vanilla"], name
        assert not plain[name]["embedded"], name
        assert told["embedded"] == [f"Ember{node}" for node in plain[name]["vanilla"]], name
        assert not told["vanilla"], name
        assert told["on_spark"] == 0, name
        assert name in NO_SESSION or told["sessions"] > 0, name


@pytest.mark.slow
def test_spark_itself_does_not_run_it(tmp_path):
    told = run("unified", tmp_path, {**SETTING, "spark.ember.enabled": "false"})
    assert "NoClassDefFoundError" in told["rows"]["answer"]
    assert "NoClassDefFoundError" not in told["mapInArrow"]["answer"]
