"""The type matrix of row functions in whole queries: every type in, every value out.

Cells by the million are compared beside Spark, in ``python/ember-worker/tests/test_rowfn_matrix``.
Here the same types and values go through queries, so rows and pages take part. A query has all
values of a type that do not raise; those that do have a query each, and only some are drawn.
"""

import os
import random
import re
import sys
import time
from datetime import date, timedelta
from datetime import time as clock
from decimal import Decimal
from types import NoneType

import pytest
from parity.case import Case
from parity.columns import exactly, seen_and_back
from parity.kinds import same
from pyspark import cloudpickle
from pyspark.sql import functions as F
from pyspark.sql import types as sql
from pyspark.sql.conversion import LocalDataToArrowConversion
from pyspark.sql.pandas.types import to_arrow_type

from parity import session

sys.path.append(str(session.REPOSITORY / "python/ember-worker/tests"))

import clock_changes
import every_type
import every_value

cloudpickle.register_pickle_by_value(every_value)

EVAL = frozenset({"ArrowEvalPython"})
ONE_ROW = {"spark.sql.execution.arrow.maxRecordsPerBatch": "1"}
TYPES = {"spark.sql.timeType.enabled": "true", "spark.sql.geospatial.enabled": "true"}
ZONE = "America/Los_Angeles"
#: Times that the driver cannot make in every zone, and a place of no known system.
UNREADABLE = re.compile(r"(date|datetime)\((1|9999), |'srid': 0")
#: How a row function may be asked to convert otherwise.
SETTINGS = {
    "large": {"spark.sql.execution.arrow.useLargeVarTypes": "true"},
    "unsafe": {"spark.sql.execution.pandas.convertToArrowArraySafely": "false"},
    "safe": {"spark.sql.execution.pandas.convertToArrowArraySafely": "true"},
    "bytearrays": {"spark.sql.execution.pyspark.binaryAsBytes": "false"},
    "coerced": {"spark.sql.execution.pythonUDF.pandas.intToDecimalCoercionEnabled": "true"},
    "extension": {"spark.sql.execution.pythonUDF.pandas.preferIntExtensionDtype": "true"},
    "legacy": {"spark.sql.legacy.execution.pythonUDF.pandas.conversion.enabled": "true"},
    "threads": {"spark.sql.execution.pythonUDF.arrow.concurrency.level": "2"},
}


def returned(name, kind, values, *, conf=None, pickled=False):
    """One row for each value, which a function makes from the row's number."""
    makes = list(values.values())

    def build(spark):
        function = F.udf(lambda row: makes[row](), kind, useArrow=not pickled)
        return spark.range(0, len(makes), 1, 1).select("id", function("id").alias("v"))

    node = "BatchEvalPython" if pickled else "ArrowEvalPython"
    conf = {**TYPES, "spark.sql.session.timeZone": ZONE, **(conf or {})}
    return Case(f"{name}-row", build, frozenset({node}), conf=conf)


def sorted_out(kind, values):
    """The values that a column of this type takes, those it takes one at a time, and the others."""
    taken, alone, others = {}, {}, {}
    before = os.environ.get("TZ")
    os.environ["TZ"] = ZONE  # where the worker is
    time.tzset()
    for name, make in values.items():
        into = {"taken": taken, "alone": alone, "others": others}[how_taken(kind, make)]
        into[name] = make
    os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
    time.tzset()
    return taken, alone, others


def how_taken(kind, make):
    """How PySpark's conversion takes a value: as it is, after a cast of its column, or not."""
    import pyarrow as pa

    try:
        convert = LocalDataToArrowConversion._create_converter(kind)
        of = to_arrow_type(kind, timezone="UTC")
        value = convert(make())
        if " at 0x" in str(value):
            return "others"  # no two objects are alike
        try:
            made, way = pa.array([value], of), "taken"
        except pa.lib.ArrowInvalid:
            made, way = pa.array([value]).cast(of), "alone"
        again = made.to_pylist()
        if "time(" in kind.simpleString() and pa.array(again, of) != made:
            return "others"  # an integer that is no time of a day
        return "others" if UNREADABLE.search(repr(again)) else way
    except Exception:  # noqa: BLE001 (whatever it is, Spark's worker will raise it)
        return "others"


FAST = [*every_type.PLAIN, *every_type.ONCE[::23]]
KINDS = [*FAST, *(kind for kind in every_type.ONCE[::3] if kind not in FAST)]


def marked(params, fast):
    """The first ones, and the rest for the slow tier."""
    return [
        pytest.param(param, marks=() if index < fast else pytest.mark.slow)
        for index, param in enumerate(params)
    ]


@pytest.mark.parametrize("kind", marked(KINDS, len(FAST)), ids=lambda kind: kind.simpleString())
def test_every_value_that_a_type_takes_comes_back_alike(kind, parity_legs):
    values = every_value.ALONE if kind in every_type.PLAIN else every_value.EVERY
    taken, alone, _ = sorted_out(kind, values)
    name = kind.simpleString()
    parity_legs.check(returned(name, kind, taken))
    if alone:
        parity_legs.check(returned(f"{name}_alone", kind, alone, conf=ONE_ROW))


@pytest.mark.parametrize("setting", SETTINGS)
def test_settings_change_values_alike(setting, parity_legs, request):
    draw = random.Random(setting)
    slow = request.config.getoption("--slow")
    for kind in every_type.PLAIN if slow else draw.sample(every_type.PLAIN, 1):
        taken, _, _ = sorted_out(kind, every_value.ALONE)
        parity_legs.check(returned(f"{setting}-{kind}", kind, taken, conf=SETTINGS[setting]))


