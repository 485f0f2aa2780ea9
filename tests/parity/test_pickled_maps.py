"""Maps of functions in Spark's pickled mode: the dictionaries they see, and what becomes of theirs.

A dictionary that was in one of Spark's pickles has its entries in the order of a table of Java's,
and so has the map that Spark makes of a dictionary. So the order is compared, with keys that Java
puts in one place, that are equal in Java alone or in Python alone, and as many that tables grow.
"""

import collections
import datetime as dt
import math
import random
from decimal import Decimal

import pyarrow as pa
import pytest
from parity.case import Case
from parity.columns import exactly
from parity.kinds import same
from pyspark.sql import functions as F
from pyspark.sql import types as sql
from pyspark.sql.pandas.types import to_arrow_type

EVAL = frozenset({"BatchEvalPython"})
TABLE = frozenset({"BatchEvalPythonUDTF"})
#: Tables grow at 12, 24, ... entries; bins are trees from 64 places on; pickles have lots of 1000.
SIZES = (0, 1, 2, 3, 5, 8, 12, 13, 24, 25, 49, 97, 300, 1000, 1001, 2300)


def udf(function, kind):
    """A row function in the pickled mode."""
    return F.udf(function, kind, useArrow=False)


def whole(bits):
    """Draw numbers of all magnitudes, of so many bits."""
    return lambda draw: draw.randrange(-(2 ** draw.randrange(bits)), 2 ** draw.randrange(bits))


def text(draw):
    """Draw a text; many have the same hash in Java."""
    return "".join(
        draw.choices(["Aa", "BB", "Aa", "BB", "\u00e9", "\U0001f600"], k=draw.randrange(13))
    )


def real(draw):
    """Draw a number; whole ones of a magnitude have hashes that are close."""
    special = [0.0, -0.0, math.nan, math.inf, 0.1, draw.random()]
    return draw.choice(special) if draw.random() < 0.2 else float(draw.randrange(100_000))


DAY = dt.date(2024, 2, 29)
KEYS = {
    "boolean": lambda draw: draw.random() < 0.5,
    "tinyint": whole(8),
    "smallint": whole(16),
    "int": whole(32),
    "bigint": whole(64),
    "double": real,
    "string": text,
    "date": lambda draw: DAY + dt.timedelta(draw.randrange(-9999, 9999)),
    "timestamp_ntz": lambda draw: dt.datetime(1970, 1, 1) + dt.timedelta(0, draw.randrange(9**9)),  # noqa: DTZ001
}  # fmt: skip
#: Dictionaries with such keys go to Spark in pickles.
PICKLED_KEYS = {
    "float": real,
    "decimal(20,3)": lambda draw: Decimal(draw.randrange(-(10**9), 10**9)).scaleb(-3),
    "timestamp": lambda draw: dt.datetime.fromtimestamp(draw.randrange(2**31)),
}
STEADY = KEYS | PICKLED_KEYS
#: Spark has maps that come back with such keys in the order of addresses.
EVERY_KEY = STEADY | {"struct<a:bigint,b:string>": lambda draw: (whole(40)(draw), text(draw))}


def asked(name, build, **fields):
    """One question about maps."""
    return Case(f"{name}-pickled_maps", build, EVAL, **fields)


def entries(key, size, seed):
    """Draw so many entries, of which some keys may be equal."""
    draw = random.Random(f"{key} {size} {seed}")
    return [(EVERY_KEY[key](draw), draw.choice([None, index])) for index in range(size)]


def column(key):
    """Draw maps of all sizes."""
    of = to_arrow_type(sql.DataType.fromDDL(f"map<{key},bigint>"), timezone="UTC")
    rows = [None, *(entries(key, size, seed) for size in SIZES for seed in range(3))]
    return pa.array([row and [(_stored(each), v) for each, v in row] for row in rows], of)


def _stored(key):
    return {"a": key[0], "b": key[1]} if isinstance(key, tuple) else key


