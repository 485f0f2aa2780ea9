"""Who shares a process, and what is left when a session has ended."""

import os
import sys
import threading
import time
from pathlib import Path
from uuid import uuid4

import pytest
from pyspark.errors import AnalysisException
from pyspark.sql import functions as F
from pyspark.sql.types import LongType, StringType
from server import Server
from told import soon

from parity import session


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server of clients that are strangers to one another. What is idle stays for an hour."""
    settings = {"spark.ember.process.idleSeconds": "3600"}
    started = Server(tmp_path_factory.mktemp("strangers"), session.jar(), **settings)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def of_users(tmp_path_factory):
    """A server where a user trusts himself, and nothing idle is kept for long."""
    settings = {"spark.ember.trust": "user", "spark.ember.process.idleSeconds": "5"}
    started = Server(tmp_path_factory.mktemp("users"), session.jar(), **settings)
    yield started
    started.stop()


@pytest.fixture
def started():
    """Sessions that end with the test, if they have not."""
    sessions = []

    def start(server, user=None):
        sessions.append(server.session(user))
        return sessions[-1]

    yield start
    for one in sessions:
        one.stop()


def places(spark):
    """Run a function in two tasks; give the processes in which it ran."""
    pid = F.udf(lambda _: os.getpid(), LongType())
    return {row[0] for row in spark.range(0, 100, 1, 2).select(pid("id")).collect()}


def status(spark):
    rows = spark.sql("SELECT * FROM ember_status()").collect()
    return [(row.worker_processes, row.client_sessions) for row in rows]


def test_workers_go_with_their_session_and_nobody_elses_do(server, started):
    one, two, looks_on = (started(server) for _ in range(3))
    ones, twos = places(one), places(two)
    assert not ones & twos
    assert ones | twos <= server.workers()
    assert server.process.pid not in ones | twos
    assert soon(lambda: status(looks_on) == [(len(server.workers()), 2)])
    one.stop()
    assert soon(lambda: not ones & server.workers())
    assert twos <= server.workers()
    assert soon(lambda: status(looks_on) == [(len(server.workers()), 1)])
    assert places(two) & twos, "a session's workers serve it again"
    two.stop()
    assert soon(lambda: not server.workers())
    assert soon(lambda: status(looks_on) == [(0, 0)])


def test_a_function_that_runs_when_its_session_ends_leaves_no_process(server, started, tmp_path):
    begun = tmp_path / "begun"

    def hangs(_):
        import time

        begun.touch()
        time.sleep(3600)

    one = started(server)
    frame = one.range(1).select(F.udf(hangs, LongType())("id"))

    def collect():
        with pytest.raises(Exception, match=r".+"):
            frame.collect()

    asking = threading.Thread(target=collect, daemon=True)
    asking.start()
    assert soon(begun.exists)
    assert server.workers()
    one.stop()
    assert soon(lambda: not server.workers())
    asking.join(30)
    assert not asking.is_alive()


def test_no_session_trusts_itself_to_the_executor_or_to_another(server, started):
    one, two = started(server), started(server)
    for spark in (one, two):
        spark.conf.set("spark.ember.trust", "application")
    found = [places(spark) for spark in (one, two)]
    assert not found[0] & found[1]
    assert server.process.pid not in found[0] | found[1]


TAGS = "spark.job.tags"


def refuses_tags(spark, tags):
    for change in (lambda: spark.conf.set(TAGS, tags), lambda: spark.sql(f"SET {TAGS}={tags}")):
        with pytest.raises(AnalysisException, match=TAGS):
            change()


def test_no_session_takes_the_tags_of_another_users(of_users, started):
    ann, eve = started(of_users, "ann"), started(of_users, "eve")
    assert of_users.process.pid in places(ann)
    session, operation = uuid4(), uuid4()
    tag = f"SparkConnect_OperationTag_User_ann_Session_{session}_Operation_{operation}"
    refuses_tags(eve, tag)
    assert of_users.process.pid not in places(eve)


def test_no_session_passes_for_the_application(server, started):
    one = started(server)
    one.conf.set("spark.sql.artifact.isolation.enabled", "false")
    refuses_tags(one, "none")
    copy = one.cloneSession()
    copy.conf.set("spark.ember.lane", "embedded")
    try:
        assert server.process.pid not in places(copy)
    finally:
        copy.stop()


@pytest.fixture
def bringing(of_users, started, tmp_path):
    """A session that brings a file, and so has workers to itself."""
    module = tmp_path / "brought.py"
    module.write_text("")
    spark = started(of_users, "eve")
    spark.addArtifact(str(module), pyfile=True)
    assert places(spark) <= of_users.workers()
    return spark


def test_a_python_by_two_names_is_there_by_each(of_users, bringing):
    bringing.conf.set("spark.sql.execution.pyspark.python", Path(sys.executable).name)
    end = time.monotonic() + 9  # until nothing was done by the first name for long
    while time.monotonic() < end:
        assert places(bringing) <= of_users.workers()


def test_a_user_shares_the_executor_with_himself_and_with_nobody_else(of_users, started):
    ann, again, bob = (started(of_users, user) for user in ("ann", "ann", "bob"))
    executor = of_users.process.pid
    assert executor in places(ann)
    assert executor in places(again)
    assert executor not in places(bob)


def test_a_session_that_brings_files_is_alone_with_them(of_users, started, tmp_path):
    def told(_):
        import brought

        return brought.NAME

    module = tmp_path / "brought.py"
    module.write_text("NAME = 'own'\n")
    ann, again = started(of_users, "ann"), started(of_users, "ann")
    assert of_users.process.pid in places(again)
    ann.addArtifact(str(module), pyfile=True)
    assert of_users.process.pid not in places(ann)
    found = ann.range(1).select(F.udf(told, StringType())("id")).collect()
    assert found[0][0] == "own"


def test_without_word_of_an_end_what_is_idle_goes(of_users, bringing):
    assert soon(lambda: [clients for _, clients in status(bringing)] == [1])
    assert soon(lambda: not of_users.workers())
    assert soon(lambda: status(bringing) == [(0, 0)])
    assert places(bringing) <= of_users.workers()
