"""A function that ends the process it runs in: on either lane, in a cluster, as real as it gets."""

import pytest
from standalone import standalone

import clusters
from clusters import LOCAL_CLUSTER
from conftest import SETTINGS

#: JVMs that live for seconds, and some of which die.
QUICK = "-XX:-CreateCoredumpOnCrash -XX:+UseSerialGC -XX:TieredStopAtLevel=1"
COMMON = {
    **{key: SETTINGS[key] for key in ("spark.plugins", "spark.jars", "spark.ui.enabled")},
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "512m",
    "spark.task.maxFailures": "4",
    "spark.driver.extraJavaOptions": QUICK,
    "spark.executor.extraJavaOptions": QUICK,
}
EMBEDDED = {**COMMON, "spark.ember.lane": "auto"}
PROCESS = {**COMMON, "spark.ember.lane": "process"}
KILLS = ("null_dereference", "abort", "c_exit", "c_library_exit", "c_stack_overflow", "killed")


def lost_once_and_right(told):
    """One executor died, the job ended right, and the function runs outside of executors since."""
    assert told["first"].get("right"), told
    assert told["lost"] == 1, told
    assert told["harm"] == 1, told
    assert told["second"]["right"], told
    assert told["second"]["sessions"].get("emberReasonQuarantined", 0) >= 1, told
    assert told["second"]["sessions"].get("emberFallbacks", 0) == 0, told
    assert "outside of executors from now on" in told["log"]
    return True


def test_an_executor_is_lost_once_to_a_function_and_the_job_ends_right(tmp_path):
    told = clusters.run(tmp_path, {**LOCAL_CLUSTER, **EMBEDDED}, "null_dereference")
    assert lost_once_and_right(told)


@pytest.mark.slow
@pytest.mark.parametrize("fault", KILLS[1:])
def test_an_executor_is_lost_once_to_each_way_of_dying(fault, tmp_path):
    told = clusters.run(tmp_path, {**LOCAL_CLUSTER, **EMBEDDED}, fault)
    assert lost_once_and_right(told)


@pytest.mark.slow
def test_what_the_journal_of_a_dead_executor_does_not_name_is_embedded_again(tmp_path):
    """The driver suspects all that ran there a moment ago, until the next executor reads it."""
    one = {"spark.master": "local-cluster[1,1,1024]", "spark.executor.memory": "1024m"}
    plan = {"executors": 1, "innocent": True}
    told = clusters.run(tmp_path, {**EMBEDDED, **one}, "null_dereference", plan)
    assert lost_once_and_right(told)
    assert told["after"]["right"], told
    assert told["after"]["sessions"].get("emberSessions") == 1, told
    assert "emberProcessSessions" not in told["after"]["sessions"], told
    suspected = "Ember runs innocent outside of executors from now on" in told["log"]
    assert suspected == ("Ember runs innocent in executors again" in told["log"])


@pytest.mark.slow
def test_os_exit_in_an_executor_fails_its_task_and_loses_nothing(tmp_path):
    told = clusters.run(tmp_path, {**LOCAL_CLUSTER, **EMBEDDED}, "os_exit")
    assert told["first"]["right"], told
    assert (told["lost"], told["harm"]) == (0, 1)


@pytest.mark.slow
def test_a_function_that_always_kills_costs_one_executor_and_is_named(tmp_path):
    plan = {"times": 100}
    told = clusters.run(tmp_path, {**LOCAL_CLUSTER, **EMBEDDED}, "abort", plan)
    assert told["lost"] == 1, told
    assert "crashed): function function in worker process" in told["first"]["error"]
    assert "signal 6" in told["first"]["error"]
    assert "crashed): function function in worker process" in told["second"]["error"]


@pytest.mark.slow
def test_a_function_that_kills_in_every_partition_at_once_costs_one_executor(tmp_path):
    plan = {"times": 100, "where": None, "partitions": 4}
    told = clusters.run(tmp_path, {**LOCAL_CLUSTER, **EMBEDDED}, "null_dereference", plan)
    assert told["lost"] == 1, told
    assert "in worker process" in told["first"]["error"]