def of_maps(function, key, kind):
    """A function of maps with such keys, which no other function sees."""

    def build(spark):
        table = pa.table([column(key)], ["m"])
        frame = spark.createDataFrame(table, f"m map<{key},bigint>").coalesce(1)
        return frame.select(udf(function, kind)("m").cast("string"))

    return build


@pytest.mark.parametrize("key", EVERY_KEY)
def test_functions_see_maps_in_the_order_of_spark(key, parity_legs):
    parity_legs.check(asked(f"seen {key}", of_maps(exactly, key, "string")))


def turned(m):
    """The map with its entries the other way round."""
    return m and dict(reversed(m.items()))


BACK = [pytest.param(key, same, id=f"same-{key}") for key in STEADY]
BACK += [pytest.param(key, turned, marks=pytest.mark.slow, id=f"turned-{key}") for key in STEADY]


@pytest.mark.parametrize(("key", "function"), BACK)
def test_maps_come_back_in_the_order_of_spark(key, function, parity_legs):
    build = of_maps(function, key, f"map<{key},bigint>")
    parity_legs.check(asked(f"{function.__name__} {key}", build))


@pytest.mark.parametrize("key", STEADY)
def test_dictionaries_become_the_maps_of_spark(key, parity_legs):
    made = [entries(key, size, seed) for size in SIZES for seed in range(4)]

    def build(spark):
        frame = spark.range(0, len(made), 1, 1)
        function = udf(lambda row: dict(made[row]), f"map<{key},bigint>")
        return frame.select("id", function("id").cast("string"))

    parity_legs.check(asked(f"made {key}", build))


NESTED = {
    "map<string,map<bigint,string>>": lambda x: {
        str(i): {j: "v", -j: None} for i in range(x % 5) for j in range(x % 7)
    },
    "array<map<bigint,double>>": lambda x: [{x: 0.5, x % 7: None}, None, {}] * (x % 3),
    "struct<a:map<string,array<int>>,b:bigint>": lambda x: (
        {"k" * i: [i, None] for i in range(x % 9)},
        x,
    ),
    "map<int,struct<a:map<string,date>,b:binary>>": lambda x: {
        i * 17 % 31: ({"d": DAY, "e": None}, b"\0") for i in range(x % 20)
    },
    "map<bigint,timestamp>": lambda x: {x: dt.datetime(2024, 11, 3, 1, 30)},  # noqa: DTZ001
    "map<bigint,decimal(10,2)>": lambda x: {x: Decimal("1.5"), 2: None},
}


@pytest.mark.parametrize("way", ["seen", "back"])
@pytest.mark.parametrize("kind", NESTED)
def test_maps_in_values_with_parts_are_in_order_too(kind, way, parity_legs):
    def build(spark):
        function = udf(exactly, "string") if way == "seen" else udf(same, kind)
        made = spark.range(0, 400, 1, 1).select("id", udf(NESTED[kind], kind)("id").alias("v"))
        made = made.repartition(1)
        return made.select("id", F.col("v").cast("string"), function("v").cast("string"))

    parity_legs.check(asked(f"nested {kind}", build))


class Table(dict):
    """A dictionary of another class."""


