"""Row functions in Spark's pickled mode: what a type takes, what it sees, how groups of rows fail.

In this mode a value of another type is null, or becomes what Java makes of it; only Spark's own
code in the JVM knows. So the answers of every type and value are compared, be they rows or errors.
"""

import random
import re
import sys

import pytest
from parity.case import Case, Then
from parity.columns import exactly, seen_and_back
from parity.kinds import same
from pyspark import cloudpickle
from pyspark.sql import functions as F
from pyspark.sql import types as sql

from parity import evidence, session, witness

sys.path.append(str(session.REPOSITORY / "python/ember-worker/tests"))

import clock_changes
import every_type
import every_value

cloudpickle.register_pickle_by_value(every_value)

EVAL = frozenset({"BatchEvalPython"})
PYSPARK = "spark.sql.execution.pyspark.udf"
GROUP = "spark.sql.execution.python.udf.maxRecordsPerBatch"
#: What Java calls an object that says nothing of itself: no two are alike.
IDENTITY = re.compile(r"@[0-9a-f]{4,}")
TYPES = {
    "spark.sql.timeType.enabled": "true",
    "spark.sql.geospatial.enabled": "true",
    "spark.sql.session.timeZone": "America/Los_Angeles",
}


def udf(function, kind="bigint"):
    """A row function in the pickled mode."""
    return F.udf(function, kind, useArrow=False)


def asked(name, build, **fields):
    """One question about the pickled mode."""
    return Case(f"{name}-pickled", build, EVAL, **fields)


def returned(name, kind, values, conf=None):
    """One row for each value, which a function makes from the row's number."""
    makes = list(values)

    def build(spark):
        function = udf(lambda row: makes[row](), kind)
        return spark.range(0, len(makes), 1, 1).select("id", function("id").alias("v"))

    return asked(f"{name} -> {kind.simpleString()}", build, conf={**TYPES, **(conf or {})})


def sorted_out(spark, kind, values):
    """The values of which Spark makes something, and those that raise, in Python or in the JVM."""
    jvm = spark._jvm
    declared = jvm.org.apache.spark.sql.types.DataType.fromJson(kind.json())
    convert = jvm.org.apache.spark.sql.execution.python.EvaluatePython.makeFromJava(declared)
    reader = jvm.net.razorvine.pickle.Unpickler
    taken, others = {}, {}
    for name, make in values.items():
        try:
            value = make()
            steady = " at 0x" not in str(value)
            inside = kind.toInternal(value) if kind.needConversion() else value
            pickle = cloudpickle.dumps([inside])
            made = convert.apply(reader().loads(pickle).get(0))
            if steady and not IDENTITY.search(str(made)):
                taken[name] = make
        except Exception:  # noqa: BLE001 (whatever it is, Spark raises it too)
            others[name] = make
    return taken, others


FAST = [*every_type.PLAIN, *every_type.ONCE[::29]]
KINDS = [*FAST, *(kind for kind in every_type.ONCE[::3] if kind not in FAST)]


def marked(params, fast):
    """The first ones, and the rest for the slow tier."""
    return [
        pytest.param(param, marks=() if index < fast else pytest.mark.slow)
        for index, param in enumerate(params)
    ]


@pytest.mark.parametrize("kind", marked(KINDS, len(FAST)), ids=lambda kind: kind.simpleString())
def test_every_value_becomes_what_spark_makes_of_it(kind, spark, parity_legs):
    taken, _ = sorted_out(spark, kind, every_value.ALONE)
    parity_legs.check_either_way(returned("all", kind, taken.values()))


@pytest.mark.parametrize("seed", marked(range(120), 8))
def test_a_value_that_spark_cannot_take_ends_alike(seed, spark, parity_legs):
    draw = random.Random(seed)
    others = {}
    while not any("memoryview" not in name for name in others):
        kind = draw.choice(KINDS)
        _, others = sorted_out(spark, kind, dict(draw.sample(sorted(every_value.EVERY.items()), 9)))
    # Of bytes that are none of Python's own, Java may show the address.
    name = draw.choice(sorted(name for name in others if "memoryview" not in name))
    parity_legs.check_either_way(returned(name, kind, [others[name]]))


def columns(kinds, seed, conf=None):
    """Columns of types, side by side, each shown as its function sees it and given back."""
    build = seen_and_back(kinds, [every_type.column(kind, seed) for kind in kinds], udf)
    name = str([kind.simpleString() for kind in kinds])
    return asked(name, build, conf={**TYPES, **(conf or {})})


#: Rows of these have no native form: the node runs on Spark's runner.
ALIEN = (sql.GeometryType, sql.GeographyType)
TOGETHER = 6