@pytest.mark.slow
def test_a_thread_that_crashes_after_its_session_costs_one_executor(tmp_path):
    plan = {"times": 100, "pause": 6}
    told = clusters.run(tmp_path, {**LOCAL_CLUSTER, **EMBEDDED}, "crash_later", plan)
    assert told["first"]["right"], told
    assert told["second"]["right"], told
    assert told["first"]["sessions"].get("emberProcessSessions", 0) == 0, told
    assert told["second"]["sessions"].get("emberReasonQuarantined") == 1, told
    assert told["lost"] == 1, told
    assert "threads that it started run on without it" in told["log"]


@pytest.mark.slow
@pytest.mark.parametrize("fault", [*KILLS, "os_exit"])
def test_no_executor_is_lost_to_a_function_in_a_worker_process(fault, tmp_path):
    plan = {"beside": True, "partitions": 4}
    told = clusters.run(tmp_path, {**LOCAL_CLUSTER, **PROCESS}, fault, plan)
    assert told["first"]["right"], told
    assert told["second"]["right"], told
    assert (told["lost"], told["harm"]) == (0, 1), told
    assert told["beside"]["right"], told
    assert told["beside"]["runs"] > 0, told


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["null_dereference", "killed"])
def test_a_standalone_cluster_loses_one_executor(fault, tmp_path):
    with standalone(tmp_path) as cluster:
        settings = {"spark.master": cluster.master, "spark.executor.memory": "768m", **EMBEDDED}
        told = clusters.run(tmp_path, settings, fault)
    assert lost_once_and_right(told)


LOCAL = {"executors": 0}
CAUTIOUS = {**EMBEDDED, "spark.master": "local[2]", "spark.ember.isolation": "cautious"}


@pytest.mark.slow
def test_a_cautious_driver_loses_nothing_even_with_a_local_master(tmp_path):
    told = clusters.run(tmp_path, CAUTIOUS, "null_dereference", {**LOCAL, "times": 100})
    assert "in worker process" in told["first"]["error"], told
    assert "in worker process" in told["second"]["error"], told
    assert told["harm"] == 2


@pytest.mark.slow
def test_a_cautious_driver_embeds_what_has_made_a_batch_elsewhere(tmp_path):
    told = clusters.run(tmp_path, CAUTIOUS, "null_dereference", {**LOCAL, "times": 0})
    first, second = (told[query]["sessions"] for query in ("first", "second"))
    assert (first["emberReasonUnproven"], first["emberProcessSessions"]) == (1, 1)
    assert second["emberSessions"] == 1
    assert "emberProcessSessions" not in second


@pytest.mark.slow
def test_an_application_ends_though_a_function_left_a_thread(tmp_path):
    told = clusters.run(tmp_path, {**EMBEDDED, "spark.master": "local[2]"}, "leave_a_thread", LOCAL)
    assert (told["first"]["right"], told["harm"]) == (True, 1)
    assert "emberProcessSessions" not in told["first"]["sessions"]


@pytest.mark.slow
def test_many_tasks_at_once_meet_an_executor_without_an_interpreter(tmp_path):
    one = {"spark.master": "local-cluster[1,8,1024]", "spark.executor.memory": "1024m"}
    settings = {**EMBEDDED, **one, "spark.ember.embedded.tasks": "8"}
    plan = {"executors": 1, "times": 0, "partitions": 32}
    told = clusters.run(tmp_path, settings, "abort", plan)
    assert told["first"]["right"], told
    assert told["first"]["sessions"]["emberSessions"] == 32
    assert told["lost"] == 0


def test_a_task_whose_lane_breaks_is_run_again_elsewhere_and_has_not_failed(tmp_path):
    settings = {**EMBEDDED, "spark.master": "local[1]"}  # where one failed attempt ends the job
    plan = {"executors": 0, "partitions": 3}
    told = clusters.run(tmp_path, settings, "break_the_lane", plan)
    assert told["first"]["right"], told
    assert told["second"]["right"], told
    assert (told["harm"], told["failed"]) == (1, 0), told
    assert told["first"]["sessions"]["emberProcessSessions"] == 3, told
    assert told["second"]["sessions"]["emberProcessSessions"] == 3, told
    assert "emberFallbacks" not in told["first"]["sessions"], told
    assert "A session of Ember's broke in this executor" in told["log"]
