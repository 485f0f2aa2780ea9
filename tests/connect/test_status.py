"""``ember_status()``, ``ember_functions()`` and ``ember_reset()`` for a client."""

import sys
from pathlib import Path

import pytest
from pyspark.errors import AnalysisException
from pyspark.sql import functions as F
from server import Server
from told import functions_named, soon

from parity import session


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server whose clients trust one another, so that functions run in its executor."""
    trusting = {"spark.ember.trust": "application"}
    started = Server(tmp_path_factory.mktemp("status"), session.jar(), **trusting)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def client(server):
    """A session that has run a function."""
    started = server.session()
    started.range(1).select(F.udf(lambda x: x, "long")("id")).collect()
    yield started
    started.stop()


def test_status_says_what_python_the_executor_has_found(client):
    (row,) = soon(lambda: client.sql("SELECT * FROM ember_status()").collect())
    assert row.executor == "driver"
    assert Path(row.python).samefile(sys.executable)
    assert row.version.count(".") == 2
    assert "libpython" in row.library
    assert row.problem is None
    assert row.resident_bytes > 100 << 20
    assert row.abandoned_threads == 0
    assert row.client_sessions == 0


def test_a_function_that_ran_is_told_with_rows_lane_and_reason(client):
    def told_of_in_status(x):
        return x + 1

    client.range(1000).select(F.udf(told_of_in_status, "long")("id")).collect()
    (row,) = soon(lambda: functions_named(client, "told_of_in_status"))
    assert row.rows == 1000
    assert row.sessions_in_executor + row.sessions_in_workers == 2
    assert row.sessions_on_spark == 0
    assert (row.ns_per_row_in_executor or row.ns_per_row_in_workers) > 0
    assert row.lane_choice_because
    assert row.fallbacks == {}
    assert row.standing == "proven"
    assert row.quarantined_because is None


def test_a_function_that_stayed_with_spark_is_told_with_its_reason(server, client):
    def stays_with_spark(x):
        return x + 1

    other = server.session()
    try:
        other.conf.set("spark.ember.lane", "embedded")
        other.conf.set("spark.sql.execution.pyspark.udf.faulthandler.enabled", "true")
        other.range(0, 10, 1, 1).select(F.udf(stays_with_spark, "long")("id")).collect()
    finally:
        other.stop()
    (row,) = soon(lambda: functions_named(client, "stays_with_spark"))
    assert row.fallbacks == {"FaultHandlerOn": 1}
    assert row.sessions_on_spark == 1
    assert row.sessions_in_executor + row.sessions_in_workers == 0


def test_what_was_shut_out_is_told_and_lifted(client):
    def leaves_a_thread(x):
        import threading

        threading.Thread(target=threading.Event().wait, args=(3600,), daemon=True).start()
        return x

    frame = client.range(10).select(F.udf(leaves_a_thread, "long")("id"))
    frame.collect()
    shut = soon(
        lambda: [
            row for row in functions_named(client, "leaves_a_thread") if row.quarantined_because
        ]
    )
    assert shut[0].standing == "quarantined"
    assert "threads that it started" in shut[0].quarantined_because
    (lifted,) = client.sql("SELECT * FROM ember_reset('leaves_a_thread')").collect()
    assert lifted.fingerprint == shut[0].fingerprint
    assert client.sql("SELECT * FROM ember_reset('leaves_a_thread')").collect() == []
    (now,) = functions_named(client, "leaves_a_thread")
    assert now.standing == "unknown"


def test_explaining_a_reset_resets_nothing_and_wrong_arguments_are_spark_errors(client):
    assert "ember_reset" in client.sql("SELECT * FROM ember_reset('f')")._explain_string()
    with pytest.raises(AnalysisException, match="WRONG_NUM_ARGS"):
        client.sql("SELECT * FROM ember_status(1)").collect()
    with pytest.raises(AnalysisException, match="NON_FOLDABLE"):
        client.sql("SELECT * FROM ember_reset(7)").collect()


def test_the_tables_join_and_filter_as_tables_do(client):
    joined = client.sql(
        "SELECT count(*) AS n FROM ember_status() a JOIN ember_status() b USING (executor)"
    )
    assert soon(lambda: joined.collect()[0].n) == 1
