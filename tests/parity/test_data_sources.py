"""Data sources in Python: what readers give and writers take, of tables and of streams."""

import json
import os
import time
from pathlib import Path

import pyarrow as pa
import pytest
from parity.case import Case
from parity.evidence import Evidence, last_execution
from parity.legs import ENABLED
from pyspark.sql.datasource import (
    DataSource,
    DataSourceReader,
    DataSourceStreamReader,
    DataSourceStreamWriter,
    DataSourceWriter,
    InputPartition,
    SimpleDataSourceStreamReader,
    WriterCommitMessage,
)
from test_node_types import TOGETHER, rows_of
from test_types import CONF

from parity import outcome, witness

SCAN = frozenset({"BatchScan"})
SCHEMA = "k bigint, v string"


def source(name, schema, **methods):
    """A data source of this name, which has these readers and writers."""
    told = {"name": classmethod(lambda _: name), "schema": lambda _: schema}
    return type("Source", (DataSource,), told | methods)


class Numbers(DataSourceReader):
    """As many rows as it is told, in three partitions, of which one has none."""

    def __init__(self, options):
        self.rows = int(options.get("rows", 40))

    def partitions(self):
        return [InputPartition(0), InputPartition(1), InputPartition(2)]

    def read(self, partition):
        for n in range(partition.value % 2 * self.rows, (partition.value + 1) % 3 * self.rows):
            yield n, None if n % 7 == 3 else f"{partition.value}-{n}"


class Batches(Numbers):
    """The same in record batches."""

    def read(self, partition):
        rows = list(super().read(partition))
        for first in range(0, len(rows), 11):
            keys, values = zip(*rows[first : first + 11], strict=True)
            yield pa.RecordBatch.from_pydict(
                {"k": pa.array(keys, pa.int64()), "v": pa.array(values, pa.string())}
            )


class WithoutPartitions(Numbers):
    """One that does not say what partitions it has."""

    def partitions(self):
        raise NotImplementedError

    def read(self, partition):
        yield from ((n, str(partition)) for n in range(5))


class Wrong(Numbers):
    """Rows of another length than was said."""

    def read(self, partition):
        yield (1,)


READERS = {"rows": Numbers, "batches": Batches, "no_partitions": WithoutPartitions, "wrong": Wrong}


def reads(reader):
    """A data source's way to its reader."""
    return lambda self, schema: reader(self.options)


def writes(writer):
    """The same to its writer."""
    return lambda self, schema, overwrite: writer(self.options, overwrite)


def reading(name, act=None, **options):
    """A query over all that a reader gives."""

    def build(spark):
        spark.dataSource.register(source("asked", SCHEMA, reader=reads(READERS[name])))
        frame = spark.read.format("asked").options(**options).load()
        return frame if act is None else act(frame)

    return build


@pytest.mark.parametrize("name", READERS)
def test_what_a_reader_gives_is_what_spark_reads(name, parity_legs):
    parity_legs.check_either_way(Case(name, reading(name), SCAN, ordered=False))


QUERIES = {
    "many_rows": (lambda frame: frame.selectExpr("sum(k)", "count(v)"), {"rows": 30_000}),
    "no_rows": (None, {"rows": 0}),
    "joined": (lambda frame: frame.join(frame.withColumnRenamed("v", "w"), "k"), {}),
    "filtered": (lambda frame: frame.where("k % 3 = 1").select("v"), {}),
    "limited": (lambda frame: frame.limit(3).selectExpr("count(*)"), {"rows": 5_000}),
    "grouped": (lambda frame: frame.groupBy("v").count(), {}),
}


@pytest.mark.parametrize("name", QUERIES)
@pytest.mark.parametrize("adaptive", ["true", "false"])
def test_a_query_over_a_reader_is_sparks(name, adaptive, parity_legs):
    act, options = QUERIES[name]
    conf = {"spark.sql.adaptive.enabled": adaptive}
    case = Case(name, reading("rows", act=act, **options), SCAN, conf=conf, ordered=False)
    parity_legs.check(case)


