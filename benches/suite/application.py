"""The one Spark application of a bench that compares ways within it, and not drivers."""

import os
import sys
from typing import Final

from pyspark.sql import SparkSession

from suite.legs import JAR

#: What puts Ember into it; a session may turn it off.
WITH_EMBER: Final = {"spark.jars": str(JAR), "spark.plugins": "dev.ember.EmberPlugin"}


def application(name: str, slots: int, memory: str, settings: dict[str, str]) -> SparkSession:
    """Start it in ``local[slots]``, with this Python and a heap of ``memory``."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    shared = {
        "spark.master": f"local[{slots}]",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.memory": memory,
    }
    builder = SparkSession.builder.appName(name)
    for key, value in (shared | settings).items():
        builder = builder.config(key, value)
    return builder.getOrCreate()
