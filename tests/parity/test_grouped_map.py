"""Functions over groups: `applyInPandas` and `applyInArrow`, over what a group may look like."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from parity.case import Case, Then
from pyspark.sql import functions as F
from test_types import CONF, TYPES

from parity import witness

ADAPTIVE = "spark.sql.adaptive.enabled"
BYTES = "spark.sql.execution.arrow.maxBytesPerBatch"
RECORDS = "spark.sql.execution.arrow.maxRecordsPerBatch"
BY_NAME = "spark.sql.legacy.execution.pandas.groupedMap.assignColumnsByName"


@dataclass(frozen=True)
class Way:
    """One of the two ways to send a group through a function."""

    name: str
    node: str
    rows: Any
    """A function's table of so many rows, from the numbers of one column each."""

    def apply(self, grouped, function, schema):
        """The groups, each through the function."""
        apply = grouped.applyInPandas if self is PANDAS else grouped.applyInArrow
        return apply(function, schema)

    @property
    def nodes(self):
        """What its plans must show."""
        return frozenset({self.node})


PANDAS = Way("pandas", "FlatMapGroupsInPandas", pd.DataFrame)
ARROW = Way("arrow", "FlatMapGroupsInArrow", pa.table)
WAYS = (PANDAS, ARROW)

# What a function does with its group, in pandas and in Arrow.


def same(group):
    return group


def same_with_key(key, group):
    return group


def summed(way):
    """One row for a group: its key, its rows, a sum."""
    if way is PANDAS:

        def summary(key: tuple[Any, ...], group: pd.DataFrame) -> pd.DataFrame:
            return pd.DataFrame({"k": [key[0]], "n": [len(group)], "s": [group["v"].sum()]})

        return summary

    def summary(key: tuple[pa.Scalar, ...], group: pa.Table) -> pa.Table:
        total = pc.sum(group["v"]).as_py() or 0
        columns = {"k": [key[0].as_py()], "n": [group.num_rows], "s": [total]}
        return pa.table(columns, pa.schema([(name, pa.int64()) for name in columns]))

    return summary


SUMMARY = "k bigint, n bigint, s bigint"


def numbers(spark, rows, groups, partitions=2):
    """Rows of a key, of which some are null, and a number."""
    key = F.expr(f"if(id % 11 = 3, null, id % {groups})").alias("k")
    return spark.range(0, rows, 1, partitions).select(key, F.col("id").alias("v"))


def of_type(way: Way, name: str) -> Case:
    """Values of a type as they come and go, by a key that is no value."""
    ddl, values = TYPES[name]
    rows = ", ".join(f"({index}, {value})" for index, value in enumerate([*values, "NULL"]))
    query = f"SELECT id, CAST(v AS {ddl}) v, CAST(NULL AS {ddl}) n FROM VALUES {rows} AS t(id, v)"

    def build(spark):
        frame = spark.sql(query)
        return way.apply(frame.groupBy((F.col("id") % 2).alias("p")), same, frame.schema)

    conf = {**CONF, "spark.sql.shuffle.partitions": "1"}  # of two errors either could be first
    return Case(f"{name}-{way.name}", build, way.nodes, conf=conf)


TYPES_BY_GROUP = [of_type(way, name) for way in WAYS for name in TYPES]


@pytest.mark.parametrize("case", TYPES_BY_GROUP, ids=lambda case: case.name)
def test_values_of_this_type_go_through_groups_alike(case, parity_legs):
    parity_legs.check_either_way(case)


def keyed_by(way: Way, name: str) -> Case:
    """Groups whose key is of a type."""
    ddl, values = TYPES[name]
    rows = ", ".join(f"({value}, {at})" for at, value in enumerate([*values, *values, "NULL"]))

    def build(spark):
        frame = spark.sql(f"SELECT CAST(k AS {ddl}) k, v FROM VALUES {rows} AS t(k, v)")
        return way.apply(frame.groupBy("k"), same_with_key, frame.schema)

    conf = {"spark.sql.shuffle.partitions": "1"}
    return Case(f"{name}-{way.name}", build, way.nodes, conf=conf)


KEYS = ("boolean", "double", "decimal_38_18", "date", "timestamp", "string", "binary", "struct")


@pytest.mark.parametrize("case", [keyed_by(w, k) for w in WAYS for k in KEYS], ids=lambda c: c.name)
def test_groups_by_a_key_of_this_type_are_alike(case, parity_legs):
    parity_legs.check_either_way(case)


def grouped(name, way, build_frame, keys=("k",), conf=None):
    def build(spark):
        expressions = [F.expr(key) for key in keys]
        return way.apply(build_frame(spark).groupBy(*expressions), summed(way), SUMMARY)

    return Case(f"{name}-{way.name}", build, way.nodes, conf=conf or {})


def skewed(spark):
    """Nearly all rows in one group, which is larger than a batch."""
    key = F.expr("if(id % 1000 = 0, id, 7)").alias("k")
    return spark.range(0, 30_000, 1, 2).select(key, F.col("id").alias("v"))


