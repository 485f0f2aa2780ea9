"""What is not embedded gives the same rows on Spark's own runner, and says why."""

import json

import pyarrow as pa
import pytest
from parity.kinds import EVERY, same
from pyspark.sql import Window
from pyspark.sql import functions as F
from pyspark.sql.functions import udtf
from pyspark.sql.pandas.functions import arrow_udf

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
OF_THE_EXECUTOR = ("FaultHandlerOn", "IdleTimeoutKills", "ProfilerOn")
#: Kinds whose functions pull their input, and then have Spark's own code in their profiles.
PULLING = {"pandas_iterator", "arrow_iterator", "map_in_pandas", "map_in_arrow"}
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
    settings = REASONS[reason]
    if reason == "ProfilerOn" and kind.name in PULLING:
        reason = "ProfilesInput"
    if lane == "process" and reason in OF_THE_EXECUTOR:
        pytest.skip("a worker process of ours can do that")
    with parity_legs.conf(settings):
        frame = kind.through(numbers(spark), same, "bigint")
        rows = frame.collect()
        counted = evidence.reasons(frame)
    proof = evidence.Evidence(frame)
    assert [(row.id, row.v) for row in rows] == [(n, n) for n in range(20)]
    assert proof.embedded == [f"Ember{kind.node}"]
    assert proof.embedded_sessions == 0
    assert counted == {reason: proof.spark_sessions}
    assert proof.spark_sessions == 2


def left_side(left, right):
    return left


def of_the_frame(v: pa.Array) -> int:
    return len(v)


class Twice:
    """A table function of two rows."""

    def eval(self, value: int):
        yield (value,)
        yield (value + 1,)


def by_groups(frame):
    return frame.groupBy("id").applyInArrow(same, frame.schema)


def by_cogroups(frame):
    both = frame.groupBy("id").cogroup(frame.where("id % 3 = 0").groupBy("id"))
    return both.applyInArrow(left_side, frame.schema)


def by_cogroups_in_pandas(frame):
    both = frame.groupBy("id").cogroup(frame.where("id % 3 = 0").groupBy("id"))
    return both.applyInPandas(left_side, frame.schema)


def by_window(frame):
    window = Window.partitionBy(F.col("id") % 3).orderBy("id").rowsBetween(-1, 1)
    return frame.withColumn("n", arrow_udf(of_the_frame, "bigint")("v").over(window))


def by_table_function(frame):
    frame.sparkSession.udtf.register("twice", udtf(Twice, returnType="n bigint", useArrow=False))
    frame.createOrReplaceTempView("numbers")
    return frame.sparkSession.sql("select n.id, t.n from numbers n, lateral twice(n.v) t")


BY_GROUP = (by_groups, by_cogroups, by_window)


@pytest.mark.parametrize("send", [*BY_GROUP, by_cogroups_in_pandas, by_table_function])
def test_sessions_of_the_other_nodes_run_on_spark_too(send, spark, parity_legs):
    with parity_legs.conf(REASONS["WorkerLogging"]):
        check_on_spark(send, numbers(spark), "WorkerLogging", parity_legs)


@pytest.mark.parametrize("send", BY_GROUP)
def test_groups_with_a_type_that_has_no_native_form_run_on_spark(send, spark, parity_legs):
    point = "st_geomfromwkb(X'0101000000000000000000F03F0000000000000040')"
    places = numbers(spark).withColumn("v", F.expr(point))
    with parity_legs.conf({"spark.sql.geospatial.enabled": "true"}):
        check_on_spark(send, places, "GroupedTypes", parity_legs)


def check_on_spark(send, rows, reason, legs):
    """Fail unless the node is Ember's, its sessions are Spark's, and the rows are right."""
    with legs.conf({"spark.ember.enabled": "false"}):
        expected = sorted(send(rows).collect())
    frame = send(rows)
    assert sorted(frame.collect()) == expected
    proof = evidence.Evidence(frame)
    assert len(proof.embedded) == 1
    assert proof.embedded_sessions == 0
    assert evidence.reasons(frame) == {reason: proof.spark_sessions}
    assert proof.spark_sessions > 0


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
