"""A Spark for the tests of the toolkit, and customers who were sent e-mails."""

import os
import random
import sys
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "src"), str(Path(__file__).parent)]


@pytest.fixture(scope="session")
def spark():
    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        .config("spark.sql.shuffle.partitions", "3")
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture(scope="session")
def customers(spark):
    """2,000 rows with ties, nulls, NaN and both zeros."""
    draw = random.Random(7)
    rows = [
        (
            at,
            draw.choice([None, 0.0, -0.0, float("nan"), draw.gauss(0, 1)]),
            draw.choice([None, "Rural", "Urban", "Surburban"]),
            draw.choice([True, False, None]),
            draw.choice(["none", "mens", "womens"]),
            round(draw.random() * draw.choice([0, 100]), 2),
        )
        for at in range(2000)
    ]
    schema = "recency int, history double, zip string, newbie boolean, segment string, spend double"
    return spark.createDataFrame(rows, schema)


@pytest.fixture(scope="session")
def buyers(spark):
    """1,500 rows whose arms do different things to them."""
    draw = random.Random(3)
    rows = []
    for at in range(1500):
        zip_, arm = draw.choice([None, "a", "b", "c"]), draw.choice(["none", "mens", "womens"])
        history = draw.choice([None, 0.0, -0.0, float("nan"), *(draw.gauss(0, 1),) * 4])
        more = (arm == "mens" and zip_ == "b") * 3 + (arm == "womens" and (history or 0) > 0) * 2
        spend = round(draw.random() * 5 + more, 2)
        rows.append((at % 97, history, zip_, draw.choice([True, False, None]), arm, spend))
    schema = "recency int, history double, zip string, newbie boolean, segment string, spend double"
    return spark.createDataFrame(rows, schema)
