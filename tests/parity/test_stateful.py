"""Functions that keep state: applyInPandasWithState and transformWithState."""

import datetime as dt
from collections.abc import Iterator

import pandas as pd
import pytest
from parity.evidence import Evidence
from parity.legs import ENABLED
from parity.streams import Stream
from pyspark.sql import Row
from pyspark.sql.streaming import StatefulProcessor
from pyspark.sql.streaming.state import GroupStateTimeout

from parity import outcome, streams, witness

GROUP_STATE = frozenset({"FlatMapGroupsInPandasWithState"})
TRANSFORM = frozenset({"TransformWithStateInPySpark"})
ROCKS = {
    "spark.sql.streaming.stateStore.providerClass": (
        "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider"
    )
}
BATCHES = (
    [
        ("a", 1, "2024-01-01 00:00:00"),
        ("b", 2, "2024-01-01 00:00:10"),
        ("a", 3, "2024-01-01 00:01:00"),
    ],
    [
        ("c", 4, "2024-01-01 00:02:00"),
        (None, 5, "2024-01-01 00:02:30"),
        ("a", 6, "2024-01-01 00:03:00"),
    ],
    [
        ("b", 7, "2024-01-01 00:20:00"),
        ("a", -8, "2024-01-01 00:21:00"),
        ("a", 9, "2024-01-01 00:01:00"),
    ],
    [
        ("d", 10, "2024-01-01 01:00:00"),
        ("d", 11, "2024-01-01 01:00:01"),
        ("d", 12, "2024-01-01 01:00:02"),
    ],
)


@pytest.fixture(scope="module")
def files(both):
    """Four micro-batches."""
    return both.files("four", *BATCHES)


def counting(frame, *, fails_at=None):
    """Counts and sums by key, and says what it finds of the state."""
    sign = witness.signer()

    def count(key, frames: Iterator[pd.DataFrame], state):
        sign()
        rows, total, last = state.get if state.exists else (0, 0, "")
        for one in frames:
            if fails_at in set(one.v):
                raise ValueError("refused", fails_at)
            rows, total, last = rows + len(one), total + int(one.v.sum()), str(one.t.max())
        if total > 15:
            state.remove()
        else:
            state.update((rows, total, last))
        yield pd.DataFrame({"k": [key[0]], "rows": [rows], "total": [total], "last": [last]})

    return frame.groupBy("k").applyInPandasWithState(
        count,
        "k string, rows long, total long, last string",
        "rows long, total long, last string",
        "update",
        GroupStateTimeout.NoTimeout,
    )


def timing_out(frame):
    """Gives a group up when the watermark has gone on by a minute."""

    def watch(key, frames: Iterator[pd.DataFrame], state):
        if state.hasTimedOut:
            (seen,) = state.get
            state.remove()
            empty = [len(one) for one in frames]
            yield pd.DataFrame({"k": [key[0]], "seen": [seen], "how": [f"timed out {empty}"]})
            return
        seen = state.getOption[0] if state.exists else 0
        for one in frames:
            seen += len(one)
        state.update((seen,))
        state.setTimeoutTimestamp(state.getCurrentWatermarkMs() + 60_000)
        yield pd.DataFrame({"k": [key[0]], "seen": [seen], "how": ["rows"]})

    return (
        frame.withWatermark("t", "1 minute")
        .groupBy("k")
        .applyInPandasWithState(
            watch,
            "k string, seen long, how string",
            "seen long",
            "append",
            GroupStateTimeout.EventTimeTimeout,
        )
    )


def shaped(frame):
    """State of several types; several frames out for a group, and an empty one."""

    def shape(key, frames: Iterator[pd.DataFrame], state):
        seen = state.get[0] if state.exists else ""
        for one in frames:
            seen += "".join(f"{v}," for v in one.v)
            yield one[["k", "v"]]
        yield pd.DataFrame({"k": [], "v": []})
        state.update((seen, len(seen) / 3, dt.date(2024, 1, 1), seen.encode(), None, "5" in seen))
        yield pd.DataFrame({"k": [str(state.get)], "v": [len(seen)]})

    return frame.groupBy("k").applyInPandasWithState(
        shape,
        "k string, v long",
        "seen string, part double, day date, bytes binary, nothing long, five boolean",
        "append",
        GroupStateTimeout.NoTimeout,
    )


@pytest.mark.parametrize(
    "stream",
    [
        Stream("counting", counting, GROUP_STATE, mode="update"),
        Stream("timing_out", timing_out, GROUP_STATE),
        Stream("shaped", shaped, GROUP_STATE),
        Stream(
            "in_chunks",
            shaped,
            GROUP_STATE,
            conf={"spark.sql.execution.arrow.maxRecordsPerBatch": "2"},
        ),
        Stream(
            "state_that_fails",
            lambda frame: counting(frame, fails_at=4),
            GROUP_STATE,
            mode="update",
            fails=True,
        ),
    ],
    ids=lambda stream: stream.name,
)
def test_groups_with_state_are_sparks(stream, both, files):
    both.check(stream, files)


