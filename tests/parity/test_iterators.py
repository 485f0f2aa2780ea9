"""Functions over iterators that answer in other batches than they are given."""

from collections.abc import Iterator

import pandas as pd
import pyarrow as pa
import pytest
from parity.case import Case
from pyspark.sql import functions as F
from pyspark.sql.functions import arrow_udf, pandas_udf

NODE = frozenset({"ArrowEvalPython"})
SEVEN_RECORDS = {"spark.sql.execution.arrow.maxRecordsPerBatch": "7"}


def after_all(cut):
    """Read everything, then answer in batches of ``cut``, of which one is empty."""

    def whole(arrays: Iterator[pa.Array]) -> Iterator[pa.Array]:
        read = pa.chunked_array(list(arrays), pa.string()).combine_chunks()
        yield read.slice(0, 0)
        for start in range(0, len(read), cut):
            yield read.slice(start, cut)

    return arrow_udf(whole, "string")


def ahead(batches):
    """Answer for ``batches`` batches at a time."""

    def some(several: Iterator[pd.Series]) -> Iterator[pd.Series]:
        waiting = []
        for series in several:
            waiting.append(series)
            if len(waiting) == batches:
                yield pd.concat(waiting)
                waiting.clear()
        yield pd.concat(waiting) if waiting else pd.Series([], dtype=str)

    return pandas_udf(some, "string")


def too_many():
    def twice(arrays: Iterator[pa.Array]) -> Iterator[pa.Array]:
        for array in arrays:
            yield array
            yield array

    return arrow_udf(twice, "string")


def too_few():
    def first(arrays: Iterator[pa.Array]) -> Iterator[pa.Array]:
        for array in arrays:
            yield array.slice(0, 3)

    return arrow_udf(first, "string")


def unread():
    def one(arrays: Iterator[pa.Array]) -> Iterator[pa.Array]:
        yield next(arrays)

    return arrow_udf(one, "string")


def texts(spark, rows, size):
    text = F.expr(f"repeat(cast(id as string), cast(id % {size} as int))")
    return spark.range(0, rows, 1, 2).select("id", text.alias("v"))


def through(name, function, *, fails=False):
    def build(spark):
        frame = texts(spark, 200, 5)
        return frame.select("id", function()("v").alias("w"), F.length("v").alias("n"))

    return Case(name, build, NODE, conf=SEVEN_RECORDS, fails=fails)


def longer_than_memory(spark):
    """More input waits than is kept in memory: a hundred megabytes in one partition."""
    frame = spark.range(0, 30_000, 1, 1).select("id", F.expr("repeat('x', 4000)").alias("v"))
    answered = frame.select("id", after_all(900)("v").alias("w"))
    return answered.select("id", F.length("w").alias("n"), F.xxhash64("w").alias("h"))


CASES = [
    *(through(f"after_all_{cut}", lambda cut=cut: after_all(cut)) for cut in (1, 3, 7, 50, 1000)),
    *(through(f"ahead_{count}", lambda count=count: ahead(count)) for count in (2, 3)),
    through("too_many", too_many, fails=True),
    through("too_few", too_few, fails=True),
    through("unread", unread, fails=True),
    Case("longer_than_memory", longer_than_memory, NODE),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_answers_are_joined_with_their_rows(case, parity_legs):
    parity_legs.check(case)
