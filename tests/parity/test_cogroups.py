"""Functions over cogroups: `applyInPandas` and `applyInArrow`, over what both sides may be."""

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from parity.case import Case, Then
from pyspark.sql import functions as F
from test_grouped_map import ADAPTIVE, BY_NAME, BYTES, RECORDS, numbers, skewed
from test_types import CONF, TYPES

from parity import witness

ONE = {"spark.sql.shuffle.partitions": "1"}


class Way:
    """One of the two ways to send a cogroup through a function."""

    def __init__(self, name, node, table):
        self.name = name
        self.nodes = frozenset({node})
        self.table = table

    def apply(self, left, right, function, schema, keys=("k",)):
        """The cogroups, each through the function."""
        groups = (frame.groupBy(*(F.expr(key) for key in keys)) for frame in (left, right))
        both = next(groups).cogroup(next(groups))
        if self is PANDAS:
            return both.applyInPandas(function, schema)
        return both.applyInArrow(function, schema)


PANDAS = Way("pandas", "FlatMapCoGroupsInPandas", pd.DataFrame)
ARROW = Way("arrow", "FlatMapCoGroupsInArrow", pa.table)
WAYS = (PANDAS, ARROW)


def left_of(left, right):
    return left


def right_of(key, left, right):
    return right


def summed(way):
    """One row for a cogroup: its key, and of each side the rows, a sum and the columns."""
    if way is PANDAS:

        def summary(key, left: pd.DataFrame, right: pd.DataFrame) -> pd.DataFrame:
            columns = {"k": [key[0]], "l": [len(left)], "r": [len(right)]}
            sums = {"a": [left["v"].sum()], "b": [right["w"].sum()]}
            return pd.DataFrame({**columns, **sums, "c": [f"{left.dtypes} {right.dtypes}"]})

        return summary

    def summary(key, left: pa.Table, right: pa.Table) -> pa.Table:
        sums = {"a": [pc.sum(left["v"]).as_py()], "b": [pc.sum(right["w"]).as_py()]}
        columns = {"k": [key[0].as_py()], "l": [len(left)], "r": [len(right)]}
        schemas = pa.array([f"{left.schema} {right.schema}"])
        longs = {name: pa.array(of, pa.int64()) for name, of in {**columns, **sums}.items()}
        return pa.table({**longs, "c": schemas})

    return summary


SUMMARY = "k bigint, l bigint, r bigint, a bigint, b bigint, c string"


def others(spark, rows, groups, partitions=3):
    """Rows of a key that is in part one of ``numbers``, a text, and a number of another name."""
    frame = numbers(spark, rows, groups, partitions)
    text = F.expr("if(v % 5 = 2, null, repeat('x', cast(v % 9 as int)))").alias("t")
    return frame.select((F.col("k") + 2).alias("k"), text, (F.col("v") * 3).alias("w"))


def cogrouped(name, way, sides, keys=("k",), conf=None):
    def build(spark):
        left, right = (side(spark) for side in sides)
        return way.apply(left, right, summed(way), SUMMARY, keys)

    return Case(f"{name}-{way.name}", build, way.nodes, conf=conf or {})


