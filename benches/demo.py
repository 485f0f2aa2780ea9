"""Ask real questions about real flights, with Spark's own Python runner and with Ember.

It prints a table and exits with 1 when an answer differs or a node did not run embedded.
"""

import argparse
import sys
import warnings
from statistics import median

from pyspark import cloudpickle
from pyspark.sql import SparkSession

from flights import functions
from flights.data import load_flights
from flights.race import Race, race
from suite.legs import EMBER, JAR, SHARED

HEADS = ("function", "kind", "rows", "Spark s", "Ember s", "ratio", "identical", "embedded nodes")


def main() -> int:
    """Run the demo."""
    wanted = arguments()
    if not JAR.is_file():
        print(f"no jar at {JAR}: run ci/build", file=sys.stderr)
        return 1
    # The functions travel by value, as those of a notebook or of a script do.
    cloudpickle.register_pickle_by_value(functions)  # type: ignore[no-untyped-call]
    warnings.filterwarnings("ignore", message="Cannot infer the eval type", category=UserWarning)
    spark = session(wanted.slots)
    flights = load_flights(spark)
    races = []
    for question in functions.questions():
        print(f"{question.name} ...", file=sys.stderr, flush=True)
        races.append(race(spark, flights, question, wanted.warmups, wanted.runs))
    tell(races, wanted)
    spark.stop()
    return 0 if all(not one.different and not one.vacuous for one in races) else 1


def session(slots: int) -> SparkSession:
    """Start Spark as a user of Ember would: a jar and a plugin's name."""
    builder = SparkSession.builder.master(f"local[{slots}]").appName("flights")
    for key, value in (SHARED | EMBER.settings).items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def tell(races: list[Race], wanted: argparse.Namespace) -> None:
    """Print the table, and below it what is wrong."""
    lines = [HEADS, *(cells(one) for one in races)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(HEADS))]
    print()
    for line in lines:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        )
    print(
        f"\nmedians of {wanted.runs} runs of each side in turn after {wanted.warmups} of each to"
        f" warm up, local[{wanted.slots}]; ratio above 1: Ember is faster;"
        " identical: every bit of every value"
    )
    for one in races:
        if one.different:
            print(f"DIFFERENT: {one.question.name}: {one.different}")
        if one.vacuous:
            print(f"VACUOUS: {one.question.name}: {one.vacuous}")
        if one.ratio <= 1:
            print(f"NOT FASTER: {one.question.name}: ratio {one.ratio:.2f}")


def cells(one: Race) -> tuple[str, ...]:
    """Write one line of the table."""
    embedded = sorted({node.name for node in one.ember.nodes if node.ran_embedded})
    return (
        one.question.name,
        one.question.kind,
        f"{one.rows:,}",
        f"{median(one.spark.seconds):.3f}",
        f"{median(one.ember.seconds):.3f}",
        f"{one.ratio:.2f}",
        "NO" if one.different else "yes",
        ", ".join(embedded) or "none",
    )


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slots", type=int, default=1, help="task slots: local[SLOTS]")
    parser.add_argument("--runs", type=int, default=5, help="measured runs of each side")
    parser.add_argument("--warmups", type=int, default=2, help="runs of each side before them")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