#: Spark has entries with such keys in the order of addresses, and refuses two fields of a name.
UNSTEADY = ("map<binary,", "struct<x:bigint,x:bigint>")


def groups(kinds):
    """The types that rows have natively, some at a time."""
    left_out = [*UNSTEADY, *(it.__name__.removesuffix("Type").lower() for it in ALIEN)]
    held = [
        kind
        for kind in every_type.held(kinds)
        if not any(text in kind.simpleString() for text in left_out)
    ]
    return [held[first : first + TOGETHER] for first in range(0, len(held), TOGETHER)]


COLUMNS = [*groups(every_type.PLAIN), *groups(every_type.ONCE[::19]), *groups(every_type.ONCE)]


@pytest.mark.parametrize("kinds", marked(COLUMNS, 5), ids=lambda kinds: kinds[0].simpleString())
def test_columns_of_every_type_are_seen_and_come_back_alike(kinds, parity_legs):
    parity_legs.check_either_way(columns(kinds, 1))


@pytest.mark.parametrize(
    "kind", every_type.held(every_type.PLAIN), ids=lambda it: it.simpleString()
)
def test_each_type_alone_is_seen_and_comes_back_alike(kind, parity_legs):
    if isinstance(kind, ALIEN):
        pytest.skip("rows have no native form of it")
    parity_legs.check_either_way(columns([kind], 1))


def test_bytes_are_bytearrays_if_so_wanted(parity_legs):
    conf = {"spark.sql.execution.pyspark.binaryAsBytes": "false"}
    parity_legs.check(columns([sql.BinaryType(), sql.ArrayType(sql.BinaryType())], 1, conf))


@pytest.mark.parametrize("zone", marked(clock_changes.ZONES[1:], 2))
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
        seen = [udf(exactly, "string")(name) for name in "tn"]
        instants = [udf(same, "timestamp")(name).cast("bigint") for name in "tn"]
        return frame.select(*seen, *instants, udf(same, "timestamp_ntz")("n").cast("string"))

    parity_legs.check(asked(zone, build, conf={"spark.sql.session.timeZone": zone}))


def test_bytes_that_are_no_text_are_seen_as_java_sees_them(parity_legs):
    draw = random.Random(5)
    parts = [b"a", b"\xc3\xa9", b"\xe2\x82\xac", b"\xf0\x9f\x98\x80", b"\xed\xa0\x80", b"\x80"]
    parts += [b"\xff", b"\xe2\x82", b"\xf0\x9f", b"\xf0\x9f\x98", b"\xc0\x80", b"\xe0\x80\x80"]
    parts += [b"\xf4\x90\x80\x80", b"\xed\xa0", b"\xf5", b"\xc3"]
    texts = [b"".join(draw.choices(parts, k=draw.randrange(6))) for _ in range(2000)]

    def build(spark):
        frame = spark.createDataFrame([(each,) for each in texts], "b binary").coalesce(1)
        frame = frame.select("b", F.expr("cast(b as string)").alias("s"))
        return frame.select("b", udf(repr, "string")("s"), udf(same, "string")("s"))

    parity_legs.check(asked("no text", build))


@pytest.mark.parametrize("value", ["date'10000-01-01'", "timestamp'+12000-01-01 00:00:00'",
                                   "timestamp_ntz'-0005-01-01 00:00:00'",
                                   "array(null, date'10000-01-01')",
                                   "map('a', timestamp'+12000-01-01 00:00:00')",
                                   "map(timestamp_ntz'-0005-01-01 00:00:00', array('x'))",
                                   "named_struct('d', date'10000-01-01')"])  # fmt: skip
@pytest.mark.parametrize("simplified", ["true", "false"])
def test_a_time_that_python_has_not_fails_alike(value, simplified, parity_legs):
    def build(spark):
        frame = spark.range(0, 300, 1, 1)
        day = F.expr(f"case when id = 150 then {value} end")
        return frame.select(udf(same, "bigint")("id"), udf(exactly, "string")(day))

    conf = {f"{PYSPARK}.simplifiedTraceback.enabled": simplified}
    parity_legs.check(asked(value, build, fails=True, conf=conf))


def chained(spark):
    inner, outer = udf(lambda x: x + 1), udf(lambda x: x * 2)
    return spark.range(0, 1000, 1, 3).select(outer(inner("id")), inner(outer(inner("id"))))


def several(spark):
    frame = spark.range(0, 500, 1, 2).select("id", F.col("id").cast("string").alias("s"))
    return frame.select(
        udf(lambda x, y: x + y)("id", "id"),
        udf(lambda s, x: s * (x % 3), "string")("s", "id"),
        udf(lambda x: x / 2, "double")("id"),
        udf(lambda x: [x], "array<bigint>")("id"),
    )


