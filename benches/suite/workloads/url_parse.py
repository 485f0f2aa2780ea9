"""A URL taken apart into five columns."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pandas as pd
from pyspark.sql import DataFrame

from suite.workload import Workload

SCHEMA = "id bigint, scheme string, host string, port int, path string, query string"


def split(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Give the five parts of each URL."""
    for batch in batches:
        parts = [urlsplit(url) for url in batch["url"]]
        yield pd.DataFrame(
            {
                "id": batch["id"],
                "scheme": [part.scheme for part in parts],
                "host": [part.hostname for part in parts],
                "port": pd.array([part.port for part in parts], dtype="Int32"),
                "path": [part.path for part in parts],
                "query": [part.query for part in parts],
            }
        )


def apply(frame: DataFrame) -> DataFrame:
    """Run the function over the frame."""
    return frame.mapInPandas(split, SCHEMA)


URL_PARSE = Workload("url_parse", "mapInPandas", apply, (split,), ("url",))
