"""Run mixed functions with errors, kills and cancels for a given time; fail on what is not clean.

    python benches/soak.py --minutes 30      EMBER_JAR names another jar

After a first fifth of the time, which warms everything up, the process is measured after every
round. The run fails (exit code 1) on a wrong answer, on an error that is not the one asked for, on
memory, threads or descriptors that grow, and on a job that does not end. A run on a machine that
has no time for it proves nothing, and one in which a lane was not used or no session changed its
lane does not either: both fail too.
"""

import argparse
import os
import random
import sys
import time
from collections import Counter
from pathlib import Path

from pyspark import cloudpickle
from pyspark.sql import SparkSession

from suite import soaking
from suite.evidence import python_nodes
from suite.soak_rounds import ROUNDS, alone

REPOSITORY = Path(__file__).resolve().parents[1]
#: A machine of its own does about ninety.
LEAST_ROUNDS_A_MINUTE = 10
JAR = Path(os.environ.get("EMBER_JAR", REPOSITORY / "dist" / "ember-spark-4.3_2.13.jar"))
SETTINGS = {
    "spark.master": "local[2]",
    "spark.plugins": "dev.ember.EmberPlugin",
    "spark.jars": str(JAR),
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.memory": "1g",
    "spark.driver.extraJavaOptions": "-Xms1g -XX:+AlwaysPreTouch -XX:+UseSerialGC "
    "-XX:NativeMemoryTracking=summary",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.ember.process.idleSeconds": "20",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.streaming.forceDeleteTempCheckpointLocation": "true",
}


def main() -> int:
    """Run the soak and say how it went."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--stuck-after",
        type=float,
        default=soaking.LIMIT_S,
        metavar="S",
        help="a round that takes longer is stuck; more where others use the machine",
    )
    wanted = parser.parse_args()
    spark = start()
    try:
        problems, rounds, sessions, watch = soak(
            spark, wanted.minutes * 60, random.Random(wanted.seed), wanted.stuck_after
        )
    finally:
        spark.stop()
    print("\n".join(watch.table()))
    print("rounds:", ", ".join(f"{count} {name}" for name, count in sorted(rounds.items())))
    print("sessions:", ", ".join(f"{count} {where}" for where, count in sessions.items()))
    for problem in problems:
        print("PROBLEM:", problem)
    print(f"{sum(rounds.values())} rounds, {len(problems)} problems")
    return 1 if problems else 0


def start() -> SparkSession:
    """Start the one session."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.appName("soak")
    for key, value in SETTINGS.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    for name in [name for name in sys.modules if name.startswith("suite.")]:
        # Executors have no such modules.
        cloudpickle.register_pickle_by_value(sys.modules[name])  # type: ignore[no-untyped-call]
    return spark


def soak(
    spark: SparkSession, seconds: float, dice: random.Random, limit: float
) -> tuple[list[str], Counter[str], Counter[str], soaking.Watch]:
    """Run rounds in an order that the dice choose, until the time is over or something is wrong."""
    begun = time.monotonic()
    warm = max(seconds / 5, min(120.0, seconds / 2))
    watch = soaking.Watch.of(spark)
    rounds: Counter[str] = Counter()
    sessions = Counter(dict.fromkeys(soaking.WAYS, 0))
    problems: list[str] = []
    while (gone := time.monotonic() - begun) < seconds and not problems:
        lane = dice.choice(("auto", "auto", "embedded", "process"))
        name, act = dice.choice(ROUNDS)
        spark.conf.set("spark.ember.lane", lane)
        if problem := soaking.within(act, spark, lane, dice, limit):
            problems.append(f"{name} on {lane}: {problem}")
        rounds[name] += 1
        sessions.update(soaking.ways(python_nodes(spark)))
        if gone > warm:
            watch.look(gone)
    if not problems:
        spark._jvm.java.lang.System.gc()  # noqa: SLF001
        problems += watch.verdict()
        if rounds.total() < LEAST_ROUNDS_A_MINUTE * seconds / 60:
            problems.append(f"{rounds.total()} rounds in {seconds / 60:.0f} minutes prove nothing")
        problems += [found for found in [alone(spark)] if found]
        problems += [f"no sessions {way}" for way in soaking.WAYS if not sessions[way]]
    return problems, rounds, sessions, watch


if __name__ == "__main__":
    sys.exit(main())