def several_fast(spark):
    frame = spark.range(0, 500, 1, 2).select("id", F.col("id").cast("string").alias("s"))
    return frame.select(
        udf(lambda x, y: x + y)("id", "id"), udf(lambda s, x: s + "!", "string")("s", "id")
    )


def by_name(spark):
    function = udf(lambda a, b=5, *, c=7: a * 100 + b * 10 + c)
    frame = spark.range(0, 250, 1, 1).withColumn("y", F.col("id") + 1)
    return frame.select(
        function(a=F.col("id"), b=F.col("y")),
        function("id", c=F.col("y")),
        function(b=F.col("y"), a=F.col("id")),
    )


def without_arguments(spark):
    return spark.range(0, 250, 1, 2).select("id", udf(lambda: 7)())


def of_expressions(spark):
    frame = spark.range(0, 1200, 1, 2)
    return frame.select(udf(lambda x, r: f"{x} {r}", "string")(F.col("id") * 2, F.rand(3)))


def nothing_at_all(spark):
    return spark.range(0).select(udf(same)("id"))


def wrong_types(spark):
    frame = spark.range(0, 950, 1, 2)
    return frame.select(
        udf(lambda x: x if x % 7 else str(x), "bigint")("id"),
        udf(lambda x: x if x % 250 else None, "double")("id"),
        udf(lambda x: x * 2**60, "int")("id"),
        udf(lambda x: x if x % 300 else float(x), "string")("id"),
    )


def sometimes_another_type(spark):
    return spark.range(0, 25000, 1, 1).select(
        "id", udf(lambda x: None if x % 3333 == 0 else float(x) if x % 5000 == 99 else x)("id")
    )


def nested(spark):
    frame = spark.range(0, 350, 1, 1).select(
        "id",
        F.struct("id", F.array("id").alias("a")).alias("s"),
        F.create_map("id", "id").alias("m"),
    )
    return frame.select(
        udf(lambda s, m: s.id + len(s.a) + len(m))("s", "m"),
        udf(lambda s: s, "struct<id:bigint,a:array<bigint>>")("s"),
        udf(lambda m: m, "map<bigint,bigint>")("m"),
    )


def lists_of_every_length(spark):
    frame = spark.range(0, 1200, 1, 2).select(
        "id", F.expr("transform(sequence(0, id % 5), i -> i * id)").alias("a")
    )
    return frame.select(
        udf(lambda a: a, "array<bigint>")("a"),
        udf(lambda i: [str(i)] * (i % 4) if i % 500 else "abc", "array<string>")("id"),
        udf(lambda a: [[float(x)] for x in a] if len(a) > 1 else None, "array<array<float>>")("a"),
        udf(lambda a: [2**40, None] if len(a) == 3 else a, "array<int>")("a"),
    )


def structs_in_and_out(spark):
    frame = spark.range(0, 900, 1, 2).select(
        "id", F.expr("if(id % 7 = 0, null, struct(id as a, array(string(id)) as b))").alias("s")
    )
    kind = "struct<a:bigint,b:array<string>>"
    return frame.select(
        udf(lambda s: s, kind)("s"),
        udf(lambda s: s and {"b": s.b, "a": s.a}, kind)("s"),
        udf(lambda s: s and repr(s), "string")("s"),
        udf(lambda i: (i, ["x"]) if i != 450 else [i, None], kind)("id"),
    )


def lists_that_functions_change(spark):
    frame = spark.range(0, 300, 1, 1).select("id", F.array("id", "id").alias("a"))

    def longer(a):
        a.append(7)
        return len(a)

    first, second = udf(longer), udf(sum)
    return frame.select(first("a"), second("a"), udf(lambda a, b: len(a + b))("a", "a"))


def maps_to_numbers(spark):
    frame = spark.range(0, 1700, 1, 2).select("id", F.create_map("id", "id").alias("m"))
    return frame.select(
        udf(lambda m, i: m[i] if i % 600 != 77 else str(i))("m", "id"),
        udf(lambda m: [*m, None], "array<bigint>")("m"),
    )


def over_a_shuffle(spark):
    frame = spark.range(0, 2000, 1, 4).repartition(7, "id")
    return frame.select(F.col("id") % 10, udf(lambda x: x + 1)("id").alias("v")).distinct()


ROWS = (chained, several, several_fast, by_name, without_arguments, of_expressions)
ROWS += (nothing_at_all, wrong_types, sometimes_another_type, nested, maps_to_numbers)
ROWS += (lists_of_every_length, structs_in_and_out, lists_that_functions_change)


