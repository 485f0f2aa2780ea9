"""What is asked of the flights: one function of each kind and more."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql.functions import arrow_udf, pandas_udf, udf

EARTH_KM = 6371.0088
LATE_MINUTES = 60


@dataclass(frozen=True)
class Question:
    """A named function over the flights; ``ask`` gives ``id`` and the answers."""

    name: str
    kind: str
    ask: Callable[[DataFrame], DataFrame]


def delay_category(departure: int | None, arrival: int | None) -> str:
    """Put a flight's delays into words."""
    if departure is None:
        return "cancelled"
    if arrival is None:
        return "diverted"
    if arrival <= 0:
        return "on time" if departure <= 0 else "made up"
    return "late" if arrival < LATE_MINUTES else "very late"


def minutes_late(actual: int | None, scheduled: int) -> int | None:
    """Give the minutes between two clock times written HHMM, across midnight where needed."""
    if actual is None:
        return None
    late = (actual // 100 * 60 + actual % 100) - (scheduled // 100 * 60 + scheduled % 100)
    return (late + 720) % 1440 - 720


def arrival_day(
    year: int, month: int, day: int, departure: int | None, air: int | None
) -> date | None:
    """Give the day, by New York's clock, on which a flight came down."""
    if departure is None or air is None:
        return None
    minutes = departure // 100 * 60 + departure % 100 + air
    return date(year, month, day) + timedelta(days=minutes // 1440)


def z_score(mean: float, deviation: float) -> Callable[[pd.Series], pd.Series]:
    """Say how unusual an arrival delay is; a flight that never arrived has none."""

    def score(delay: pd.Series) -> pd.Series:
        return (delay - mean) / deviation

    return score


def great_circle(lat: pd.Series, lon: pd.Series, to_lat: pd.Series, to_lon: pd.Series) -> pd.Series:
    """Give the kilometres over ground between two places (haversine)."""
    phi, to_phi = np.radians(lat), np.radians(to_lat)
    half = np.sin((to_phi - phi) / 2) ** 2
    half += np.cos(phi) * np.cos(to_phi) * np.sin(np.radians(to_lon - lon) / 2) ** 2
    return pd.Series(2 * EARTH_KM * np.arcsin(np.sqrt(half)))


def speed(miles: pa.Array, minutes: pa.Array) -> pa.Array:
    """Give the miles an hour of a flight in the air."""
    return pc.divide(pc.multiply(miles.cast(pa.float64()), 60.0), minutes.cast(pa.float64()))


def very_late(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Keep the flights that came an hour late or more, and of them four columns."""
    for batch in batches:
        late = batch.filter(pc.greater_equal(batch["arr_delay"], LATE_MINUTES))
        yield late.select(["id", "carrier", "dest", "arr_delay"])


def on_time_score(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Score each flight between 0 and 100; one that never arrived scores not a number."""
    for flights in batches:
        lost = flights["arr_delay"].clip(lower=0) + 0.5 * flights["dep_delay"].clip(lower=0)
        yield pd.DataFrame(
            {
                "id": flights["id"],
                "hour": flights["time_hour"],
                "carrier": flights["carrier"],
                "score": (100 * np.exp(-lost / 45)).round(3),
            }
        )


def questions() -> list[Question]:
    """List what the demo asks, in the order of its table."""
    return [
        Question("delay_category", "row", ask_category),
        Question("minutes_late", "row", ask_minutes),
        Question("arrival_day", "row", ask_day),
        Question("z_score", "pandas", ask_z_score),
        Question("great_circle", "pandas", ask_great_circle),
        Question("speed", "Arrow", ask_speed),
        Question("very_late", "mapInArrow", ask_very_late),
        Question("on_time_score", "mapInPandas", ask_score),
    ]


def ask_category(flights: DataFrame) -> DataFrame:
    """Ask for each flight's delay in words."""
    category = udf(delay_category, "string")("dep_delay", "arr_delay")
    return flights.select("id", category.alias("category"))


def ask_minutes(flights: DataFrame) -> DataFrame:
    """Ask how late each flight left and came."""
    late = udf(minutes_late, "int")
    left, came = late("dep_time", "sched_dep_time"), late("arr_time", "sched_arr_time")
    return flights.select("id", left.alias("left"), came.alias("came"))


def ask_day(flights: DataFrame) -> DataFrame:
    """Ask on which day each flight came down."""
    day = udf(arrival_day, "date")("year", "month", "day", "dep_time", "air_time")
    return flights.select("id", day.alias("day"))


def ask_z_score(flights: DataFrame) -> DataFrame:
    """Ask how unusual each delay is, among all flights of the year."""
    mean, deviation = flights.selectExpr("avg(arr_delay)", "stddev(arr_delay)").collect()[0]
    score = pandas_udf(z_score(mean, deviation), "double")
    return flights.select("id", score("arr_delay").alias("z"))


def ask_great_circle(flights: DataFrame) -> DataFrame:
    """Ask for the way between the airports; some have no known place."""
    way = pandas_udf(great_circle, "double")
    return flights.select("id", way("origin_lat", "origin_lon", "dest_lat", "dest_lon").alias("km"))


def ask_speed(flights: DataFrame) -> DataFrame:
    """Ask for each flight's speed in the air."""
    return flights.select("id", arrow_udf(speed, "double")("distance", "air_time").alias("mph"))


def ask_very_late(flights: DataFrame) -> DataFrame:
    """Ask for the very late flights."""
    return flights.mapInArrow(very_late, "id bigint, carrier string, dest string, arr_delay bigint")


def ask_score(flights: DataFrame) -> DataFrame:
    """Ask for each flight's score."""
    inputs = flights.select("id", "time_hour", "carrier", "dep_delay", "arr_delay")
    return inputs.mapInPandas(
        on_time_score, "id bigint, hour timestamp, carrier string, score double"
    )
