"""Streams that a client starts: stateless kinds, and functions inside of ``foreachBatch``."""

import json
import time

import pandas as pd
import pyarrow.compute as pc
import pytest
from pyspark.errors.exceptions.connect import SparkConnectGrpcException
from pyspark.sql import functions as F
from told import running_in

BATCHES, ROWS = 3, 10
END_S = 120


def row_function(frame):
    return frame.select(F.udf(lambda x: x * 2, "long")("value").alias("a"))


def pandas_function(frame):
    def doubled(x: pd.Series) -> pd.Series:
        return x * 2

    return frame.select(F.pandas_udf(doubled, "long")("value").alias("a"))


def arrow_function(frame):
    def doubled(x):
        return pc.multiply(x, 2)

    return frame.select(F.arrow_udf(doubled, "long")("value").alias("a"))


def map_in_pandas(frame):
    def doubled(frames):
        for one in frames:
            yield pd.DataFrame({"a": one["value"] * 2})

    return frame.mapInPandas(doubled, "a long")


def map_in_arrow(frame):
    def doubled(batches):
        for batch in batches:
            yield batch.select(["value"]).rename_columns(["a"])

    return frame.mapInArrow(doubled, "a long").select((F.col("a") * 2).alias("a"))


STATELESS = (
    row_function,
    map_in_arrow,
    *(
        pytest.param(kind, marks=pytest.mark.slow)
        for kind in (pandas_function, arrow_function, map_in_pandas)
    ),
)


def numbers(spark):
    source = spark.readStream.format("rate-micro-batch").option("rowsPerBatch", ROWS)
    return source.option("numPartitions", 1).load()


def wait_for_batches(query):
    end = time.monotonic() + END_S
    while query.lastProgress is None or query.lastProgress["batchId"] < BATCHES - 1:
        assert query.exception() is None
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.parametrize("kind", STATELESS, ids=lambda kind: kind.__name__)
def test_a_stateless_kind_runs_embedded_in_every_batch_of_a_clients_stream(
    kind, client, tmp_path, capsys
):
    name = kind.__name__
    sink = kind(numbers(client)).writeStream.format("memory").queryName(name)
    with running_in("workers", client):
        query = sink.option("checkpointLocation", str(tmp_path)).start()
        try:
            wait_for_batches(query)
            query.explain()
            assert ": embedded" in capsys.readouterr().out
        finally:
            query.stop()
    rows = client.table(name).where(F.col("a") < 2 * ROWS * BATCHES).orderBy("a").collect()
    assert [row.a for row in rows] == list(range(0, 2 * ROWS * BATCHES, 2))


def started(sink):
    """Start a stream with a Python process of its own, which Spark gives ten seconds to come up.

    No setting changes that; a machine that is busy with other things may take longer.
    """
    end = time.monotonic() + END_S
    while True:
        try:
            return sink.start()
        except SparkConnectGrpcException as error:
            own = "Python worker failed to connect back" in str(error)
            if not own or time.monotonic() > end:
                raise


def test_functions_inside_of_foreach_batch_run_embedded(both, tmp_path):
    with running_in("workers", both[0]):
        found = rows_of_batches(both, tmp_path)
    expected = [[2 * (ROWS * n + i) for i in range(ROWS)] for n in range(BATCHES)]
    assert found == {"ember": expected, "plain": expected}


def rows_of_batches(both, tmp_path):
    """What functions gave inside of each batch, on either server."""
    found = {}
    for name, spark in zip(("ember", "plain"), both, strict=True):
        folder = tmp_path / name
        folder.mkdir()

        def each(frame, number, folder=folder):
            doubled = frame.select(F.udf(lambda x: x * 2, "long")("value").alias("a"))
            told = {"rows": [row.a for row in doubled.collect()], "plan": doubled._explain_string()}
            (folder / f"{number}.json").write_text(json.dumps(told))

        sink = numbers(spark).writeStream.foreachBatch(each)
        query = started(sink.option("checkpointLocation", str(folder / "checkpoint")))
        try:
            wait_for_batches(query)
        finally:
            query.stop()
        told = [json.loads((folder / f"{n}.json").read_text()) for n in range(BATCHES)]
        assert all((": embedded" in one["plan"]) == (name == "ember") for one in told)
        found[name] = [sorted(one["rows"]) for one in told]
    return found
