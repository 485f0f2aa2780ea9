"""Text trimmed, set in title case and turned round, by pandas' own string methods."""

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql.functions import pandas_udf

from suite.workload import Workload


def transform(text: pd.Series) -> pd.Series:
    """Join the title form of a text, its reverse and its length."""
    trimmed = text.str.strip()
    length = trimmed.str.len().astype("string")
    return pd.Series(trimmed.str.title() + "|" + trimmed.str[::-1] + "|" + length)


def apply(frame: DataFrame) -> DataFrame:
    """Run the function over the frame."""
    return frame.select("id", pandas_udf(transform, "string")("prose").alias("transformed"))


TEXT_TRANSFORM = Workload("text_transform", "pandas", apply, (transform,), ("prose",))