class Totals(StatefulProcessor):
    """Every sort of state: a value, a list, a map."""

    def init(self, handle):
        self.handle = handle
        self.total = handle.getValueState("total", "total long")
        self.seen = handle.getListState("seen", "v long")
        self.days = handle.getMapState("days", "day string", "n int")

    def keep(self, rows):
        for v, t in rows:
            before = self.total.get()[0] if self.total.exists() else 0
            self.total.update((before + v,))
            self.seen.appendValue((v,))
            day = str(t)
            n = self.days.getValue((day,))[0] if self.days.containsKey((day,)) else 0
            self.days.updateValue((day,), (n + 1,))

    def told(self, key):
        seen = [v for (v,) in self.seen.get()]
        days = sorted((day, n) for (day,), (n,) in self.days.iterator())
        if len(seen) > 4:
            self.seen.clear()
        return {"k": key[0], "total": self.total.get()[0], "seen": str(seen), "days": str(days)}

    def close(self):
        pass


class TotalsOfFrames(Totals):
    def handleInputRows(self, key, rows, timerValues):
        for frame in rows:
            self.keep((int(v), t) for v, t in zip(frame.v, frame.t, strict=True))
        yield pd.DataFrame([self.told(key)])


class TotalsOfRows(Totals):
    def handleInputRows(self, key, rows, timerValues):
        self.keep((row.v, row.t) for row in rows)
        yield Row(**self.told(key))


TOLD = "k string, total long, seen string, days string"


def transformed(processor, *, pandas, time="None"):
    def made(frame):
        groups = frame.withWatermark("t", "1 minute").groupBy("k")
        transform = groups.transformWithStateInPandas if pandas else groups.transformWithState
        return transform(processor(), TOLD, "Append", time)

    return made


class Timers(StatefulProcessor):
    """A timer for each group, a minute behind the watermark."""

    def init(self, handle):
        self.handle = handle
        self.seen = handle.getValueState("seen", "n long")

    def handleInputRows(self, key, rows, timerValues):
        n = self.seen.get()[0] if self.seen.exists() else 0
        n += sum(map(len, rows))
        self.seen.update((n,))
        for timer in self.handle.listTimers():
            self.handle.deleteTimer(timer)
        late = timerValues.getCurrentWatermarkInMs()
        self.handle.registerTimer(max(late, 0) + 60_000)
        yield pd.DataFrame([{"k": key[0], "total": n, "seen": "rows", "days": str(late)}])

    def handleExpiredTimer(self, key, timerValues, expiredTimerInfo):
        n = self.seen.get()[0]
        self.seen.clear()
        at = expiredTimerInfo.getExpiryTimeInMs()
        yield pd.DataFrame([{"k": key[0], "total": n, "seen": "expired", "days": str(at)}])

    def close(self):
        pass


class Fails(TotalsOfFrames):
    def handleInputRows(self, key, rows, timerValues):
        if key[0] == "c":
            raise ValueError("no c")
        yield from super().handleInputRows(key, rows, timerValues)


@pytest.mark.parametrize(
    "stream",
    [
        Stream("frames", transformed(TotalsOfFrames, pandas=True), TRANSFORM, conf=ROCKS),
        Stream("rows", transformed(TotalsOfRows, pandas=False), TRANSFORM, conf=ROCKS),
        Stream(
            "frames_in_chunks",
            transformed(TotalsOfFrames, pandas=True),
            TRANSFORM,
            conf=ROCKS | {"spark.sql.execution.arrow.maxRecordsPerBatch": "1"},
        ),
        Stream("timers", transformed(Timers, pandas=True, time="EventTime"), TRANSFORM, conf=ROCKS),
        Stream("fails", transformed(Fails, pandas=True), TRANSFORM, conf=ROCKS, fails=True),
    ],
    ids=lambda stream: stream.name,
)
def test_transformed_groups_are_sparks(stream, both, files):
    both.check(stream, files)


@pytest.mark.parametrize(
    "stream",
    [
        Stream("group_state", counting, GROUP_STATE, mode="update"),
        Stream("transform", transformed(TotalsOfFrames, pandas=True), TRANSFORM, conf=ROCKS),
    ],
    ids=lambda stream: stream.name,
)
def test_states_go_on_from_a_checkpoint_with_ember_or_without(stream, both, plugin):
    name = f"growing_{stream.name}"

    def go_on(leg, *, embed):
        """Run what is new since the last time; return its rows, and whether Ember ran them."""
        witness.fresh()
        answers = []

        def each(batch, number):
            answers.append((number, outcome.rows(batch, batch.collect(), ordered=False)))

        with both.legs.conf({**stream.conf, ENABLED: str(embed).lower()}):
            query = (
                stream.through(both.read(both.folder / name))
                .writeStream.foreachBatch(each)
                .outputMode(stream.mode)
                .option("checkpointLocation", str(both.folder / f"{name}_{leg}.checkpoint"))
                .trigger(availableNow=True)
                .start()
            )
            streams.finish(query)
        return answers, Evidence(query)

    for number, batch in enumerate(BATCHES):
        both.files(name, batch)
        (mixed, ours), (alone, theirs) = (
            go_on("mixed", embed=number != 1),
            go_on("alone", embed=False),
        )
        assert mixed == alone
        assert set(theirs.vanilla) == stream.nodes
        if plugin:
            assert bool(ours.embedded_sessions) == (number != 1)
