"""What a cluster does to executors and their data: functions answer as they do without Ember."""

import os
import signal
import sys
import time
from pathlib import Path

import making
import pytest
from judging import all_embedded, processes
from standalone import standalone
from submitting import JAR, LOCAL_CLUSTER, PLUGIN, Application

pytestmark = pytest.mark.slow

EMBER = {**PLUGIN, "spark.jars": str(JAR)}
EMBEDDED = {**EMBER, "spark.ember.lane": "embedded"}
ENCRYPTED = {
    "spark.io.encryption.enabled": "true",
    "spark.authenticate": "true",
    "spark.authenticate.secret": "of this test alone",
    "spark.network.crypto.enabled": "true",
    "spark.python.unix.domain.socket.enabled": "true",
}
DYNAMIC = {
    "spark.dynamicAllocation.enabled": "true",
    "spark.dynamicAllocation.maxExecutors": "2",
    "spark.dynamicAllocation.executorIdleTimeout": "3s",
    "spark.executor.cores": "1",
}


def asked(folder, *questions, **settings):
    """What an application on a cluster in its own process tells."""
    chosen = {**LOCAL_CLUSTER, **EMBEDDED, **settings}
    return Application(folder / "app", questions, chosen).run()


def test_encryption_authentication_and_unix_sockets_change_no_answer(tmp_path):
    told = asked(tmp_path, "locks", "every_kind", "broadcast", **ENCRYPTED)
    assert told["locks"] == {"files": True, "unix sockets": True}
    assert all_embedded(told["every_kind"])
    assert all_embedded(told["broadcast"])


def test_broadcasts_reach_functions_in_every_executor(cluster, network, tmp_path):
    settings = {"spark.master": cluster.master, **EMBEDDED}
    told = Application(tmp_path / "app", ["broadcast"], settings, node=network["master"]).run()
    assert all_embedded(told["broadcast"])


def test_workers_that_are_not_used_again_change_no_answer(tmp_path):
    told = asked(tmp_path, "locks", "every_kind", **{"spark.python.worker.reuse": "false"})
    assert told["locks"]["files"] is False  # what it tells where nothing is locked
    assert all_embedded(told["every_kind"])


def test_workers_that_are_not_used_again_are_new_for_each_task(tmp_path):
    settings = {"spark.python.worker.reuse": "false", "spark.ember.lane": "process"}
    told = asked(tmp_path, "witnesses", **settings)["witnesses"]
    assert (told["in_workers"], told["on_spark"]) == (6, 0), told
    assert {process for _, process, _, _ in told["said"]} == {Path(sys.executable).resolve().name}
    assert len({number for _, _, number, _ in told["said"]}) == 6


def test_functions_wait_for_one_another_at_a_barrier_across_nodes(cluster, network, tmp_path):
    settings = {"spark.master": cluster.master, **EMBEDDED}
    told = Application(tmp_path / "app", ["barrier"], settings, node=network["master"]).run()
    assert all_embedded({"barrier": told["barrier"]})
    assert told["barrier"]["ember"]["rows"] == [[2, 100], [2, 100]]


def test_a_stage_that_asks_for_other_tasks_runs_embedded(tmp_path):
    told = asked(tmp_path, "task_profile", **{"spark.master": "local-cluster[2,2,1024]"})
    assert all_embedded({"profile": told["task_profile"]})
    assert {row[3] for row in told["task_profile"]["spark"]["rows"]} == {2}


def test_a_stage_with_executors_of_its_own_keeps_to_their_memory(cluster, network, tmp_path):
    settings = {"spark.master": cluster.master, **EMBER, **DYNAMIC}
    told = Application(
        tmp_path / "app", ["executor_profile"], settings, node=network["master"]
    ).run()["executor_profile"]
    ember, alone = told["ember"], told["spark"]
    assert ember["rows"] == alone["rows"]
    assert {row[2] for row in alone["rows"]} == {2048}
    assert ember["in_workers"] > 0, ember
    assert ember["embedded"] + ember["on_spark"] == 0, ember