def sized(rows, groups):
    """Both sides with so many rows of so many keys, of which two are on one side only."""
    return (
        lambda spark: numbers(spark, rows, groups),
        lambda spark: others(spark, rows * 2 // 3, groups),
    )


def forms(way):
    few, none = sized(100, 7), sized(0, 1)
    yield cogrouped("few_rows", way, few)
    yield cogrouped("many_groups", way, sized(5_000, 1_200))
    yield cogrouped("skewed_left", way, (skewed_with_null, few[1]))
    yield cogrouped("skewed_right", way, (few[0], skewed_with_w))
    yield cogrouped(
        "empty_partitions", way, sized(3, 1), conf={"spark.sql.shuffle.partitions": "5"}
    )
    yield cogrouped("no_rows_left", way, (none[0], few[1]))
    yield cogrouped("no_rows_right", way, (few[0], none[1]))
    yield cogrouped("several_keys", way, tuple(map(with_another, few)), keys=("k", "x"))
    yield cogrouped("computed_key", way, few, keys=("k % 3",))
    for limit in (1, 3, 10):
        yield cogrouped(f"{limit}_records", way, sized(200, 7), conf={RECORDS: str(limit)})
    yield cogrouped("90_bytes", way, sized(200, 7), conf={BYTES: "90"})
    yield cogrouped("without_adaption", way, sized(400, 7), conf={ADAPTIVE: "false"})


def skewed_with_null(spark):
    return skewed(spark).withColumn("k", F.expr("nullif(k, 3000)"))


def skewed_with_w(spark):
    return skewed(spark).withColumn("w", F.col("v"))


def with_another(frame):
    return lambda spark: frame(spark).withColumn("x", F.col("k") % 2 == 0)


@pytest.mark.parametrize(
    "case", [case for way in WAYS for case in forms(way)], ids=lambda case: case.name
)
def test_cogroups_of_this_form_are_alike(case, parity_legs):
    parity_legs.check(case)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_no_rows_are_no_cogroups(way, parity_legs):
    case = cogrouped("no_rows", way, sized(0, 1), conf={ADAPTIVE: "false"})
    parity_legs.check(Case(case.name, case.build, way.nodes, conf=case.conf, sessions=False))


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_a_null_beside_keys_that_are_never_null_fails_as_with_spark(way, parity_legs):
    """Spark compares the keys as if those of the right side were never null either."""
    case = cogrouped("null_right", way, (skewed, sized(100, 7)[1]))
    parity_legs.check(Case(case.name, case.build, way.nodes, fails=True))


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_rows_without_a_key_are_one_cogroup(way, parity_legs):
    def build(spark):
        left, right = (frame(spark).groupBy() for frame in sized(100, 7))
        apply = left.cogroup(right)
        apply = apply.applyInPandas if way is PANDAS else apply.applyInArrow
        return apply(
            lambda one, other: way.table({"n": [len(one)], "m": [len(other)]}),
            "n bigint, m bigint",
        )

    parity_legs.check(Case(f"no_key-{way.name}", build, way.nodes))


def of_type(way, name):
    """Values of a type on one side, by a key that is no value, and nothing of it on the other."""
    ddl, values = TYPES[name]
    rows = ", ".join(f"({index}, {value})" for index, value in enumerate([*values, "NULL"]))
    query = f"SELECT id, CAST(v AS {ddl}) v, CAST(NULL AS {ddl}) n FROM VALUES {rows} AS t(id, v)"

    def build(spark):
        frame = spark.sql(query)
        return way.apply(
            frame, spark.sql("select 3L id, 'x' t"), left_of, frame.schema, ("id % 2",)
        )

    return Case(f"{name}-{way.name}", build, way.nodes, conf={**CONF, **ONE})


BOTH = [of_type(way, name) for way in WAYS for name in TYPES]


@pytest.mark.parametrize("case", BOTH, ids=lambda case: case.name)
def test_values_of_this_type_go_through_cogroups_alike(case, parity_legs):
    parity_legs.check_either_way(case)


def of_type_beside(way, name):
    """The other side's values of a type, keyed by themselves where it can be."""
    ddl, values = TYPES[name]
    rows = ", ".join(f"({value}, {at})" for at, value in enumerate([*values, *values, "NULL"]))

    def build(spark):
        frame = spark.sql(f"SELECT CAST(k AS {ddl}) k, v FROM VALUES {rows} AS t(k, v)")
        return way.apply(frame.where("v > 0"), frame, right_of, frame.schema)

    return Case(f"{name}-{way.name}", build, way.nodes, conf=ONE)


KEYS = ("boolean", "double", "decimal_38_18", "date", "timestamp", "string", "binary", "struct")


@pytest.mark.parametrize(
    "case", [of_type_beside(way, key) for way in WAYS for key in KEYS], ids=lambda case: case.name
)
def test_cogroups_by_a_key_of_this_type_are_alike(case, parity_legs):
    parity_legs.check_either_way(case)


def chunks(limit, conf):
    """The lengths of the batches of both sides, as the Arrow function sees them."""

    def lengths(left: pa.Table, right: pa.Table) -> pa.Table:
        sizes = [[len(chunk) for chunk in column.chunks] for column in (left["v"], right["w"])]
        return pa.table({"n": pa.array([str(sizes)])})

    def build(spark):
        return ARROW.apply(numbers(spark, 300, 5), others(spark, 200, 5), lengths, "n string")

    return Case(f"{conf.rpartition('.')[2]}_{limit}", build, ARROW.nodes, conf={conf: str(limit)})


CHUNKS = [
    *(chunks(limit, RECORDS) for limit in (0, 1, 7, 10_000)),
    *(chunks(limit, BYTES) for limit in (60, 300, 999)),
]


@pytest.mark.parametrize("case", CHUNKS, ids=lambda case: case.name)
def test_batches_of_both_sides_end_where_sparks_do(case, parity_legs):
    parity_legs.check(case)


def raises(left, right):
    raise ValueError("no luck with this cogroup")


def raises_late(left, right):
    if len(left) == 7:
        raise ValueError("no luck with a later cogroup")
    return left


def no_table(left, right):
    return [1, 2]


def other_columns(way):
    return lambda left, right: way.table({"other": [1], "v": [2]})


def too_few(way):
    return lambda left, right: way.table({"v": [1]})


def other_type(way):
    return lambda left, right: way.table({"k": ["text"], "v": [1]})


def failing(name, way, function, conf=None):
    def build(spark):
        sign = witness.signer()

        def signed(left, right):
            sign()
            return function(left, right)

        frame = spark.range(0, 36, 1, 1).selectExpr("cast(sqrt(id) as bigint) k", "id v")
        return way.apply(frame, frame, signed, "k bigint, v bigint")

    return Case(f"{name}-{way.name}", build, way.nodes, conf={**ONE, **(conf or {})}, fails=True)


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
    )
]


