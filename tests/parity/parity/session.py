"""The one SparkSession of the suite, and where the plugin's jar is."""

import os
import sys
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

REPOSITORY = Path(__file__).resolve().parents[3]
PLUGIN = "dev.ember.EmberPlugin"
#: Code of thousands of queries is compiled, and this compiler has room for 48 MiB if not told.
QUICK = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m -XX:+UseSerialGC"
#: What PySpark asks for with each column and each error; py4j looks for it in every jar each time.
OFTEN_ASKED_FOR = (
    "PythonSQLUtils",
    "PythonUtils",
    "SimplePythonFunction",
    "functions",
    "java",
    "org",
    "py4j.reflection.TypeUtil",
)


def jar() -> Path:
    """The built jar; ``EMBER_JAR`` names another."""
    return Path(os.environ.get("EMBER_JAR", REPOSITORY / "dist" / "ember-spark-4.3_2.13.jar"))


def settings(folder: Path, *, plugin: bool, lane: str = "embedded") -> dict[str, str]:
    """What the session is made of.  ``folder`` takes what Spark writes."""
    java = f"-Djava.io.tmpdir={folder} -Dderby.system.home={folder}"
    chosen = {
        "spark.master": "local[2]",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.driver.memory": "2g",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.extraJavaOptions": f"{java} {QUICK}",
        "spark.sql.session.timeZone": "America/Los_Angeles",
    }
    if plugin:
        chosen |= {
            "spark.plugins": PLUGIN,
            "spark.jars": str(jar()),
            "spark.ember.lane": lane,
            "spark.ember.embedded.tasks": "1" if lane == "auto" else "64",
        }
    return chosen


def start(folder: Path, *, plugin: bool, lane: str = "embedded") -> SparkSession:
    """Start it, in this process's JVM."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.appName("parity")
    for key, value in settings(folder, plugin=plugin, lane=lane).items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    for path in OFTEN_ASKED_FOR:
        keep(spark._jvm, path)
    return spark


def keep(package: Any, path: str) -> None:
    """Have Python keep what py4j has found."""
    for name in path.split("."):
        found = getattr(package, name)
        setattr(package, name, found)
        package = found
