"""A client whose connection drops takes its query up again; functions run once for each row."""

import threading
import time
from contextlib import contextmanager

import pytest
from proxy import between
from pyspark.sql import functions as F
from pyspark.sql.connect.session import SparkSession
from told import running_in

ROWS = 40


@contextmanager
def session_through(proxy):
    """A session on the server behind a proxy."""
    started = SparkSession.builder.remote(f"sc://127.0.0.1:{proxy.port}").create()
    try:
        yield started
    finally:
        started.stop()


@pytest.mark.slow  # the server may take a minute to see it
def test_a_connection_that_drops_while_a_function_runs_costs_no_row(ember, tmp_path):
    def seen(value):
        (tmp_path / f"{value}-{time.monotonic_ns()}").touch()
        time.sleep(0.05)
        return value + 1

    with between(ember.port) as proxy, session_through(proxy) as spark:
        frame = spark.range(0, ROWS, 1, 4).select(F.udf(seen, "long")("id").alias("v"))
        found = []
        thread = threading.Thread(target=lambda: found.extend(row.v for row in frame.collect()))
        with running_in("workers", spark):
            thread.start()
            while len(list(tmp_path.iterdir())) < ROWS // 4:
                time.sleep(0.05)
            proxy.cut()
            thread.join(120)
        assert sorted(found) == list(range(1, ROWS + 1))
        assert proxy.connections >= 2
    assert len(list(tmp_path.iterdir())) == ROWS


def test_a_connection_that_drops_within_an_answer_costs_no_row(ember):
    rows = 40_000
    with between(ember.port, cut_after=300_000) as proxy, session_through(proxy) as spark:
        text = F.udf(lambda value: f"{value:060d}", "string")
        frame = spark.range(0, rows, 1, 8).select(text("id").alias("v"))
        with running_in("workers", spark):
            found = [row.v for row in frame.collect()]
        assert (proxy.cuts, proxy.connections >= 2) == (1, True)
    assert sorted(found) == [f"{value:060d}" for value in range(rows)]
