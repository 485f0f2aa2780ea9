"""What is not embedded gives the same rows on Spark's own runner, and says why."""

import json

import pytest
from parity.kinds import EVERY, same
from pyspark.sql import functions as F

from parity import evidence, kinds
from parity.applications import run

PYSPARK = "spark.sql.execution.pyspark.udf"
REASONS = {
    "ProfilerOn": {"spark.sql.pyspark.udf.profiler": "perf"},
    "FaultHandlerOn": {f"{PYSPARK}.faulthandler.enabled": "true"},
    "WorkerLogging": {"spark.sql.pyspark.worker.logging.enabled": "true"},
    "IdleTimeoutKills": {
        f"{PYSPARK}.idleTimeoutSeconds": "60",
        f"{PYSPARK}.killOnIdleTimeout": "true",
    },
}
OF_THE_EXECUTOR = ("FaultHandlerOn", "IdleTimeoutKills")
pytestmark = pytest.mark.usefixtures("needs_plugin")


@pytest.fixture
def needs_plugin(plugin):
    if not plugin:
        pytest.skip("asks what the plugin does; there is none with --spark-only")


def numbers(spark):
    return spark.range(0, 20, 1, 2).withColumn("v", F.col("id"))


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.name)
@pytest.mark.parametrize("reason", REASONS)
def test_a_session_that_cannot_be_embedded_runs_on_spark_and_counts_why(
    reason, kind, spark, lane, parity_legs
):
    if lane == "process" and reason in OF_THE_EXECUTOR:
        pytest.skip("a worker process of ours can do that")
    with parity_legs.conf(REASONS[reason]):
        frame = kind.through(numbers(spark), same, "bigint")
        rows = frame.collect()
        counted = evidence.reasons(frame)
    proof = evidence.Evidence(frame)
    assert [(row.id, row.v) for row in rows] == [(n, n) for n in range(20)]
    assert proof.embedded == [f"Ember{kind.node}"]
    assert proof.embedded_sessions == 0
    assert counted == {reason: proof.spark_sessions}
    assert proof.spark_sessions == 2


def test_the_lane_spark_keeps_the_node_on_spark(spark, parity_legs):
    with parity_legs.conf({"spark.ember.lane": "spark"}):
        frame = kinds.ROW.through(numbers(spark), same, "bigint")
        text = evidence.explain(frame)
        assert frame.count() == 20
        assert [row.v for row in frame.collect()] == list(range(20))
        assert evidence.Evidence(frame).embedded == []
    assert "LaneIsSpark" in text


def test_a_wrong_setting_of_a_session_is_a_reason_and_not_an_error(spark, parity_legs):
    with parity_legs.conf({"spark.ember.lane": "sideways"}):
        frame = kinds.ROW.through(numbers(spark), same, "bigint")
        assert "InvalidConf" in evidence.explain(frame)
        assert [row.v for row in frame.collect()] == list(range(20))


def test_explain_names_the_embedded_node(spark):
    text = evidence.explain(kinds.ROW.through(numbers(spark), same, "bigint"))
    assert "EmberArrowEvalPython" in text
    assert "EmberArrowEvalPython: embedded" in text


@pytest.mark.parametrize(
    "kind", [kinds.MAP_IN_PANDAS, kinds.MAP_IN_ARROW], ids=lambda kind: kind.name
)
def test_explain_names_the_embedded_map_node(kind, spark):
    assert f"Ember{kind.node}: embedded" in evidence.explain(
        kind.through(numbers(spark), same, None)
    )


def test_explain_says_that_ember_is_off(spark, parity_legs):
    with parity_legs.conf({"spark.ember.enabled": "false"}):
        text = evidence.explain(kinds.ROW.through(numbers(spark), same, "bigint"))
    assert "ArrowEvalPython: on Spark's own runner. Disabled" in text
    assert "EmberArrowEvalPython" not in text


def test_a_busy_lane_sends_other_tasks_to_spark(tmp_path):
    told = run("busy", tmp_path, {"spark.ember.embedded.tasks": "1"})
    assert told["rows"] == list(range(8))
    assert told["embedded"] >= 1
    assert told["reasons"].get("LaneBusy", 0) >= 1, json.dumps(told)
    assert told["embedded"] + told["on_spark"] == 8


def test_an_absent_native_library_leaves_every_row_to_spark(tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    told = run("plain", tmp_path, {"spark.ember.native.dir": str(empty)})
    assert told["rows"] == list(range(8))
    assert told["embedded"] == 0
    assert told["reasons"] == {"NoNative": told["on_spark"]}
    assert told["on_spark"] > 0