def drawn_error(seed):
    """A type, and a value that it does not take."""
    draw = random.Random(seed)
    while True:
        kind = draw.choice(KINDS)
        name, make = draw.choice(sorted(every_value.EVERY.items()))
        if how_taken(kind, make) == "others" and " at 0x" not in str(made_text(make)):
            return name, make, kind


def made_text(make):
    try:
        return str(make())
    except RuntimeError:
        return ""


@pytest.mark.parametrize("seed", marked(range(200), 12))
def test_a_value_that_a_type_does_not_take_ends_alike(seed, parity_legs):
    name, make, kind = drawn_error(seed)
    case = returned(f"{name} -> {kind.simpleString()}", kind, {name: make})
    parity_legs.check_either_way(case)


def columns(kinds, seed, conf=None):
    """Columns of types, side by side, each shown as its function sees it and given back."""
    build = seen_and_back(kinds, [every_type.column(kind, seed) for kind in kinds], F.udf)
    conf = {**TYPES, "spark.sql.session.timeZone": "UTC", **(conf or {})}
    return Case(f"{[kind.simpleString() for kind in kinds]}-row", build, EVAL, conf=conf)


TOGETHER = 6


def groups(kinds):
    """The types, some at a time."""
    held = every_type.held(kinds)
    return [held[first : first + TOGETHER] for first in range(0, len(held), TOGETHER)]


COLUMNS = [
    *groups(every_type.PLAIN),
    *groups(every_type.TWICE[::97] + every_type.ONCE[::29]),
    *groups(every_type.MORE),
    *groups(every_type.ONCE),
    *groups(every_type.TWICE[::5]),
]


@pytest.mark.parametrize("kinds", marked(COLUMNS, 7), ids=lambda kinds: kinds[0].simpleString())
def test_columns_of_every_type_are_seen_and_come_back_alike(kinds, parity_legs):
    for seed in (0, 1):
        parity_legs.check(columns(kinds, seed))


@pytest.mark.parametrize("kinds", marked(COLUMNS[:8], 2), ids=lambda kinds: kinds[0].simpleString())
@pytest.mark.parametrize("setting", ["large", "bytearrays", "legacy"])
def test_settings_change_columns_alike(kinds, setting, parity_legs):
    parity_legs.check_either_way(columns(kinds, 1, SETTINGS[setting]))


@pytest.mark.parametrize("zone", marked(clock_changes.ZONES[1:], 3))
def test_times_about_changes_of_the_clocks_are_alike(zone, parity_legs):
    seconds = clock_changes.transitions(zone)[::5]
    steps = (-7200, -1800, -1, 0, 1, 1800, 3600)
    micros = [(second + step) * 1_000_000 for second in seconds for step in steps]

    def build(spark):
        frame = spark.createDataFrame([(each,) for each in micros], "m bigint").coalesce(1)
        frame = frame.select(
            F.expr("timestamp_micros(m)").alias("t"),
            F.expr("cast(timestamp_micros(m) as timestamp_ntz)").alias("n"),
        )
        seen = [F.udf(exactly, "string")(name) for name in "tn"]
        instants = [F.udf(same, "timestamp")(name).cast("bigint") for name in "tn"]
        return frame.select(*seen, *instants, F.udf(same, "timestamp_ntz")("n").cast("string"))

    conf = {"spark.sql.session.timeZone": zone}
    parity_legs.check(Case(f"{zone}-row", build, EVAL, conf=conf))


#: What the pickled mode takes for a type without an error; the rest are numbers, which take all.
NATURAL = {
    sql.DecimalType: (Decimal, NoneType),
    sql.StringType: (str, int, float, NoneType),
    sql.DateType: (date, NoneType),
    sql.TimeType: (clock, NoneType),
    sql.DayTimeIntervalType: (timedelta, NoneType),
}
#: The types for which Spark's own two modes answer some values differently.
DIFFERENT = (sql.NumericType, sql.StringType)


@pytest.mark.parametrize("kind", marked(every_type.PLAIN, 7), ids=lambda kind: kind.simpleString())
def test_modes_of_spark_differ_by_the_same_cells_embedded_or_not(kind, parity_legs):
    values = taken_by_both(kind)
    arrow, pickled = (returned(kind, kind, values, pickled=mode) for mode in (False, True))
    embedded, vanilla = (parity_legs.run(arrow, embed=embed) for embed in (True, False))
    by_pickles = parity_legs.run(pickled, embed=False)
    assert not by_pickles.failed, by_pickles.outcome
    assert bool(embedded.embedded_nodes) == parity_legs.plugin
    ours, sparks = (differing(values, leg, by_pickles) for leg in (embedded, vanilla))
    assert ours == sparks
    assert bool(sparks) == isinstance(kind, DIFFERENT), sparks


def taken_by_both(kind):
    """The values of Python's own types that a type takes in both modes."""
    taken, _, _ = sorted_out(kind, every_value.ALONE)
    modules, natural = {"builtins", "datetime", "decimal"}, NATURAL.get(type(kind), object)
    made = {name: make() for name, make in taken.items()}
    return {
        name: taken[name]
        for name, value in made.items()
        if type(value).__module__ in modules
        and isinstance(value, natural)
        and not (isinstance(value, Decimal) and value.is_nan())  # Java has none
    }


def differing(values, one, other):
    """The values of which two legs make something else, with both of their answers."""
    pairs = zip(values, one.outcome[2][1], other.outcome[2][1], strict=True)
    return {name: (a[2][1], b[2][1]) for name, a, b in pairs if a != b}
