"""Five regular expressions take six columns out of a web server's log line."""

from collections.abc import Iterator

import pandas as pd
from pyspark.sql import DataFrame

from suite.workload import Workload

SCHEMA = (
    "id bigint, address string, moment string, method string, path string, status int, size bigint"
)

ADDRESS = r"^(\d{1,3}(?:\.\d{1,3}){3})"
MOMENT = r"\[([^\]]+)\]"
REQUEST = r'"(GET|POST|PUT|DELETE) ([^ "?]+)'
STATUS = r'" (\d{3}) '
SIZE = r'" \d{3} (\d+)'


def extract(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Give one row of fields for each line; what a line lacks is null."""
    for batch in batches:
        line = batch["line"].str
        request = line.extract(REQUEST)
        yield pd.DataFrame(
            {
                "id": batch["id"],
                "address": line.extract(ADDRESS)[0],
                "moment": line.extract(MOMENT)[0],
                "method": request[0],
                "path": request[1],
                "status": pd.to_numeric(line.extract(STATUS)[0]).astype("Int32"),
                "size": pd.to_numeric(line.extract(SIZE)[0]).astype("Int64"),
            }
        )


def apply(frame: DataFrame) -> DataFrame:
    """Run the function over the frame."""
    return frame.mapInPandas(extract, SCHEMA)


EXTRACT_FIELDS = Workload("extract_fields", "mapInPandas", apply, (extract,), ("line",))
