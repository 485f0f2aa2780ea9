"""transformWithState that begins with states it is given, and of queries that do not stream."""

import pandas as pd
import pytest
import test_stateful
from parity.case import Case
from parity.streams import Stream
from pyspark import cloudpickle
from pyspark.sql import Row
from test_stateful import (
    BATCHES,
    ROCKS,
    TOLD,
    TRANSFORM,
    Fails,
    Timers,
    TotalsOfFrames,
    TotalsOfRows,
    transformed,
)

# Its classes are the bases of those here.
cloudpickle.register_pickle_by_value(test_stateful)

CHUNKS = {"spark.sql.execution.arrow.maxRecordsPerBatch": "1"}


@pytest.fixture(scope="module")
def files(both):
    """Four micro-batches."""
    return both.files("begun", *BATCHES)


class FramesBegun(TotalsOfFrames):
    """Takes a frame of each key's states."""

    def handleInitialState(self, key, initialState, timerValues):
        self.total.update((int(initialState.v.sum()),))
        self.days.updateValue((f"first of {key[0]}",), (len(initialState),))


class RowsBegun(TotalsOfRows):
    """Takes a row at a time."""

    def handleInitialState(self, key, initialState, timerValues):
        self.total.update((initialState.v,))
        self.days.updateValue((f"first of {key[0]}",), (1,))


class RefusesStates(FramesBegun):
    def handleInitialState(self, key, initialState, timerValues):
        raise ValueError("no states", key[0])


def begun(processor, *, pandas):
    """States for some keys: rows come at once for one, later for one, never for one."""

    def made(frame):
        states = frame.sparkSession.createDataFrame(
            [("a", 100), ("d", 200), ("z", 300), (None, 400)], "k string, v long"
        )
        groups = frame.groupBy("k")
        transform = groups.transformWithStateInPandas if pandas else groups.transformWithState
        return transform(processor(), TOLD, "Append", "None", states.groupBy("k"))

    return made


@pytest.mark.parametrize(
    "stream",
    [
        Stream("frames_begun", begun(FramesBegun, pandas=True), TRANSFORM, conf=ROCKS),
        Stream("rows_begun", begun(RowsBegun, pandas=False), TRANSFORM, conf=ROCKS),
        Stream("begun_in_chunks", begun(FramesBegun, pandas=True), TRANSFORM, conf=ROCKS | CHUNKS),
        Stream(
            "refused_states",
            begun(RefusesStates, pandas=True),
            TRANSFORM,
            conf=ROCKS,
            fails=True,
        ),
    ],
    ids=lambda stream: stream.name,
)
def test_streams_begin_with_the_states_that_spark_would_give(stream, both, files):
    both.check(stream, files)


def table(spark):
    """All rows of the micro-batches, many for one key."""
    rows = [row for batch in BATCHES for row in batch] + [("a", n, "2024-01-01") for n in range(40)]
    return spark.createDataFrame(rows, "k string, v long, t string").selectExpr(
        "k", "v", "cast(t as timestamp) t"
    )


class Shown(Timers):
    """What timers a query that does not stream has: none of its own watermark's."""

    def handleInputRows(self, key, rows, timerValues):
        seen = sum(map(len, rows))
        late = timerValues.getCurrentWatermarkInMs()
        yield pd.DataFrame([{"k": key[0], "total": seen, "seen": "", "days": str(late)}])


class Plain(TotalsOfRows):
    """Many rows for a group, and none for some."""

    def handleInputRows(self, key, rows, timerValues):
        for row in rows:
            if row.v % 2:
                yield Row(k=key[0], total=row.v, seen="", days=str(row.t))


IN_ONE_GO = {
    "frames": (transformed(TotalsOfFrames, pandas=True), {}),
    "rows": (transformed(TotalsOfRows, pandas=False), {}),
    "in_chunks": (transformed(TotalsOfFrames, pandas=True), CHUNKS),
    "timers": (transformed(Shown, pandas=True, time="EventTime"), {}),
    "plain_rows": (transformed(Plain, pandas=False), {}),
    "frames_begun": (begun(FramesBegun, pandas=True), {}),
    "rows_begun": (begun(RowsBegun, pandas=False), {}),
}


@pytest.mark.parametrize("adaptive", ["true", "false"])
@pytest.mark.parametrize("name", IN_ONE_GO)
def test_batches_are_transformed_as_by_spark(name, adaptive, parity_legs):
    through, conf = IN_ONE_GO[name]
    conf = ROCKS | conf | {"spark.sql.adaptive.enabled": adaptive}
    case = Case(name, lambda spark: through(table(spark)), TRANSFORM, conf=conf, ordered=False)
    parity_legs.check(case)


class Sizes(TotalsOfFrames):
    """How many rows each of a key's frames has."""

    def handleInputRows(self, key, rows, timerValues):
        sizes = [len(one) for one in rows]
        yield pd.DataFrame([{"k": key[0], "total": sum(sizes), "seen": str(sizes), "days": ""}])


@pytest.mark.parametrize("limit", [205, 215, 225, 235])
def test_frames_that_bytes_limit_are_as_long_as_with_spark(limit, parity_legs):
    def build(spark):
        frame = spark.range(0, 90, 1, 1).selectExpr("cast(id % 3 as string) k", "id v", "id w")
        return transformed(Sizes, pandas=True)(frame)

    conf = ROCKS | {"spark.sql.execution.arrow.maxBytesPerBatch": str(limit)}
    parity_legs.check(Case(f"limit_{limit}", build, TRANSFORM, conf=conf, ordered=False))


@pytest.mark.parametrize(
    "through",
    [transformed(Fails, pandas=True), begun(RefusesStates, pandas=True)],
    ids=["fails", "refuses_states"],
)
def test_errors_in_batches_are_those_of_spark(through, parity_legs):
    case = Case("fails", lambda spark: through(table(spark)), TRANSFORM, conf=ROCKS, fails=True)
    parity_legs.check(case)


def test_an_empty_batch_has_no_groups_but_may_have_states(parity_legs):
    def build(spark):
        return begun(FramesBegun, pandas=True)(table(spark).where("v > 1000"))

    parity_legs.check(Case("empty", build, TRANSFORM, conf=ROCKS, ordered=False))
