"""Functions that return the same memory for every batch, with other values in it."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from parity.case import Case
from pyspark.sql import functions as F
from pyspark.sql.functions import arrow_udf, pandas_udf

EVAL = frozenset({"ArrowEvalPython"})
SMALL = {"spark.sql.execution.arrow.maxRecordsPerBatch": "50"}


def memory():
    """Give one array again and again."""
    held = {}

    def tenfold(values):
        room = held.setdefault("room", np.empty(10_000, dtype="int64"))[: len(values)]
        return np.multiply(values, 10, out=room)

    return tenfold


def by_pandas(frame):
    tenfold = memory()

    def one(series: pd.Series) -> pd.Series:
        return pd.Series(tenfold(series.to_numpy()), copy=False)

    return frame.select("id", pandas_udf(one, "long")("id").alias("v"))


def by_arrow(frame):
    tenfold = memory()

    def one(array: pa.Array) -> pa.Array:
        values = pa.py_buffer(tenfold(array.to_numpy()))
        return pa.Array.from_buffers(pa.int64(), len(array), [None, values])

    return frame.select("id", arrow_udf(one, "long")("id").alias("v"))


def by_arrow_iterator(frame):
    tenfold = memory()

    def all_of(arrays: Iterator[pa.Array]) -> Iterator[pa.Array]:
        for array in arrays:
            yield pa.array(tenfold(array.to_numpy()))

    return frame.select("id", arrow_udf(all_of, "long")("id").alias("v"))


def by_map_in_arrow(frame):
    tenfold = memory()

    def all_of(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield batch.append_column("v", pa.array(tenfold(batch["id"].to_numpy())))

    return frame.mapInArrow(all_of, "id long, v long")


def by_map_in_pandas(frame):
    tenfold = memory()

    def all_of(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for one in frames:
            values = pd.Series(tenfold(one["id"].to_numpy()), copy=False)
            yield pd.DataFrame({"id": one["id"], "v": values}, copy=False)

    return frame.mapInPandas(all_of, "id long, v long")


FUNCTIONS = {
    by_pandas: EVAL,
    by_arrow: EVAL,
    by_arrow_iterator: EVAL,
    by_map_in_arrow: frozenset({"MapInArrow"}),
    by_map_in_pandas: frozenset({"MapInPandas"}),
}


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_rows_have_what_was_returned_for_them(function, parity_legs):
    def build(spark):
        answered = function(spark.range(0, 20_000, 1, 1))
        return answered.agg(F.sum("v"), F.sum(F.xxhash64("id", "v").cast("decimal(20,0)")))

    name = f"reused-{function.__name__}"
    parity_legs.check(Case(name, build, FUNCTIONS[function], conf=SMALL))