def test_columns_of_many_types_are_read_as_by_spark(parity_legs):
    """A reader that gives what a table holds, in Arrow's batches."""

    def build(spark):
        columns = [f"{rows_of(name)} AS c_{name}" for name in TOGETHER]
        frame = spark.range(0, 12, 1, 1).selectExpr(*columns)
        table = frame.toArrow()

        class Held(DataSourceReader):
            def __init__(self, options):
                pass

            def read(self, partition):
                yield from table.to_batches()

        spark.dataSource.register(source("held", frame.schema, reader=reads(Held)))
        return spark.read.format("held").load()

    parity_legs.check(Case("types", build, SCAN, conf=CONF, ordered=False))


@pytest.mark.parametrize("simplified", ["true", "false"])
def test_an_error_of_a_reader_is_sparks(simplified, parity_legs):
    def build(spark):
        sign = witness.signer()

        class Fails(Numbers):
            def partitions(self):
                return [InputPartition(0)]

            def read(self, partition):
                sign()
                yield 1, "one"
                raise ValueError("nothing more", partition.value)

        spark.dataSource.register(source("fails", SCHEMA, reader=reads(Fails)))
        return spark.read.format("fails").load()

    conf = {"spark.sql.execution.pyspark.udf.simplifiedTraceback.enabled": simplified}
    parity_legs.check(Case("fails", build, SCAN, conf=conf, fails=True))


class Lines(DataSourceWriter):
    """Writes a file for each partition, and at the end what its tasks said."""

    def __init__(self, options, overwrite):
        self.folder = Path(options["path"])
        self.overwrite = overwrite
        self.fails = options.get("fails")

    def write(self, rows):
        from pyspark import TaskContext

        partition = TaskContext.get().partitionId()
        lines = [json.dumps([row.k, row.v]) for row in rows]
        if self.fails == "write":
            raise ValueError("no place for rows")
        (self.folder / f"{partition}.rows").write_text("\n".join(lines))
        (self.folder / f"{os.getpid()}.pid").touch()
        return Written(len(lines))

    def commit(self, messages):
        if self.fails == "commit":
            raise ValueError("no commit")
        counts = sorted(message.rows for message in messages)
        (self.folder / "committed").write_text(f"{self.overwrite} {counts}")

    def abort(self, messages):
        (self.folder / "aborted").write_text(
            str([message and message.rows for message in messages])
        )


class Written(WriterCommitMessage):
    """How many rows a task has written."""

    def __init__(self, rows):
        self.rows = rows


MODES = {"append": "AppendData", "overwrite": "OverwriteByExpression"}


@pytest.mark.parametrize("fails", ["", "write", "commit"])
@pytest.mark.parametrize("mode", MODES)
def test_what_a_writer_takes_is_what_spark_gives(mode, fails, parity_legs, tmp_path):
    spark = parity_legs.spark
    spark.dataSource.register(source("lines", SCHEMA, writer=writes(Lines)))
    frame = spark.range(0, 100, 1, 2).selectExpr(
        "id k", "if(id % 7 = 3, null, cast(id as string)) v"
    )

    def leg(embed):
        folder = tmp_path / str(embed)
        folder.mkdir()
        writer = frame.write.format("lines").mode(mode).option("fails", fails)
        with parity_legs.conf({ENABLED: str(embed).lower()}):
            try:
                writer.save(str(folder))
                failed = None
            except Exception as raised:  # noqa: BLE001 (it is compared)
                failed = outcome.error(raised)
        files = {path.name: path.read_text() for path in folder.iterdir() if path.suffix != ".pid"}
        pids = {int(path.stem) for path in folder.glob("*.pid")}
        return (failed, files), pids, last_execution(spark)

    (ours, our_pids, our_nodes), (theirs, their_pids, their_nodes) = (
        leg(embed=True),
        leg(embed=False),
    )
    assert ours == theirs
    assert bool(ours[0]) == bool(fails)
    assert any(name.startswith(MODES[mode]) for name in their_nodes)
    assert parity_legs.jvm not in their_pids
    if parity_legs.plugin:
        assert any(name.startswith(f"Ember{MODES[mode]}") for name in our_nodes)
        assert our_pids <= {parity_legs.jvm} or parity_legs.lane != "embedded"