def test_executors_that_come_and_go_embed_each_time(cluster, network, tmp_path):
    settings = {"spark.master": cluster.master, **EMBEDDED, **DYNAMIC}
    told = Application(tmp_path / "app", ["idle_and_back"], settings, node=network["master"]).run()
    rounds = told["idle_and_back"]
    assert all_embedded(rounds["kinds"])
    before, after = (
        {(address, number) for address, _, number, _ in rounds[name]["said"]}
        for name in ("first", "second")
    )
    assert not before & after
    for name in ("first", "second"):
        assert set.union(*processes(rounds[name]).values()) == {"java"}
    assert told["failed"] == 0


@pytest.fixture
def waiting(tmp_path, network):
    """Starts an application whose functions wait to be let go, and comes back when they do."""
    applications = []

    def start(cluster, settings):
        chosen = {"spark.master": cluster.master, **settings}
        application = Application(tmp_path / "app", ["interrupted"], chosen, node=network["master"])
        applications.append(application)
        application.start()
        started, end = application.folder / "started", time.monotonic() + 120
        while not (started.is_dir() and len(list(started.iterdir())) == 2):
            assert time.monotonic() < end, application.log.read_text()[-8000:]
            assert application.started.poll() is None, application.log.read_text()[-8000:]
            time.sleep(0.1)
        return application

    yield start
    for application in applications:
        application.kill()


def let_go(application):
    (application.folder / "go").touch()
    return application.end()


def test_an_executor_that_is_killed_during_functions_costs_no_row(cluster, waiting):
    application = waiting(cluster, EMBEDDED)
    (executor,) = cluster.workers[1].executors
    os.kill(executor, signal.SIGKILL)
    time.sleep(2)
    told = let_go(application)
    question = told["interrupted"]
    assert all(question[name]["right"] for name in ("during", "after", "another")), question
    assert told["lost"] == 1
    # Nobody can tell this end from one of the function's making: it alone is shut out.
    assert question["after"]["reasons"] == {"Quarantined": 4}, question
    assert question["another"]["embedded"] == 4, question


def test_a_worker_that_is_decommissioned_during_functions_shuts_nothing_out(
    network, waiting, tmp_path
):
    settings = {"spark.decommission.enabled": "true"}
    three = [network[name] for name in ("master", "one", "other")]
    with standalone(tmp_path, three, settings=settings) as cluster:
        application = waiting(cluster, EMBEDDED | settings)
        os.kill(cluster.workers[1].process, signal.SIGPWR)
        time.sleep(2)
        told = let_go(application)
    question = told["interrupted"]
    assert all(question[name]["right"] for name in ("during", "after", "another")), question
    # A task that comes after the executor has gone and before Spark has said why may be kept out.
    assert set(question["during"]["reasons"]) <= {"Quarantined"}, question
    for name in ("after", "another"):
        assert question[name]["embedded"] == 4, (name, question)
        assert question[name]["reasons"] == {}, (name, question)
    assert told["failed"] == 0


@pytest.fixture
def archive():
    try:
        return making.packed_venv("3.11")
    except making.NotHereError as lack:
        pytest.skip(str(lack))


def test_a_packed_environment_is_each_executors_python(archive, cluster, network, tmp_path):
    settings = {
        "spark.master": cluster.master,
        "spark.archives": f"{archive}#environment",
        **EMBEDDED,
    }
    told = Application(
        tmp_path / "app",
        ["every_kind", "witnesses"],
        settings,
        node=network["master"],
        python="./environment/bin/python",
    ).run()
    assert all_embedded(told["every_kind"])
    said = told["witnesses"]["said"]
    assert {address for address, *_ in said} == {network[name].address for name in ("one", "other")}
    assert {process for _, process, _, _ in said} == {"java"}
    assert all(executable.endswith("/environment/bin/python") for *_, executable in said)