def joined_by_name(spark):
    """The key stands among the values and beside them."""
    return numbers(spark, 300, 7).withColumn("w", F.col("v") * 2).select("w", "v", "k")


def forms(way):
    none = {"spark.sql.shuffle.partitions": "5"}
    yield grouped("few_rows", way, lambda spark: numbers(spark, 100, 7))
    yield grouped("many_groups", way, lambda spark: numbers(spark, 11_000, 2_000))
    yield grouped("skewed", way, skewed)
    yield grouped("one_partition", way, lambda spark: numbers(spark, 500, 9, 1), conf=none)
    yield grouped("empty_partitions", way, lambda spark: numbers(spark, 3, 1), conf=none)
    yield grouped("no_rows", way, lambda spark: numbers(spark, 0, 1))
    yield grouped("several_keys", way, joined_by_name, keys=("k", "v"))
    yield grouped("computed_key", way, joined_by_name, keys=("v % 3",))
    for limit in (1, 3, 10):
        conf = {RECORDS: str(limit)}
        yield grouped(f"{limit}_records", way, lambda spark: numbers(spark, 200, 7), conf=conf)
    yield grouped("without_adaption", way, skewed, conf={ADAPTIVE: "false"})


FORMS = [case for way in WAYS for case in forms(way)]


@pytest.mark.parametrize("case", FORMS, ids=lambda case: case.name)
def test_groups_of_this_form_are_alike(case, parity_legs):
    parity_legs.check(case if "no_rows" not in case.name else without_sessions(case))


def without_sessions(case):
    """A case none of whose partitions has a row: there is no session to count."""
    return Case(case.name, case.build, case.nodes, conf=case.conf, sessions=False)


def ungrouped(way):
    def build(spark):
        return way.apply(numbers(spark, 100, 7).groupBy(), counted(way), "n bigint")

    return Case(f"ungrouped-{way.name}", build, way.nodes)


def counted(way):
    rows = way.rows

    def count(group):
        return rows({"n": [len(group)]})

    return count


def chunks(limit, conf):
    """The lengths of a group's batches, and what they hold, as the Arrow function sees them."""

    def lengths(group: pa.Table) -> pa.Table:
        sizes = [len(chunk) for chunk in group["v"].chunks]
        return pa.table({"n": pa.array(sizes, pa.int64())})

    def build(spark):
        text = F.expr("repeat('x\u2603', cast(v * 7 % 40 as int))").alias("t")
        frame = numbers(spark, 300, 5).select("k", "v", text)
        return frame.groupBy("k").applyInArrow(lengths, "n bigint")

    return Case(f"{conf.rpartition('.')[2]}_{limit}", build, ARROW.nodes, conf={conf: str(limit)})


CHUNKS = [
    *(chunks(limit, RECORDS) for limit in (0, 1, 7, 30, 10_000)),
    *(chunks(limit, BYTES) for limit in (60, 300, 999, 2000)),
]


@pytest.mark.parametrize("case", CHUNKS, ids=lambda case: case.name)
def test_batches_within_a_group_end_where_sparks_do(case, parity_legs):
    parity_legs.check(case)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_rows_without_a_key_are_one_group(way, parity_legs):
    parity_legs.check(ungrouped(way))


# Answers that are refused, and functions that raise.


def raises(group):
    raise ValueError("no luck with this group")


def raises_late(group):
    if len(group) == 7:
        raise ValueError("no luck with a later group")
    return group


def no_table(group):
    return [1, 2]


def other_columns(way):
    return lambda group: way.rows({"other": [1], "v": [2]})


def too_few(way):
    return lambda group: way.rows({"v": [1]})


def other_type(way):
    return lambda group: way.rows({"k": ["text"], "v": [1]})


def stops(group):
    raise StopIteration


def failing(name, way, function, conf=None):
    def build(spark):
        sign = witness.signer()

        def signed(group):
            sign()
            return function(group)

        frame = spark.range(0, 36, 1, 1).selectExpr("cast(sqrt(id) as bigint) k", "id v")
        return way.apply(frame.groupBy("k"), signed, "k bigint, v bigint")

    conf = {"spark.sql.shuffle.partitions": "1", **(conf or {})}
    return Case(f"{name}-{way.name}", build, way.nodes, conf=conf, fails=True)


PYSPARK = "spark.sql.execution.pyspark.udf"
FAILING = [
    case
    for way in WAYS
    for case in (
        failing("raises", way, raises),
        failing("raises_late", way, raises_late),
        failing("whole", way, raises, {f"{PYSPARK}.simplifiedTraceback.enabled": "false"}),
        failing("no_table", way, no_table),
        failing("other_columns", way, other_columns(way)),
        failing("too_few", way, too_few(way)),
        failing("too_few_by_position", way, too_few(way), {BY_NAME: "false"}),
        failing("other_type", way, other_type(way)),
        failing("stops", way, stops),
    )
]


