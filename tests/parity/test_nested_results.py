"""What a row function returns that has parts, and what it changes after it returned it."""

import pytest
from parity.case import Case
from parity.kinds import ROW
from pyspark.sql import Row
from pyspark.sql import functions as F

from parity import witness

EVENT = (
    "user struct<name: string, age: bigint>, tags array<string>, score double, "
    "seen map<string, date>"
)
SMALL_BATCHES = {"spark.sql.execution.arrow.maxRecordsPerBatch": "3"}


def asking(name, function, ddl, *, conf=None, fails=False):
    """A row function over a few numbers, a null among them."""

    def build(spark):
        sign = witness.signer()

        def unit(value):
            sign()
            return function(value)

        number = F.when(F.col("id") % 5 != 3, F.col("id"))
        frame = spark.range(0, 20, 1, 2).select(number.alias("v"))
        return ROW.through(frame, unit, ddl)

    return Case(name, build, frozenset({ROW.node}), conf=conf or {}, fails=fails)


def event(value):
    import datetime as dt

    if value is None:
        return None
    tags = None if value % 4 == 1 else [f"tag {n}" for n in range(value % 3)] + [None]
    day = dt.date(2020, 1, 1) + dt.timedelta(days=value)
    return (f"user {value}", value), tags, value / 3, {"first": day, "last": None}


def by_name(value):
    made = event(value)
    if made is None:
        return {}
    (user, age), tags, _, seen = made
    return {"user": {"name": user, "age": age}, "tags": tags, "seen": seen, "other": 1}


def as_row(value):
    made = event(value)
    return made and Row(user=Row(name=made[0][0], age=1), tags=made[1], score=0.5, seen=made[3])


def mixed(value):
    return (by_name if value and value % 2 else event)(value)


def growing():
    lists = {}

    def grow(value):
        tags = lists.setdefault("tags", [])
        tags.append(str(value))
        return (tags, value)

    return grow


CASES = [
    asking("tuples", event, EVENT),
    asking("dictionaries", by_name, EVENT),
    asking("rows", as_row, EVENT),
    asking("mixed", mixed, EVENT),
    asking("tuples_in_small_batches", event, EVENT, conf=SMALL_BATCHES),
    asking(
        "lists_of_structs",
        lambda v: [(v, "x"), None, {"n": 1}],
        "array<struct<n: bigint, t: string>>",
    ),
    asking(
        "maps_of_lists",
        lambda v: {v or 0: [v, None]} if v != 2 else None,
        "map<bigint, array<bigint>>",
    ),
    asking("converted_parts", lambda v: (v, 1.5, v), "a string, b bigint, c int"),
    asking("one_converted_part", lambda v: ("x" if v != 7 else v,), "a string"),
    asking("a_list_that_grows", growing(), "tags array<string>, n bigint"),
    asking(
        "a_list_that_grows_in_small_batches",
        growing(),
        "tags array<string>, n bigint",
        conf=SMALL_BATCHES,
    ),
    asking("too_few_fields", lambda v: (v,), "a bigint, b bigint", fails=True),
    asking("no_struct", lambda _: 1, "a bigint, b bigint", fails=True),
    asking("text_for_a_number", lambda _: ("x",), "a bigint", fails=True),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_parts_are_those_of_spark(case, parity_legs):
    parity_legs.check(case)
