"""Whatever a function did, the next one runs."""

from pyspark.sql import functions as F

from parity.case import Case
from parity.kinds import EVERY, same
from parity.legs import Legs

GOOD = {
    kind.name: Case(
        f"good-{kind.name}",
        lambda spark, kind=kind: kind.through(
            spark.range(0, 10, 1, 1).withColumn("v", F.col("id")), same, "bigint"
        ),
        frozenset({kind.node}),
    )
    for kind in EVERY
}


def check_and_go_on(legs: Legs, case: Case) -> None:
    """Both legs of a case, and after them a function of the same kind, embedded."""
    legs.check(case)
    legs.check_embedded(GOOD[case.name.rsplit("-", 1)[1]])
