"""Functions in Structured Streaming: micro-batches, foreachBatch, restarts from a checkpoint."""

from collections.abc import Iterator

import pandas as pd
import pytest
from parity.evidence import Evidence
from parity.kinds import EVERY
from parity.legs import ENABLED
from parity.streams import Stream
from pyspark.sql import functions as F
from pyspark.sql.functions import arrow_udtf, pandas_udf, udtf

from parity import outcome, streams, witness

EVAL = frozenset({"ArrowEvalPython"})
BATCHES = (
    [
        ("a", 1, "2024-01-01 00:00:00"),
        ("b", 2, "2024-01-01 00:00:10"),
        ("a", 3, "2024-01-01 00:01:00"),
    ],
    [
        ("c", 4, "2024-01-01 00:02:00"),
        (None, 5, "2024-01-01 00:02:30"),
        ("a", None, "2024-01-01 00:03:00"),
    ],
    [("b", 7, "2024-01-01 00:10:00"), ("a", -8, "2024-01-01 00:11:00")],
)


@pytest.fixture(scope="module")
def files(both):
    """Three micro-batches."""
    return both.files("three", *BATCHES)


def through(kind):
    """A stream through a function of a kind, which signs where it runs."""

    def made(frame):
        sign = witness.signer()

        def unit(one):
            sign()
            return one

        return kind.through(frame.select("k", "v"), unit, "long")

    return made


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.name)
def test_a_function_runs_embedded_in_every_micro_batch(kind, both, files):
    both.check(Stream(kind.name, through(kind), frozenset({kind.node})), files)


def pickled(frame):
    shout = F.udf(lambda k, v: f"{k}-{v}", "string", useArrow=False)
    return frame.select("k", shout("k", "v").alias("w"))


def table_function(*, arrow):
    def made(frame):
        @udtf(returnType="w long, n int", useArrow=arrow)
        class Twice:
            def eval(self, v):
                for n in range(2):
                    yield v, n

        return lateral(frame, Twice)

    return made


def arrow_table_function(frame):
    import pyarrow as pa

    @arrow_udtf(returnType="w long")
    class Columns:
        def eval(self, v: "pa.RecordBatch"):
            yield pa.table({"w": v.column("v")})

    frame.select("v").createOrReplaceTempView("streamed")
    frame.sparkSession.udtf.register("streamed_whole", Columns)
    return frame.sparkSession.sql("SELECT * FROM streamed_whole(TABLE(streamed))")


def lateral(frame, function):
    spark = frame.sparkSession
    frame.createOrReplaceTempView("streamed")
    spark.udtf.register("streamed_through", function)
    return spark.sql("SELECT k, f.* FROM streamed, LATERAL streamed_through(v) f")


def by_group(frame):
    def spread(group: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"k": group.k[:1], "n": [len(group)]})

    return frame.groupBy("k").applyInPandas(spread, "k string, n long")


def by_group_in_arrow(frame):
    return frame.groupBy("k").applyInArrow(
        lambda group: group.select(["k", "v"]), "k string, v long"
    )


