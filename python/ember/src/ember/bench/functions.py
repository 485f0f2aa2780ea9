"""The functions that are measured: small, and of the kinds that people write most."""

from __future__ import annotations

import json
from collections.abc import Iterator  # noqa: TC003 - PySpark reads the types of functions
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pandas as pd  # noqa: TC002 - as above
import pyarrow as pa  # noqa: TC002 - as above
from pyspark.sql import functions as F  # noqa: N812 - PySpark's custom
from pyspark.sql.pandas.functions import pandas_udf

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class Measured:
    """A query: its name on the command line, what it is, and how it is made of rows."""

    name: str
    words: str
    query: Callable[[DataFrame], DataFrame]


def rows(spark: Any, count: int) -> DataFrame:
    """Make rows of a number, a text and a JSON text, kept in memory as columns."""
    numbers = spark.range(count).withColumnRenamed("id", "n")
    text = F.concat_ws(" ", F.lit("some text of row"), F.col("n"))
    document = F.to_json(F.struct(F.col("n").alias("id"), text.alias("name")))
    frame: DataFrame = numbers.select("n", text.alias("text"), document.alias("json")).cache()
    frame.count()
    return frame


def _row_function(frame: DataFrame) -> DataFrame:
    return frame.select(F.udf(lambda n: n + 1, "long")("n"))


def _pandas_function(frame: DataFrame) -> DataFrame:
    def plus_one(column: pd.Series) -> pd.Series:
        return column + 1

    return frame.select(pandas_udf(plus_one, "long")("n"))  # type: ignore[call-overload]


def _text_function(frame: DataFrame) -> DataFrame:
    return frame.select(F.udf(lambda text: text.title(), "string")("text"))


def _json_function(frame: DataFrame) -> DataFrame:
    return frame.select(F.udf(lambda text: json.loads(text)["name"], "string")("json"))


def _batches(frame: DataFrame) -> DataFrame:
    def every_other(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield batch.take(list(range(0, batch.num_rows, 2)))

    return frame.select("n", "text").mapInArrow(every_other, "n long, text string")


def _groups(frame: DataFrame) -> DataFrame:
    def centred(group: pd.DataFrame) -> pd.DataFrame:
        return group.assign(n=group.n - group.n.mean())

    keyed = frame.select((F.col("n") % (frame.count() // 1000 or 1)).alias("k"), "n")
    return keyed.groupBy("k").applyInPandas(centred, "k long, n double")


ALL: Final = (
    Measured("row", "n + 1 as a row function", _row_function),
    Measured("pandas", "n + 1 as a pandas function", _pandas_function),
    Measured("text", "text.title() as a row function", _text_function),
    Measured("json", "a field of a JSON text, as a row function", _json_function),
    Measured("batches", "every other row, mapInArrow", _batches),
    Measured("groups", "groups of about 1,000 rows, applyInPandas", _groups),
)
