"""One SparkSession whose functions run in worker processes, unless a test asks for another lane."""

import os
import sys
import time
from pathlib import Path

import pytest
from pyspark import cloudpickle
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from counting import sessions

REPOSITORY = Path(__file__).resolve().parents[2]
JAR = Path(os.environ.get("EMBER_JAR", REPOSITORY / "dist" / "ember-spark-4.3_2.13.jar"))

SETTINGS = {
    "spark.master": "local[2]",
    "spark.plugins": "dev.ember.EmberPlugin",
    "spark.jars": str(JAR),
    "spark.ember.lane": "process",
    # Libraries that tests import, and what the JVM's compilers take, are no leak.
    "spark.ember.embedded.leakMegabytes": "256",
    "spark.ember.process.residentMegabytes": "700",
    "spark.executorEnv.OF_THE_APPLICATION": "2",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.memory": "1g",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
}


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="run all there is")


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: starts an application of its own")


def pytest_collection_modifyitems(config, items):
    for module in {item.module for item in items}:
        cloudpickle.register_pickle_by_value(module)
    if not config.getoption("--slow"):
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(pytest.mark.skip(reason="slow: pass --slow"))


@pytest.fixture
def free_lanes(spark):
    """Waits until the functions have come back that earlier tests have left to themselves."""
    spark.conf.set("spark.ember.lane", "embedded")
    numbers = spark.range(1, numPartitions=1)
    mark = time.monotonic_ns()  # a function that nobody has seen, and nobody has shut out
    begun = time.monotonic()
    while True:
        frame = numbers.select(F.udf(lambda v: v + mark, "long")("id"))
        frame.collect()
        if (counted := sessions(frame)).get("emberSessions"):
            break
        assert time.monotonic() - begun < 60, counted
        time.sleep(1)
    spark.conf.unset("spark.ember.lane")


def settings(folder):
    """What a session is made of.  ``folder`` takes what Spark writes."""
    java = f"-Djava.io.tmpdir={folder} -XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
    java += " -Xms1g -XX:+AlwaysPreTouch"  # so that what grows is not the heap
    return {
        **SETTINGS,
        "spark.driver.extraJavaOptions": java,
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
    }


@pytest.fixture(scope="session")
def spark(tmp_path_factory):
    """The session of the suite."""
    if not JAR.exists():
        pytest.fail(f"{JAR} is absent: run ci/build", pytrace=False)
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.appName("faults")
    for key, value in settings(tmp_path_factory.mktemp("spark")).items():
        builder = builder.config(key, value)
    started = builder.getOrCreate()
    started.sparkContext.setLogLevel("OFF")
    yield started
    started.stop()
