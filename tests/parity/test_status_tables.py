"""Ember's own tables, which Spark alone does not have."""

import time

import pytest
from pyspark.sql import functions as F


def test_a_frame_of_a_table_that_was_read_once_is_read_anew(spark, plugin):
    if not plugin:
        pytest.skip("a table of Ember's")

    def counted_anew(x):
        return x + 1

    frame = spark.sql("SELECT * FROM ember_functions()")

    def told():
        return [row.rows for row in frame.collect() if row.function == "counted_anew"]

    assert told() == []
    spark.range(10).select(F.udf(counted_anew, "long")("id")).collect()
    end = time.monotonic() + 60
    while (found := told()) != [10] and time.monotonic() < end:
        time.sleep(0.2)  # Each task is told of when it ends.
    assert found == [10]