@pytest.mark.parametrize("case", FAILING, ids=lambda case: case.name)
def test_an_error_of_a_cogroup_is_sparks(case, parity_legs):
    parity_legs.check(case)


def kept(way):
    """What a function counts, and a side that it keeps for the next cogroup."""

    def build(spark):
        count = spark.sparkContext.accumulator(0)
        before = []

        def of_the_last(left, right):
            count.add(len(left) + len(right))
            before.append(left)
            return before[-2] if len(before) > 1 else left

        left, right = (frame(spark) for frame in sized(60, 7))
        return Then(way.apply(left, right, of_the_last, left.schema), lambda: count.value)

    return Case(f"kept-{way.name}", build, way.nodes, conf=ONE)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_a_side_that_a_function_keeps_stays_what_it_was(way, parity_legs):
    parity_legs.check(kept(way))


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_a_query_may_stop_before_the_last_cogroup(way, parity_legs):
    def build(spark):
        left, right = (frame(spark) for frame in sized(5_000, 900))
        return way.apply(left, right, summed(way), SUMMARY).limit(3)

    act = len_of_rows
    parity_legs.check(Case(f"limited-{way.name}", build, way.nodes, act=act))


def len_of_rows(frame):
    return len(frame.collect())


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_a_side_may_be_what_another_function_gave(way, parity_legs):
    """Two lanes at once: a cogrouped map over a cogrouped map."""

    def build(spark):
        left, right = (frame(spark) for frame in sized(300, 7))
        once = way.apply(left, right, left_of, left.schema)
        return way.apply(once, right, summed(way), SUMMARY)

    parity_legs.check(Case(f"twice-{way.name}", build, way.nodes))
