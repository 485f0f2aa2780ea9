"""Five columns of five types, given back as they came: nothing but the way there and back."""

from collections.abc import Iterator

import pandas as pd
import pyarrow as pa
from pyspark.sql import DataFrame

from suite.workload import MILLION, Workload

COLUMNS = ("share", "word", "amount", "moment")
SCHEMA = "id bigint, share double, word string, amount decimal(12,2), moment timestamp"


def same_frames(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Give back each frame."""
    yield from batches


def same_batches(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Give back each record batch."""
    yield from batches


def in_pandas(frame: DataFrame) -> DataFrame:
    """Run mapInPandas."""
    return frame.mapInPandas(same_frames, SCHEMA)


def in_arrow(frame: DataFrame) -> DataFrame:
    """Run mapInArrow."""
    return frame.mapInArrow(same_batches, SCHEMA)


IDENTITY = (
    Workload(
        "identity_pandas_1m",
        "mapInPandas",
        in_pandas,
        (same_frames,),
        COLUMNS,
        rows=MILLION,
        source="mixed",
    ),
    Workload(
        "identity_arrow_1m",
        "mapInArrow",
        in_arrow,
        (same_batches,),
        COLUMNS,
        rows=MILLION,
        source="mixed",
    ),
)
