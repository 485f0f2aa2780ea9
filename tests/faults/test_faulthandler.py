"""Python's fault handler in worker processes: the stack of a function that died is in the error."""

import ctypes

import pytest
from pyspark.sql import functions as F

ENABLED = "spark.sql.execution.pyspark.udf.faulthandler.enabled"


def null_pointer(_value):
    return ctypes.string_at(0)


@pytest.mark.parametrize("lane", ["process", "auto"])
def test_the_stack_of_a_function_that_died_is_in_the_error(lane, spark):
    spark.conf.set(ENABLED, "true")
    spark.conf.set("spark.ember.lane", lane)
    try:
        with pytest.raises(Exception, match="crashed") as raised:
            spark.range(3, numPartitions=1).select(F.udf(null_pointer, "long")("id")).collect()
    finally:
        spark.conf.unset(ENABLED)
        spark.conf.unset("spark.ember.lane")
    assert "Fatal Python error: Segmentation fault" in str(raised.value)
    assert "in null_pointer" in str(raised.value)