@pytest.mark.parametrize("build", ROWS, ids=lambda it: it.__name__)
@pytest.mark.parametrize("size", ["100", "1", "33"])
def test_functions_are_called_and_answer_alike(build, size, parity_legs):
    sessions = build is not nothing_at_all
    parity_legs.check(asked(build.__name__, build, conf={GROUP: size}, sessions=sessions))


@pytest.mark.parametrize("adaptive", ["true", "false"])
def test_results_are_grouped_alike(adaptive, parity_legs):
    conf = {"spark.sql.adaptive.enabled": adaptive}
    parity_legs.check(asked("shuffle", over_a_shuffle, conf=conf, ordered=False))


def at_row(row, kind, raising):
    """A function that raises at one row, behind rows that it answers."""

    def build(spark):
        sign = witness.signer()

        def function(x):
            sign()
            if x == row:
                raising(x)
            return x

        return spark.range(0, 1000, 1, 1).select(udf(function, kind)("id").alias("v"))

    return build


def at_pickled(row, raising):
    """The same over intervals, which only Spark pickles."""

    def build(spark):
        sign = witness.signer()

        def function(x, _interval):
            sign()
            if x == row:
                raising(x)
            return x

        frame = spark.range(0, 1000, 1, 1).withColumn("i", F.expr("interval 1 day"))
        return frame.select(udf(function)("id", "i").alias("v"))

    return build


def value_error(x):
    words = f"caf\u00e9: bad value {x}"
    raise ValueError(words)


def stop_iteration(x):
    raise StopIteration(x)


def with_cause(x):
    try:
        {}["missing"]
    except KeyError as cause:
        raise RuntimeError("outer") from cause


def system_exit(x):
    raise SystemExit(3)


def too_deep(x):
    return too_deep(x)


RAISING = (value_error, stop_iteration, with_cause, system_exit)
TRACEBACKS = {
    "simplified": {f"{PYSPARK}.simplifiedTraceback.enabled": "true"},
    "whole": {f"{PYSPARK}.simplifiedTraceback.enabled": "false"},
    "hidden": {f"{PYSPARK}.hideTraceback.enabled": "true"},
}


@pytest.mark.parametrize("kind", ["bigint", "timestamp", "array<bigint>"])
@pytest.mark.parametrize("raising", RAISING, ids=lambda it: it.__name__)
@pytest.mark.parametrize("traceback", TRACEBACKS)
def test_an_error_is_the_one_of_spark(raising, kind, traceback, parity_legs):
    name = f"{raising.__name__} {kind}"
    row = 321 if kind == "bigint" else 0
    build = at_row(row, kind, raising)
    parity_legs.check(asked(name, build, fails=True, conf=TRACEBACKS[traceback]))
    parity_legs.check_embedded(asked("good", chained))


@pytest.mark.parametrize("traceback", TRACEBACKS)
def test_an_error_over_pickled_rows_is_the_one_of_spark(traceback, parity_legs):
    build = at_pickled(321, too_deep if traceback == "hidden" else value_error)
    parity_legs.check(asked("of a pickle", build, fails=True, conf=TRACEBACKS[traceback]))
    limited = asked("limit", lambda spark: at_pickled(350, value_error)(spark).limit(300))
    parity_legs.check(limited)


def test_rows_before_the_group_of_an_error_arrive(parity_legs):
    build = at_row(350, "bigint", value_error)
    parity_legs.check(asked("limit", lambda spark: build(spark).limit(300)))


def test_the_first_function_that_fails_in_a_row_is_the_error(parity_legs):
    def build(spark):
        sign = witness.signer()

        def fails(row, text):
            def function(x):
                sign()
                if x == row:
                    raise ValueError(text)
                return x

            return udf(function)

        frame = spark.range(0, 500, 1, 1)
        return frame.select(fails(222, "left")("id"), fails(111, "right")("id"))

    parity_legs.check(asked("two errors", build, fails=True))


def test_every_row_is_worked_on_once(parity_legs):
    def build(spark):
        seen = spark.sparkContext.accumulator(0)

        def function(x):
            seen.add(1)
            return "other" if x % 450 == 77 else x

        return Then(spark.range(0, 3000, 1, 2).select(udf(function)("id")), lambda: seen.value)

    parity_legs.check(asked("accumulated", build))


def test_a_group_limited_by_bytes_runs_on_spark_and_says_why(spark, parity_legs, plugin):
    if not plugin:
        pytest.skip("asks what the plugin does")
    with parity_legs.conf({"spark.sql.execution.python.udf.maxBytesPerBatch": "1000"}):
        frame = spark.range(0, 20, 1, 2).select(udf(lambda x: x + 1)("id").alias("v"))
        assert [row.v for row in frame.collect()] == list(range(1, 21))
        assert evidence.reasons(frame) == {"PickleBytesLimit": 2}
