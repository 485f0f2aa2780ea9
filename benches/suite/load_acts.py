"""What a client of a loaded server does at a time, and how it judges what came of it."""

import ctypes
import os
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812 - as PySpark is written

from suite import soak_faults, soak_rounds
from suite.soak_faults import fails_with
from suite.soak_rounds import Round

#: One in ten raises, one in fifty ends the process that it runs in.
RAISING, CRASHING = 0.1, 0.02
#: A module that every client brings under this name, each one its own.
MODULE: Final = "whose_session"
VARIABLE: Final = "EMBER_LOAD_SESSION"

Act = Callable[[SparkSession, random.Random], str | None]


def bring_module(spark: SparkSession, client: int, folder: Path) -> None:
    """Send the session a module that says whose it is."""
    path = folder / str(client) / f"{MODULE}.py"
    path.parent.mkdir()
    path.write_text(f"NAME = 'client {client}'\n")
    spark.addArtifact(str(path), pyfile=True)


def own_state(client: int, spark: SparkSession, _dice: random.Random) -> str | None:
    """See one's own module, and no variable but one's own."""

    def seen(_: int) -> str:
        import whose_session  # type: ignore[import-not-found]

        before = os.environ.get(VARIABLE)
        os.environ[VARIABLE] = whose_session.NAME
        return f"{whose_session.NAME}, {before}"

    frame = spark.range(0, 40, 1, 2).select(F.udf(seen, "string")("id").alias("v"))
    name = f"client {client}"
    foreign = {row.v for row in frame.collect()} - {f"{name}, None", f"{name}, {name}"}
    return f"{name} saw {sorted(foreign)}" if foreign else None


def crashes(spark: SparkSession, dice: random.Random) -> str | None:
    """Read a null pointer in a function that nobody has seen before."""
    mark = dice.getrandbits(40)
    ends = F.udf(lambda value: ctypes.string_at(0) or value + mark, "long")
    frame = spark.range(10, numPartitions=1).select(ends("id"))
    return fails_with(frame, "Python worker exited unexpectedly (crashed)")


def on_any_lane(act: Round) -> Act:
    """Do what a soak does, where the server chooses."""
    return lambda spark, dice: act(spark, "auto", dice)


RAISES: Final = on_any_lane(soak_faults.raises)
KINDS: Final[dict[str, Act]] = {
    act.__name__: on_any_lane(act)
    for act in (
        *(soak_rounds.row_function, soak_rounds.pickled_function, soak_rounds.text_function),
        *(soak_rounds.pandas_function, soak_rounds.map_function, soak_rounds.chained),
        *(soak_rounds.early_end, soak_rounds.table_function, soak_rounds.pandas_groups),
        *(soak_rounds.arrow_groups, soak_rounds.cogroups, soak_rounds.aggregate),
        soak_rounds.window,
    )
}


def chosen(client: int, dice: random.Random) -> tuple[str, Act]:
    """Give what the dice have this client do next."""
    die = dice.random()
    if die < CRASHING:
        return "crashes", crashes
    if die < CRASHING + RAISING:
        return "raises", RAISES
    return dice.choice([*KINDS.items(), ("own_state", partial(own_state, client))])
