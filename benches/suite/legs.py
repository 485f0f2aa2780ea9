"""The legs: one way to run Python functions each, as settings of a Spark driver."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
JAR: Final = Path(os.environ.get("EMBER_JAR", ROOT / "dist" / "ember-spark-4.3_2.13.jar"))


@dataclass(frozen=True)
class Leg:
    """A named set of settings."""

    name: str
    words: str
    settings: dict[str, str] = field(default_factory=dict)


EMBER: Final = Leg(
    "ember", "Ember", {"spark.plugins": "dev.ember.EmberPlugin", "spark.jars": str(JAR)}
)
EMBER_IN_TURN: Final = Leg(
    "ember_in_turn",
    "Ember, no batch ahead",
    EMBER.settings | {"spark.ember.pipeline.enabled": "false"},
)
SPARK: Final = Leg("spark", "Spark, default settings")
PIPELINED: Final = Leg(
    "pipelined", "Spark, pipelined transfer", {"spark.python.udf.pipelined.enabled": "true"}
)
PICKLED: Final = "pickled"

LEGS: Final[dict[str, Leg]] = {
    leg.name: leg
    for leg in (
        EMBER,
        EMBER_IN_TURN,
        SPARK,
        PIPELINED,
        Leg("unix", "Spark, Unix sockets", {"spark.python.unix.domain.socket.enabled": "true"}),
        Leg(
            PICKLED,
            "Spark, row functions by pickle, not by Arrow",
            {"spark.sql.execution.pythonUDF.arrow.enabled": "false"},
        ),
    )
}

EMBERS: Final = (EMBER.name, EMBER_IN_TURN.name)

# Those that run every function by Arrow: Spark's best setting is the best of them.
ARROW_LEGS: Final = ("spark", "pipelined", "unix")

SHARED: Final[dict[str, str]] = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.memory": "2g",
    # A heap that grows would be measured too, in CPU time and in memory.
    "spark.driver.extraJavaOptions": "-Xms2g -XX:+AlwaysPreTouch",
    "spark.sql.session.timeZone": "UTC",
}
