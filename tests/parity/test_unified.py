"""Spark's unified functions: in Spark 4.3.0 ``mapInPandas`` runs with them only through Ember."""

from pathlib import Path

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


LOST = {
    "a filter, a projection and a sum above",
    "both sides of a join",
    "a broadcast",
    "an accumulator",
}
"""Spark's node has lost what they need before anyone can run it: attributes, columns, variables."""


@pytest.mark.slow
def test_sparks_own_node_runs_over_its_own_protocol(plain, tmp_path):
    conf = {
        **SETTING,
        "spark.ember.unified.node": "true",
        "spark.ember.lane": "embedded",
        "spark.driver.extraClassPath": protobuf(),
    }
    told = run("unified", tmp_path, conf)
    same = {name for name, one in told.items() if one["answer"] == plain[name]["answer"]}
    assert same == set(told) - LOST
    for name in same:
        if plain[name]["vanilla"] == ["MapInPandas"]:
            assert told[name]["embedded"] == ["EmberMapPartitionsExternalUDF"], name
            assert name in NO_SESSION or told[name]["sessions"] > 0, name


def protobuf():
    """The jar that the build has fetched to compile against."""
    caches = [".cache/coursier/v1", ".m2/repository"]
    for cache in caches:
        for jar in sorted((Path.home() / cache).rglob("protobuf-java-4*.jar")):
            return str(jar)
    pytest.skip("no protobuf-java here")


@pytest.mark.slow
def test_spark_itself_does_not_run_it(tmp_path):
    told = run("unified", tmp_path, {**SETTING, "spark.ember.enabled": "false"})
    assert "NoClassDefFoundError" in told["rows"]["answer"]
    assert "NoClassDefFoundError" not in told["mapInArrow"]["answer"]
