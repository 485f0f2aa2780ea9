"""Functions that tell lanes apart: Python only, a regular expression, numpy, a nap."""

import re
import time

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql.functions import pandas_udf, udf

from suite.workload import MILLION, RECORDS, Workload

REQUEST = re.compile(r'"(?P<method>[A-Z]+) (?P<path>[^ ?]+)[^"]*" (?P<status>\d{3})')
NAP_S = 0.005


def spin(x: int) -> int:
    """Keep Python busy for about two microseconds."""
    for _ in range(40):
        x = (x * 31 + 7) & 0xFFFFFF
    return x


def request(line: str) -> str | None:
    """Find what was asked for in a line of a log."""
    found = REQUEST.search(line)
    return f"{found['status']} {found['method']} {found['path']}" if found else None


def wave(x: pd.Series) -> pd.Series:
    """Work in numpy, which lets the lock go while it counts."""
    values = x.to_numpy() * 1e-6
    for _ in range(6):
        values = np.sin(values) + np.cos(values)
    return pd.Series(values)


def nap(x: pd.Series) -> pd.Series:
    """Wait, as for an answer from elsewhere."""
    time.sleep(NAP_S)
    return x


def by_spin(frame: DataFrame) -> DataFrame:
    """Run the busy row function."""
    return frame.select("id", udf(spin, "bigint")("id").alias("y"))


def by_request(frame: DataFrame) -> DataFrame:
    """Run the regular expression."""
    return frame.select("id", udf(request, "string")("line").alias("asked"))


def by_wave(frame: DataFrame) -> DataFrame:
    """Run the numpy function."""
    return frame.select("id", pandas_udf(wave, "double")("id").alias("y"))


def by_nap(frame: DataFrame) -> DataFrame:
    """Run the function that sleeps."""
    return frame.select("id", pandas_udf(nap, "bigint")("id").alias("y"))


LANES = (
    Workload("spin_row", "row", by_spin, (spin,), rows=4 * RECORDS),
    Workload("regex_row", "row", by_request, (request,), ("line",)),
    Workload("wave_pandas", "pandas", by_wave, (wave,), rows=MILLION),
    Workload("nap_pandas", "pandas", by_nap, (nap,), rows=MILLION),
)