def counted_by_a_function(frame):
    first = F.udf(lambda t: t.minute // 2, "int")
    return frame.groupBy(first("t").alias("m")).count()


def joined_with_a_table(frame):
    spark = frame.sparkSession
    names = spark.createDataFrame([("a", "first"), ("b", "second")], "k string, name string")
    shout = F.udf(lambda name: name.upper(), "string")
    return frame.join(names, "k").select("k", "v", shout("name").alias("name"))


def without_late_rows(frame):
    minute = F.udf(lambda v: None if v is None else v % 3, "long")
    return frame.withWatermark("t", "1 minute").dropDuplicates(["k", "t"]).select("k", minute("v"))


@pytest.mark.parametrize(
    "stream",
    [
        Stream("pickled", pickled, frozenset({"BatchEvalPython"})),
        Stream("udtf", table_function(arrow=True), frozenset({"ArrowEvalPythonUDTF"})),
        Stream("pickled_udtf", table_function(arrow=False), frozenset({"BatchEvalPythonUDTF"})),
        Stream("arrow_udtf", arrow_table_function, frozenset({"ArrowEvalPythonUDTF"})),
        Stream("by_group", by_group, frozenset({"FlatMapGroupsInPandas"})),
        Stream("by_group_in_arrow", by_group_in_arrow, frozenset({"FlatMapGroupsInArrow"})),
        Stream("below_an_aggregate", counted_by_a_function, EVAL, mode="complete"),
        Stream("above_a_join", joined_with_a_table, EVAL),
        Stream("above_a_watermark", without_late_rows, EVAL),
    ],
    ids=lambda stream: stream.name,
)
def test_other_kinds_and_places_run_embedded_too(stream, both, files):
    both.check(stream, files)


def test_explain_speaks_of_python_alone_among_nodes_with_state(both, files, plugin):
    counted = both.read(files).dropDuplicates(["k"]).groupBy("k").count()
    stream = counted.writeStream.format("memory").queryName("no_python").outputMode("complete")
    query = stream.trigger(availableNow=True).start()
    streams.finish(query)
    extended = True
    text = query._jsq.explainInternal(extended)
    assert "StateStoreSave" in text
    assert "on Spark's own runner" not in text
    assert not plugin or "no Python functions" in text


def raising(frame):
    sign = witness.signer()

    def fails(v):
        sign()
        return 1 // (v - 5) if v is not None else 0

    return frame.select("k", F.udf(fails, "long")("v").alias("w"))


def test_a_function_that_raises_ends_its_query_with_sparks_error(both, files):
    both.check(Stream("raises", raising, EVAL, fails=True), files)


def everything(batch):
    """What a job does with a micro-batch: a function over rows, one over groups, an aggregate."""

    @pandas_udf("double")
    def mean(v: pd.Series) -> float:
        return v.mean()

    def largest(group: pd.DataFrame) -> pd.DataFrame:
        return group.nlargest(1, "v")

    def shown(several: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for one in several:
            yield one.assign(k=one.k.fillna("none"))

    rows = batch.select("k", F.udf(lambda v: None if v is None else v * 2, "long")("v").alias("v"))
    named = rows.mapInPandas(shown, "k string, v long")
    return {
        "groups": named.groupBy("k").applyInPandas(largest, "k string, v long"),
        "means": named.groupBy("k").agg(mean("v").alias("m")),
    }


NODES_OF_EVERYTHING = {
    "ArrowEvalPython",
    "MapInPandas",
    "FlatMapGroupsInPandas",
    "ArrowAggregatePython",
}


def test_functions_inside_foreach_batch_run_embedded(both, files, plugin):
    def leg(*, embed):
        answers, nodes, on_spark = [], set(), []

        def each(batch, number):
            for name, frame in everything(batch).items():
                found = outcome.rows(frame, frame.collect(), ordered=False)
                proof = Evidence(frame)
                answers.append((number, name, found))
                nodes.update(proof.embedded)
                on_spark.extend(proof.vanilla)

        with both.legs.conf({ENABLED: str(embed).lower()}):
            read = both.read(files)
            streams.finish(read.writeStream.foreachBatch(each).trigger(availableNow=True).start())
        return answers, nodes, on_spark

    (ours, embedded, left), (theirs, none, _) = leg(embed=True), leg(embed=False)
    assert ours == theirs
    assert {number for number, _, _ in ours} == {0, 1, 2}
    assert not none
    if plugin:
        assert embedded == {f"Ember{name}" for name in NODES_OF_EVERYTHING}
        assert not left


def test_a_query_goes_on_from_its_checkpoint_with_ember_or_without(both, plugin):
    files = both.files("growing")
    shout = F.udf(lambda k: "none" if k is None else k.upper(), "string")

    def go_on(name, *, embed):
        """Run what is new since the last time; return what ran it."""
        with both.legs.conf({ENABLED: str(embed).lower()}):
            query = (
                both.read(files)
                .select(shout("k").alias("k"), "v")
                .writeStream.format("parquet")
                .option("checkpointLocation", str(both.folder / f"{name}.checkpoint"))
                .trigger(availableNow=True)
                .start(str(both.folder / name))
            )
            streams.finish(query)
        return Evidence(query)

    for number, batch in enumerate(BATCHES):
        both.files("growing", batch)
        ours = go_on("mixed", embed=number != 1)
        go_on("alone", embed=False)
        if plugin:
            assert bool(ours.embedded_sessions) == (number != 1)
    mixed, alone = (both.spark.read.parquet(str(both.folder / name)) for name in ("mixed", "alone"))
    assert sorted(mixed.collect(), key=repr) == sorted(alone.collect(), key=repr)
    assert mixed.count() == sum(map(len, BATCHES))


def test_a_query_that_failed_goes_on_with_a_better_function(both, files, plugin):
    def go_on(function):
        with both.legs.conf({ENABLED: "true"}):
            query = (
                both.read(files)
                .select("k", F.udf(function, "long")("v").alias("v"))
                .writeStream.format("parquet")
                .option("checkpointLocation", str(both.folder / "mended.checkpoint"))
                .trigger(availableNow=True)
                .start(str(both.folder / "mended"))
            )
            streams.finish(query)
        return Evidence(query)

    def bad(v):
        if v == 5:
            raise ValueError(v)
        return v

    with pytest.raises(Exception, match="ValueError: 5"):
        go_on(bad)
    proof = go_on(lambda v: v)
    assert not plugin or proof.embedded_sessions
    written = [row.v for row in both.spark.read.parquet(str(both.folder / "mended")).collect()]
    expected = [value for batch in BATCHES for _, value, _ in batch]
    assert sorted(written, key=repr) == sorted(expected, key=repr)