class Counter(DataSourceStreamReader):
    """Ten rows a micro-batch, up to forty, in two partitions."""

    def __init__(self, options):
        self.at = 0

    def initialOffset(self):
        return {"at": 0}

    def latestOffset(self):
        self.at = min(self.at + 10, 40)
        return {"at": self.at}

    def partitions(self, start, end):
        middle = (start["at"] + end["at"]) // 2
        return [InputPartition((start["at"], middle)), InputPartition((middle, end["at"]))]

    def commit(self, end):
        pass

    def read(self, partition):
        for n in range(*partition.value):
            yield n, str(n)


class SimpleCounter(SimpleDataSourceStreamReader):
    """The same, read where the plan is made and kept for the tasks."""

    def __init__(self, options):
        pass

    def initialOffset(self):
        return {"at": 0}

    def read(self, start):
        end = min(start["at"] + 10, 40)
        return iter([(n, str(n)) for n in range(start["at"], end)]), {"at": end}

    def readBetweenOffsets(self, start, end):
        return iter([(n, str(n)) for n in range(start["at"], end["at"])])

    def commit(self, end):
        pass


class StreamLines(DataSourceStreamWriter):
    """Writes the rows of each task of a micro-batch."""

    def __init__(self, options, overwrite):
        self.folder = Path(options["path"])

    def write(self, rows):
        found = [row.k for row in rows]
        return Written(found)

    def commit(self, messages, batchId):
        found = sorted(n for message in messages for n in message.rows)
        written = self.folder / f"{batchId}.written"
        written.write_text(str(found))
        written.rename(self.folder / f"{batchId}.rows")

    def abort(self, messages, batchId):
        pass


STREAMS = (
    ("counter", "streamReader", Counter),
    ("simple_counter", "simpleStreamReader", SimpleCounter),
)


def counted(spark, *, simple):
    """The rows of a stream from a source in Python."""
    name, kind, reader = STREAMS[simple]
    spark.dataSource.register(source(name, SCHEMA, **{kind: reads(reader)}))
    return spark.readStream.format(name).load()


def streamed(rows, legs, folder, *, embed):
    """A stream into a sink in Python: its files and its last plan."""
    (folder / "rows").mkdir(parents=True)
    lines = source("stream_lines", SCHEMA, streamWriter=writes(StreamLines))
    rows.sparkSession.dataSource.register(lines)
    with legs.conf({ENABLED: str(embed).lower()}):
        query = (
            rows.writeStream.format("stream_lines")
            .option("checkpointLocation", str(folder / "checkpoint"))
            .start(str(folder / "rows"))
        )
        try:
            wait_for_rows(query, folder / "rows")
            told = [progress.numInputRows for progress in query.recentProgress]
            return (committed(folder / "rows"), sum(told)), Evidence(query)
        finally:
            query.stop()


def committed(folder):
    """All that micro-batches have committed, in order."""
    found = (json.loads(path.read_text()) for path in folder.glob("*.rows"))
    return sorted(n for rows in found for n in rows)


def wait_for_rows(query, folder, limit_s=120):
    end = time.monotonic() + limit_s
    while len(committed(folder)) < 40 and time.monotonic() < end:
        assert query.exception() is None
        time.sleep(0.1)
    query.processAllAvailable()


@pytest.mark.parametrize("simple", [False, True])
def test_a_stream_between_sources_in_python_is_sparks(simple, spark, parity_legs, plugin, tmp_path):
    rows = counted(spark, simple=simple)
    ours, our_proof = streamed(rows, parity_legs, tmp_path / "ours", embed=True)
    theirs, proof = streamed(rows, parity_legs, tmp_path / "theirs", embed=False)
    assert ours == theirs == (list(range(40)), 40)
    assert set(proof.vanilla) == {"MicroBatchScan", "WriteToDataSourceV2"}
    if plugin:
        assert set(our_proof.embedded) == {"EmberMicroBatchScan", "EmberWriteToDataSourceV2"}
        assert our_proof.embedded_sessions


def test_what_a_reader_on_the_driver_sends_ahead_can_be_shuffled(
    spark, parity_legs, plugin, tmp_path
):
    rows = counted(spark, simple=True).repartition(2)
    ours, our_proof = streamed(rows, parity_legs, tmp_path / "ours", embed=True)
    theirs, _ = streamed(rows, parity_legs, tmp_path / "theirs", embed=False)
    assert ours == theirs == (list(range(40)), 40)
    if plugin:
        assert "EmberMicroBatchScan" in our_proof.embedded