OTHERS = {
    "ordered": lambda x: collections.OrderedDict({"b": x, "a": 1}),
    "default": lambda x: collections.defaultdict(int, {"b": x}),
    "subclass": lambda x: Table(b=x, a=None),
    "counter": lambda x: collections.Counter({"a": x}),
    "null key": lambda x: {None: x, "a": 1} if x == 77 else {"a": x},
    "other key": lambda x: {x: x, "a": 1} if x % 150 == 77 else {"a": x},
    "other value": lambda x: {"a": "x" if x % 150 == 77 else x, "b": 1.5 if x == 5 else 1},
    "too large": lambda x: {"a": 2**70 if x == 77 else x},
    "no dictionary": lambda x: [("a", x)] if x == 77 else {"a": x},
    "no text": lambda x: {"\ud800": x} if x == 77 else {"a": x},
    "nothing": lambda x: None if x % 3 else {},
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_exact_dictionary_becomes_what_spark_makes_of_it(name, parity_legs):
    def build(spark):
        function = udf(OTHERS[name], "map<string,bigint>")
        return spark.range(0, 350, 1, 1).select("id", function("id").cast("string"))

    parity_legs.check_either_way(asked(name, build))


def kept(spark):
    held, shared = {}, {"a": 1}

    def growing(x):
        held[x % 40] = x
        return held

    def inside(x):
        shared["a"] = x
        return {"s": shared}

    frame = spark.range(0, 300, 1, 1)
    return frame.select(
        udf(growing, "map<bigint,bigint>")("id").cast("string"),
        udf(inside, "map<string,map<string,bigint>>")("id").cast("string"),
    )


def changed(spark):
    frame = spark.range(0, 300, 1, 1).select("id", F.create_map("id", "id").alias("m"))

    def longer(m):
        m[-1] = 7
        return len(m)

    return frame.select(udf(longer, "bigint")("m"), udf(str, "string")("m"))


def of_expressions(spark):
    frame = spark.range(0, 300, 1, 2)
    drawn = F.create_map(F.rand(3), F.col("id"), F.rand(4), F.col("id") + 1)
    return frame.select("id", udf(str, "string")(drawn), udf(same, "map<double,bigint>")(drawn))


def filtered(spark):
    frame = spark.range(0, 500, 1, 2).select("id", F.create_map("id", "id").alias("m"))
    function = udf(lambda m, *, by: {k * by: v for k, v in m.items()}, "map<bigint,bigint>")
    made = frame.select(function("m", by=F.lit(3)).alias("n")).select(F.explode("n"))
    return made.where("value % 2 = 0")


@pytest.mark.parametrize(
    "build", [kept, changed, of_expressions, filtered], ids=lambda it: it.__name__
)
def test_functions_over_maps_answer_alike(build, parity_legs):
    parity_legs.check(asked(build.__name__, build))


class Turned:
    """Gives the map it got, turned, and says what it saw."""

    def eval(self, m):
        yield exactly(m), m and {value: key for key, value in m.items()}


@pytest.mark.parametrize("size", [3, 30, 130])
def test_table_functions_see_and_give_maps_alike(size, parity_legs):
    def build(spark):
        handler = F.udtf(Turned, returnType="s string, m map<bigint,string>", useArrow=False)
        spark.udtf.register("turned", handler)
        keys = f"transform(sequence(1, id * 7 % {size}), i -> concat('k', i * id))"
        of = f"select id, {keys} k from range(1, 300)"
        values = "transform(k, (x, i) -> i * 31 % 97 * id)"
        rows = f"select map_from_arrays(k, {values}) m from ({of})"
        return spark.sql(f"select r.s, cast(r.m as string) from ({rows}) a, lateral turned(a.m) r")

    parity_legs.check(Case(f"table {size}", build, TABLE, ordered=False))


VALUES = {
    "bigint": 1,
    "double": 1.5,
    "boolean": True,
    "date": DAY,
    "timestamp": dt.datetime(2024, 2, 29, 12, tzinfo=dt.UTC),
    "string": "s",
}


@pytest.mark.parametrize("kind", VALUES)
def test_what_is_null_in_maps_of_table_functions_stays_null(kind, parity_legs):
    value = VALUES[kind]

    class Gaps:
        def eval(self, _):
            gaps = {"b": value, "a": None}
            yield dict(gaps), (None, dict(gaps)), [dict(gaps), None]

    def build(spark):
        of = f"map<string,{kind}>"
        returns = f"m {of}, s struct<a:{kind},m:{of}>, l array<{of}>"
        spark.udtf.register("gaps", F.udtf(Gaps, returnType=returns, useArrow=False))
        columns = ", ".join(f"cast(r.{name} as string) {name}" for name in "msl")
        return spark.sql(f"select {columns} from range(3) t, lateral gaps(t.id) r")

    parity_legs.check(Case(f"gaps {kind}", build, TABLE, ordered=False))
