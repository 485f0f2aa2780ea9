"""Spark's unified functions: in Spark 4.3.0 ``mapInPandas`` runs with them only through Ember."""

from pathlib import Path

import pytest

from parity.applications import run

SETTING = {"spark.sql.execution.udf.unified.execution.enabled": "true"}
NO_SESSION = {"an error", "a column too few"}
SPARKS_NODE = "MapPartitionsExternalUDF"
PROTOCOL = "Spark's protocol"


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
    """What comes through Ember with it, over Spark's own node."""
    conf = {**SETTING, **protobuf(), "spark.ember.lane": lane}
    return run("unified", tmp_path_factory.mktemp("unified"), conf)


@pytest.fixture(scope="module")
def classic(lane, tmp_path_factory):
    """The same where Spark's node cannot be had."""
    conf = {**SETTING, "spark.ember.lane": lane}
    return run("unified", tmp_path_factory.mktemp("classic"), conf)


def protobuf():
    """Put the jar on the class path that the build has fetched to compile against."""
    for cache in (".cache/coursier/v1", ".m2/repository"):
        for jar in sorted((Path.home() / cache).rglob("protobuf-java-4*.jar")):
            return {"spark.driver.extraClassPath": str(jar)}
    pytest.skip("no protobuf-java here")


def test_every_question_has_the_answer_it_has_without_the_setting(plain, unified):
    assert answers(unified) == answers(plain)


def test_two_paths_ran_and_each_map_was_sparks_own_node(plain, unified):
    for name in set(unified) - {PROTOCOL}:
        nodes = {f"Ember{SPARKS_NODE if is_map(node) else node}" for node in plain[name]["vanilla"]}
        proves(name, plain[name], unified[name], nodes)


def test_sparks_node_without_its_function_runs_over_sparks_protocol(plain, unified):
    proves(PROTOCOL, plain[PROTOCOL], unified[PROTOCOL], {"EmberExternalSession"})


def test_without_protobuf_the_answers_are_the_same(plain, classic):
    assert answers(classic) == {name: answers(plain)[name] for name in classic}
    assert set(plain) - set(classic) == {PROTOCOL}


def test_without_protobuf_maps_are_planned_as_without_the_setting_and_explain_says_why(
    plain, classic
):
    for name, told in classic.items():
        proves(name, plain[name], told, {f"Ember{node}" for node in plain[name]["vanilla"]})
    assert "protobuf-java is not on the class path" in classic["rows"]["explain"]
    assert "not as Spark's unified node" not in classic["a row function"]["explain"]


@pytest.mark.slow
def test_with_the_setting_off_maps_are_planned_as_without_it_and_explain_says_why(plain, tmp_path):
    conf = {**SETTING, **protobuf(), "spark.ember.unified.node": "false"}
    told = run("unified", tmp_path, conf)
    assert told["rows"]["embedded"] == ["EmberMapInPandas"]
    assert "spark.ember.unified.node is false" in told["rows"]["explain"]
    assert answers(told) == answers(plain)


@pytest.mark.slow
def test_where_ember_may_not_run_it_the_map_is_sparks_own_without_the_setting(plain, tmp_path):
    told = run("unified", tmp_path, {**SETTING, **protobuf(), "spark.ember.lane": "spark"})
    for name in set(told) - {PROTOCOL}:
        assert told[name]["answer"] == plain[name]["answer"], name
        assert told[name]["vanilla"] == plain[name]["vanilla"], name
    assert "LaneIsSpark" in told["rows"]["explain"]


@pytest.mark.slow
def test_spark_itself_does_not_run_it(tmp_path):
    told = run("unified", tmp_path, {**SETTING, "spark.ember.enabled": "false"})
    assert "NoClassDefFoundError" in told["rows"]["answer"]
    assert "NoClassDefFoundError" not in told["mapInArrow"]["answer"]


def answers(told):
    return {name: one["answer"] for name, one in told.items()}


def is_map(node):
    return node in ("MapInPandas", "MapInArrow")


def proves(name, before, now, nodes):
    """Spark ran it before; now Ember did, in these nodes."""
    assert before["vanilla"], name
    assert not before["embedded"], name
    assert set(now["embedded"]) == nodes, name
    assert not now["vanilla"], name
    assert now["on_spark"] == 0, name
    assert name in NO_SESSION or now["sessions"] > 0, name
