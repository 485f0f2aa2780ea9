"""What was asked of pipelined transfer in SPARK-56642: a test for each behaviour, on each lane.

The application has Spark's own pipelined transfer on, so that the third lane, Spark's runner as the
fallback, is fed by it; on the other two the batches go through Ember's queues.
"""

import pytest

from parity.applications import run

LANES = ("embedded", "process", "spark")
EMBERS = ("embedded", "process")
each_lane = pytest.mark.parametrize("on", LANES)


@pytest.fixture(scope="module")
def told(plugin, tmp_path_factory):
    """What the application told, by lane."""
    if not plugin:
        pytest.skip("asks every lane; without the plugin there is one")
    settings = {"spark.python.udf.pipelined.enabled": "true"}
    return run("pipelined", tmp_path_factory.mktemp("pipelined"), settings)


@each_lane
def test_the_lane_that_is_asked_is_the_one_that_answers(told, on):
    assert told[on]["ran"] == {lane: int(lane == on) for lane in LANES}


@each_lane
def test_a_failure_of_the_writer_surfaces_as_itself_and_never_as_end_of_input(told, on):
    answer = told[on]["failure of the writer"]
    for at, failure in answer["each"].items():
        assert failure["itself"], (at, failure["words"])
        assert "the upstream broke" in failure["words"]
        # Spark's own worker takes a stream that breaks off between batches for one that ended.
        if on in EMBERS:
            assert not failure["ended"], f"the function was told that its input ended, at {at}"
    assert answer["right"]


@each_lane
def test_a_channel_that_an_interrupt_closes_is_a_cancel(told, on):
    answer = told[on]["interrupted channel"]
    assert answer["tasks"] == ["KILLED"]
    assert "cancelled" in answer["words"]
    assert "ClosedByInterrupt" not in answer["words"]
    assert answer["right"]


@each_lane
def test_idle_timeouts_keep_working(told, on):
    answer = told[on]["idle timeout"]
    assert "idle timeout" in answer["words"]
    assert answer["took"] < 30
    assert answer["waited"] == 10
    assert answer["right"]


@each_lane
def test_a_reused_worker_is_never_left_in_another_mode(told, on):
    answer = told[on]["reused worker"]
    pids = {pid for _, pid, _, _ in answer["each"]}
    beside_the_first = answer["each"][0][-1]
    for after, _, rows, beside in answer["each"]:
        assert rows == 25_000, after
        assert beside == beside_the_first, f"threads stayed behind after {after}"
    assert len(pids) <= len(answer["each"]) / 2, "no worker was used again"
    assert answer["right"]


@each_lane
def test_nothing_leaks_through_environment_variables(told, on):
    answer = told[on]["variables"]
    assert answer["rdd"] == ["", ""]
    assert answer["jvm"] == ""
    if on in EMBERS:
        # A worker process has an environment of its own; the executor's is nobody's to change.
        assert answer["function"] == ["1", "1" if on == "process" else ""]
    assert answer["ran"][on] == 1


@each_lane
def test_the_task_and_its_input_file_are_visible_in_every_helper_thread(told, on):
    answer = told[on]["helper threads"]
    assert answer == {"rows": 90, "files": True, "threads": True, "chained": True, "right": True}


@pytest.mark.parametrize("on", EMBERS)
def test_groups_are_streamed_and_not_materialised(told, on):
    answer = told[on]["streamed groups"]
    assert answer["rows"] == 400_000
    assert answer["batches"] == 200
    assert answer["streamed"]
    assert answer["ran"][on] == 1


@each_lane
def test_functions_of_rdds_are_excluded(told, on):
    answer = told[on]["rdd functions"]
    assert answer["beside"] == [[""]]
    assert answer["sum"] == sum(range(1000))
