"""``x + 1`` on longs: so little function that the way there and back is what counts."""

from collections.abc import Iterator

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql.functions import arrow_udf, pandas_udf, udf

from suite.workload import ALL_LEGS, MILLION, Workload


def add_row(x: int) -> int:
    """Add one to a number."""
    return x + 1


def add_pandas(x: pd.Series) -> pd.Series:
    """Add one to a batch, by pandas."""
    return x + 1


def add_arrow(x: pa.Array) -> pa.Array:
    """Add one to a batch, by Arrow."""
    return pc.add(x, 1)


def add_in_pandas(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Add one to the column, frame by frame."""
    for batch in batches:
        yield batch.assign(y=batch["id"] + 1)


def add_in_arrow(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Add one to the column, record batch by record batch."""
    for batch in batches:
        yield batch.append_column("y", pc.add(batch["id"], 1))


def add_again(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Add one to what another function has added."""
    for batch in batches:
        yield batch.set_column(1, "y", pc.add(batch["y"], 1))


def add_two_in_arrow(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Do both, one after the other."""
    yield from add_again(add_in_arrow(batches))


def by_row(frame: DataFrame) -> DataFrame:
    """Run the row function."""
    return frame.select("id", udf(add_row, "bigint")("id").alias("y"))


def by_pickles(frame: DataFrame) -> DataFrame:
    """Run the row function in Spark's pickled mode, with Ember as without."""
    return frame.select("id", udf(add_row, "bigint", useArrow=False)("id").alias("y"))


def by_pandas(frame: DataFrame) -> DataFrame:
    """Run the pandas function."""
    return frame.select("id", pandas_udf(add_pandas, "bigint")("id").alias("y"))


def by_arrow(frame: DataFrame) -> DataFrame:
    """Run the Arrow function."""
    return frame.select("id", arrow_udf(add_arrow, "bigint")("id").alias("y"))


def by_map_in_pandas(frame: DataFrame) -> DataFrame:
    """Run mapInPandas."""
    return frame.mapInPandas(add_in_pandas, "id bigint, y bigint")


def by_map_in_arrow(frame: DataFrame) -> DataFrame:
    """Run mapInArrow."""
    return frame.mapInArrow(add_in_arrow, "id bigint, y bigint")


def by_two_maps(frame: DataFrame) -> DataFrame:
    """Run mapInArrow over mapInArrow."""
    return by_map_in_arrow(frame).mapInArrow(add_again, "id bigint, y bigint")


WITH_PICKLED = (*ALL_LEGS, "pickled")

ADD_ONE = (
    Workload("add_one_row_1m", "row", by_row, (add_row,), rows=MILLION, legs=WITH_PICKLED),
    Workload("add_one_pickled_1m", "pickled", by_pickles, (add_row,), rows=MILLION),
    Workload("add_one_pandas_1m", "pandas", by_pandas, (add_pandas,), rows=MILLION),
    Workload("add_one_arrow_1m", "arrow", by_arrow, (add_arrow,), rows=MILLION),
    Workload("add_one_row_5m", "row", by_row, (add_row,), rows=5 * MILLION),
    Workload("add_one_pandas_5m", "pandas", by_pandas, (add_pandas,), rows=5 * MILLION),
    Workload("add_one_arrow_5m", "arrow", by_arrow, (add_arrow,), rows=5 * MILLION),
    Workload("map_in_pandas_1m", "mapInPandas", by_map_in_pandas, (add_in_pandas,), rows=MILLION),
    Workload("map_in_arrow_1m", "mapInArrow", by_map_in_arrow, (add_in_arrow,), rows=MILLION),
    Workload("two_maps_1m", "mapInArrow", by_two_maps, (add_two_in_arrow,), rows=MILLION),
)
