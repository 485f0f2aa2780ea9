"""Streams under a lock: what each micro-batch is checked for, and what a ledger holds."""

import resource

import pytest
from pyspark.errors import StreamingQueryException
from pyspark.sql import functions as F  # noqa: N812 (its usual name)

from ember.policy import (
    DriftError,
    Forest,
    Leaf,
    Ledger,
    ManifestError,
    Split,
    fit,
    guarded,
    lock,
    read_ledger,
    score,
)

FEATURES = ["recency", "history", "zip", "newbie"]


@pytest.fixture(scope="module")
def manifest(customers):
    return fit(
        customers, features=FEATURES, treatment="segment", outcome="spend", control="none", bins=8
    )


@pytest.fixture(scope="module")
def forest(manifest):
    one, other = Leaf((0.1, 1 / 3, -1 / 7)), Leaf((1.0, 2.0, 3.0))
    return Forest(manifest, (Split("zip", (1,), one, other), one))


@pytest.fixture(scope="module")
def locked(customers, manifest):
    return lock(customers, manifest)


@pytest.fixture
def source(customers, tmp_path):
    """Four files, each of which is a micro-batch."""
    for part in range(4):
        some = customers.where(F.col("recency") % 4 == part).coalesce(1)
        some.write.mode("append").parquet(str(tmp_path / "rows"))
    return str(tmp_path / "rows")


@pytest.fixture
def streamed(spark, source, customers):
    """Run a function over the four micro-batches."""

    def run(each):
        stream = spark.readStream.schema(customers.schema).option("maxFilesPerTrigger", 1)
        writer = stream.parquet(source).writeStream.foreachBatch(each)
        writer.trigger(availableNow=True).start().awaitTermination()

    return run


def test_locked_rows_that_come_in_batches_add_up_to_the_lock(
    customers, streamed, forest, locked, tmp_path
):
    written = []
    ledger = Ledger(tmp_path / "ledger.jsonl")
    each = guarded(forest, locked, lambda df, _: written.extend(df.collect()), ledger=ledger)
    streamed(each)
    assert len(ledger.batches) == 4
    assert ledger.total() == locked.rows
    expected = score(customers, forest, backend="row").collect()
    assert sorted(map(str, written)) == sorted(map(str, expected))
    assert read_ledger(ledger.text()).batches == ledger.batches
    assert Ledger(tmp_path / "ledger.jsonl").batches == ledger.batches


def test_a_ledger_that_ended_in_the_middle_of_a_line_goes_on_before_it(locked, tmp_path):
    path = tmp_path / "ledger.jsonl"
    Ledger(path).keep(0, locked.rows)
    whole = path.read_text()
    path.write_text(whole + whole[: len(whole) // 2])
    ledger = Ledger(path)
    assert list(ledger.batches) == [0]
    ledger.keep(1, locked.rows)
    assert Ledger(path).batches == ledger.batches
    assert list(ledger.batches) == [0, 1]


def test_a_batch_that_could_not_be_entered_is_entered_when_it_is_repeated(locked, tmp_path):
    path = tmp_path / "folder" / "ledger.jsonl"
    ledger = Ledger(path)
    with pytest.raises(OSError, match="No such file"):
        ledger.keep(0, locked.rows)
    path.parent.mkdir()
    ledger.keep(0, locked.rows)
    assert list(Ledger(path).batches) == [0]


def test_of_a_line_that_does_not_fit_on_the_disk_nothing_stays(locked, tmp_path):
    path = tmp_path / "ledger.jsonl"
    ledger = Ledger(path)
    ledger.keep(0, locked.rows)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 9, limits[1]))
    try:
        with pytest.raises(OSError, match="No space"):
            ledger.keep(1, locked.rows)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    ledger.keep(1, locked.rows)
    assert list(Ledger(path).batches) == [0, 1]


def test_a_line_that_is_no_json_is_named(locked):
    ledger = Ledger()
    ledger.keep(0, locked.rows)
    with pytest.raises(ManifestError, match="line 2"):
        read_ledger(ledger.text() + "{\n")


def test_a_later_run_is_held_to_an_earlier_ones_batches(customers, forest, locked):
    first, second = (customers.where(F.col("recency") % 2 == part) for part in (0, 1))
    ledger, written = Ledger(), []
    each = guarded(forest, locked, lambda *_: written.append(1), ledger=ledger)
    each(first, 0)
    each(second, 1)
    later = guarded(forest, locked, lambda *_: written.append(1), expected=ledger)
    later(first.repartition(5), 0)
    with pytest.raises(DriftError, match=r"rows of batch 1: locked 1,000 rows"):
        later(first, 1)
    with pytest.raises(DriftError, match="batch 7: locked absent"):
        later(first, 7)
    assert len(written) == 3


def test_a_batch_that_is_repeated_has_the_same_rows(customers, forest, locked):
    ledger, written = Ledger(), []
    each = guarded(forest, locked, lambda *_: written.append(1), ledger=ledger)
    each(customers, 0)
    each(customers.repartition(3), 0)
    with pytest.raises(DriftError, match="rows of batch 0"):
        each(customers.limit(5), 0)
    assert len(written) == 2
    assert ledger.total() == locked.rows


@pytest.mark.parametrize(
    ("column", "words"),
    [("1.0D", "type of column 'zip'"), (None, "column 'zip'")],
)
def test_a_batch_that_drifted_ends_the_stream_and_is_not_written(
    streamed, forest, locked, column, words
):
    written = []
    each = guarded(forest, locked, lambda *_: written.append(1))

    def changed(df, number):
        each(df.drop("zip") if column is None else df.withColumn("zip", F.expr(column)), number)

    with pytest.raises(StreamingQueryException, match="since the lock") as failed:
        streamed(changed)
    assert words in str(failed.value)
    assert not written


def test_a_stream_is_held_to_the_lock_before_it_starts(spark, source, customers, forest, locked):
    stream = spark.readStream.schema(customers.schema).parquet(source)
    assert score(stream, forest, locked=locked, backend="auto").isStreaming
    with pytest.raises(DriftError, match="type of column 'recency'"):
        score(stream.withColumn("recency", F.lit(1.0)), forest, locked=locked)


@pytest.mark.parametrize("text", ["{}", "[]", '{"batch": "1", "rows": {}}', '{"batch": 1}'])
def test_what_is_no_ledger_is_refused(text):
    with pytest.raises(ManifestError):
        read_ledger(text)
    with pytest.raises(ManifestError, match="are none"):
        Ledger().total()