@pytest.mark.parametrize("case", FAILING, ids=lambda case: case.name)
def test_an_error_of_a_group_is_sparks(case, parity_legs):
    parity_legs.check(case)


def nothing(way):
    empty = (
        {"k": pd.Series([], dtype="int64")} if way is PANDAS else {"k": pa.array([], pa.int64())}
    )
    return lambda group: way.rows(empty)


def renamed(way):
    """Names that differ from group to group; by position they do not matter, but Arrow minds."""

    def rename(group):
        names = [f"a{len(group)}", f"b{len(group)}"]
        return group.set_axis(names, axis=1) if way is PANDAS else group.rename_columns(names)

    return rename


def reused(way):
    """One buffer for the answers of all groups, written again for each."""
    import numpy as np

    buffer = np.zeros(4, dtype="int64")

    def fill(key, group):
        buffer[:] = key[0] if way is PANDAS else key[0].as_py()
        column = pd.Series(buffer, copy=False) if way is PANDAS else pa.array(buffer)
        return way.rows({"k": column})

    return fill


def answering(name, way, make, schema, rows=60):
    def build(spark):
        frame = spark.range(0, rows, 1, 2).selectExpr("id % 7 k", "id v")
        return way.apply(frame.groupBy("k"), make(way), schema)

    conf = {BY_NAME: "false"} if make is renamed else {}
    return Case(f"{name}-{way.name}", build, way.nodes, conf=conf)


ANSWERS = [
    case
    for way in WAYS
    for case in (
        answering("nothing", way, nothing, "k bigint"),
        answering("reused", way, reused, "k bigint"),
        answering("not_null", way, lambda _: same, "k bigint not null, v bigint"),
        answering("by_position", way, renamed, "k bigint, v bigint", rows=56),
        answering("one_of_two", way, lambda w: lambda g: w.rows({"v": g["v"]}), "v bigint"),
    )
]


@pytest.mark.parametrize("case", ANSWERS, ids=lambda case: case.name)
def test_an_answer_of_this_form_is_alike(case, parity_legs):
    parity_legs.check(case)


def test_names_that_change_between_groups_are_judged_alike(parity_legs):
    case = answering("two", ARROW, renamed, "k bigint, v bigint", rows=60)
    parity_legs.check_either_way(case)


def accumulated(way):
    """What a function counts, and a group that it keeps for the next."""

    def build(spark):
        count = spark.sparkContext.accumulator(0)
        kept = []

        def of_the_last(group):
            count.add(len(group))
            kept.append(group)
            return kept[-2] if len(kept) > 1 else group

        frame = spark.range(0, 60, 1, 1).selectExpr("id % 7 k", "id v")
        mapped = way.apply(frame.groupBy("k"), of_the_last, "k bigint, v bigint")
        return Then(mapped, lambda: count.value)

    conf = {"spark.sql.shuffle.partitions": "1"}
    return Case(f"accumulated-{way.name}", build, way.nodes, conf=conf)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_a_group_that_a_function_keeps_stays_what_it_was(way, parity_legs):
    parity_legs.check(accumulated(way))


def limited(way):
    def build(spark):
        frame = numbers(spark, 5_000, 900)
        return way.apply(frame.groupBy("k"), summed(way), SUMMARY).limit(3)

    return Case(f"limited-{way.name}", build, way.nodes, act=lambda frame: len(frame.collect()))


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_a_query_may_stop_before_the_last_group(way, parity_legs):
    parity_legs.check(limited(way))


def of_iterators(way):
    """The first batch of each group only; the others are left unread."""
    if way is PANDAS:

        def first(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
            yield next(frames)

        return first

    def first(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield next(batches)

    return first


def all_of_iterators(way):
    """Every batch of each group, and its length."""
    if way is PANDAS:

        def each(key: tuple[Any, ...], frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
            for frame in frames:
                yield frame.assign(k=len(frame))

        return each

    def each(
        key: tuple[pa.Scalar, ...], batches: Iterator[pa.RecordBatch]
    ) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            counts = pa.array([batch.num_rows] * batch.num_rows, pa.int64())
            yield pa.RecordBatch.from_arrays([counts, batch["v"]], ["k", "v"])

    return each


def iterating(name, way, make, frame, records):
    def build(spark):
        return way.apply(frame(spark).groupBy("k"), make(way), "k bigint, v bigint")

    conf = {RECORDS: str(records)}
    return Case(f"{name}_{records}-{way.name}", build, way.nodes, conf=conf)


ITERATING = [
    iterating(name, way, make, frame, records)
    for way in WAYS
    for name, make in (("first", of_iterators), ("all", all_of_iterators))
    for frame, records in ((lambda spark: numbers(spark, 200, 7), 4), (skewed, 5000))
]


@pytest.mark.parametrize("case", ITERATING, ids=lambda case: case.name)
def test_functions_over_iterators_of_a_group_are_alike(case, parity_legs):
    parity_legs.check(case)
