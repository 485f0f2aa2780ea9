"""Functions whose rows Spark pickles, and what they may be given, return and raise."""

import datetime as dt
import functools
import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import numpy as np
import pyspark
import pyspark.sql.functions as F
import telling
from pyspark import TaskContext
from pyspark.sql import DataFrame
from pyspark.sql import types as sql

spark = telling.session("pickled")
spark.conf.set("spark.sql.session.timeZone", "America/Los_Angeles")
counter = spark.sparkContext.accumulator(0)
offset = spark.sparkContext.broadcast(1000)
SIMPLIFIED = "spark.sql.execution.pyspark.udf.simplifiedTraceback.enabled"
LAST = 449
#: There arguments have no names, and table functions cannot skip rows.
IN_3_5 = pyspark.__version__.startswith("3.")
numbers = spark.range(0, LAST + 1, 1, 2).select(
    "id",
    F.when(F.col("id") % 7 != 0, F.col("id") * 3).alias("v"),
    F.concat(F.lit("é€😀 "), "id").alias("s"),
)
CELLS = {
    "flag": "id % 2 = 0",
    "tiny": "cast(id % 100 as tinyint)",
    "short": "cast(id as smallint)",
    "single": "cast(id as float) / 7",
    "double": "id / 7",
    "bytes": "cast(concat('b', id) as binary)",
    "decimal": "cast(id as decimal(20,4)) / 8",
    "day": "date_add(date'1969-12-20', cast(id as int))",
    "moment": "timestamp_seconds(id * 3600 * 5)",
    "local": "cast(timestamp_seconds(id * 3600 * 5) as timestamp_ntz)",
    "several": "array(id, null)",
    "struct": "named_struct('a', id, 'b', cast(id as string), 'c', array(date'2024-02-29'))",
    "map": "map(cast(id as string), named_struct('x', id / 3))",
    "interval": "make_dt_interval(0, 0, 0, id)",
    "nothing": "null",
}
cells = numbers.selectExpr(
    *(f"case when id % 5 > 0 then {text} end as {name}" for name, text in CELLS.items())
)
RETURNED = {
    "long": [1, None, True, 1.5, "1", 2**70, Decimal(1), [1]],
    "tinyint": [1, 300, -1, 2**40, None],
    "double": [1.5, 1, float("nan"), "1.5", Decimal(2), True],
    "string": ["a", 1, 1.0, 1e20, True, None, [1, "x"], {"k": 1}],
    "boolean": [True, 1, "true", None],
    "binary": [b"a", bytearray(b"b"), "c", None],
    "decimal(10,2)": [Decimal("1.25"), Decimal("1.255"), 1, None],
    "date": [dt.date(2024, 2, 29), None],
    "timestamp": [dt.datetime(2024, 11, 3, 1, 30, fold=1), dt.datetime(1900, 1, 1), None],  # noqa: DTZ001 - in the local zone
    "timestamp_ntz": [dt.datetime(2024, 2, 29, 1, 2, 3, 4), None],  # noqa: DTZ001 - in the local zone
    "array<int>": [[1, None], (2, 3), ["x"], None, 5],
    "map<string,long>": [{"a": 1}, {"b": "x"}, {1: 1}, None],
    "struct<a:long,b:string>": [(1, "x"), {"b": "y", "a": 2}, [3, "z"], None],
}


class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y


class PointType(sql.UserDefinedType):
    @classmethod
    def sqlType(cls):  # noqa: N802 - PySpark's name
        return sql.ArrayType(sql.DoubleType(), containsNull=False)

    @classmethod
    def module(cls):
        return "__main__"

    def serialize(self, point):
        return [point.x, point.y]

    def deserialize(self, stored):
        return Point(*stored)


Point.__UDT__ = PointType()


def udf(function, kind="long"):
    return F.udf(function, kind, useArrow=False)


def rows():
    return numbers.select(udf(lambda v: None if v is None else v + 1)("v"))


def no_arguments():
    return numbers.select("id", udf(lambda: "constant", "string")())


def several_functions():
    return numbers.select(
        udf(lambda v, s: f"{v} {s}", "string")("v", "s"),
        udf(lambda s, key: s[key % 3 :], "string")("s", "id"),
        udf(lambda key: key / 2, "double")("id"),
    )


def several_functions_with_one_that_needs_pickles():
    return numbers.select(udf(lambda v: v)("v"), udf(lambda s: [s], "array<string>")("s"))


def named_arguments():
    function = udf(lambda first, second=7: f"{first} {second}", "string")
    return numbers.select(
        function(second="v", first=F.col("id")), function("id", second="s"), function(first="id")
    )


def chained():
    inner, outer = udf(lambda x: x + 1), udf(lambda x: x * 2)
    return numbers.select(outer(inner("id")), inner(outer(inner("id"))))


def above_each_other():
    inner, outer = udf(lambda x: x + 1), udf(lambda x, y: f"{x} {y}", "string")
    return numbers.select(outer(inner("id"), "s"))


def partial_and_callable():
    class Adds:
        def __call__(self, x):
            return x + 5

    return numbers.select(udf(functools.partial(pow, 2))(F.col("id") % 60), udf(Adds())("id"))


def in_its_task():
    def told(key):
        counter.add(1)
        return key + offset.value + TaskContext.get().partitionId()

    return numbers.select(udf(told)("id"))


def asked_by_a_thread_without_a_session():
    frame = rows()

    def count():
        return frame.rdd.count()

    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(count).result() == frame.count()
    return frame


def not_deterministic():
    return numbers.select(udf(lambda key: key % 13).asNondeterministic()("id"), "id")


def every_cell_alone():
    seen = udf(lambda it: f"{type(it).__name__} {it!r}", "string")
    return cells.select(*(seen(name) for name in CELLS))


def every_cell_in_one_function():
    return cells.select(udf(lambda *them: repr(them), "string")(*CELLS))


def rows_as_arguments():
    return numbers.select(udf(lambda row: f"{row.s} {row['v']}", "string")(F.struct("v", "s")))


def every_result():
    def giving(kind, given):
        function = udf(lambda key: given[key % len(given)], kind)
        return numbers.select("id", F.lit(kind), function("id").cast("string"))

    return functools.reduce(DataFrame.union, itertools.starmap(giving, RETURNED.items()))


def one_group_with_another_type():
    return numbers.select(udf(lambda key: str(key) if key == 150 else key)("id"))


def user_defined_types():
    made = numbers.select(udf(lambda key: Point(float(key), 1.0), PointType())("id").alias("p"))
    several = udf(lambda p: [p], sql.ArrayType(PointType()))
    return made.select(udf(lambda p: p.x + p.y, "double")("p"), several("p").cast("string"))


def many_rows():
    many = spark.range(0, 45_000, 1, 3).select(
        udf(lambda key: key if key % 9_001 else str(key))("id").alias("v")
    )
    return many.agg(F.sum("v"), F.count("v"), F.count("*"))


def failing(error, *, simplified):
    """Fails late in one task: the metrics of the other, which Spark keeps, tell who ran it."""

    def fails(key):
        if key == LAST:
            time.sleep(1.5)
            raise error
        return key

    spark.conf.set(SIMPLIFIED, str(simplified).lower())
    return numbers.select(udf(fails)("id"))


def error_in_short():
    return failing(ValueError("no"), simplified=True)


def error_in_full():
    return failing(KeyError("no"), simplified=False)


def error_that_ends_a_loop():
    return failing(StopIteration(7), simplified=False)


def error_in_a_function_that_takes_pickles():
    def fails(several):
        if several[0] == LAST:
            time.sleep(1.5)
        return 1 // (several[0] - LAST)

    spark.conf.set(SIMPLIFIED, "false")
    return numbers.select(udf(fails)(F.array("id")))


def error_of_a_conversion():
    def gives(key):
        if key == LAST:
            time.sleep(1.5)
            return np.int64(key)
        return key

    return numbers.select(udf(gives)("id"))


def decimal_with_too_many_digits():
    """In 3.5 an error, later null."""

    def gives(key):
        if key == LAST:
            time.sleep(1.5)
            return Decimal(10) ** 9
        return Decimal(key)

    return numbers.select(udf(gives, "decimal(10,2)")("id"))


def error_of_a_time_that_python_has_not():
    late = F.expr(f"case when id = {LAST} then date'10000-01-01' end")
    waits = udf(lambda key, day: (time.sleep(1.5) if key == LAST - 50 else None, day)[1], "date")
    return numbers.select(waits("id", late))


class Splits:
    def __init__(self):
        self._seen = 0

    def eval(self, number: int, text: str):
        self._seen += 1
        for part in range(number % 3):
            yield number, f"{text} {part}"

    def terminate(self):
        yield -1, str(self._seen)


class Nested:
    def eval(self, number: int):
        yield [number], {"k": Decimal(number)}, (number, None)


class Gaps:
    def eval(self, number):
        yield {"b": number, "a": None}, (None, {"b": number, "a": None})


class Totals:
    def __init__(self):
        self._total = 0

    def eval(self, row):
        self._total += row["id"]

    def terminate(self):
        yield (self._total,)


class Skips:
    def __init__(self):
        self._total = 0

    def eval(self, row):
        self._total += row["id"]
        if row["id"] > LAST // 3:
            raise F.SkipRestOfInputTableException

    def terminate(self):
        yield (self._total,)


class Fails:
    def eval(self, number: int):
        if number == LAST:
            time.sleep(1.5)
        yield (1 // (number - LAST),)


def table_function(handler, returns, query):
    spark.udtf.register("f", F.udtf(handler, returnType=returns, useArrow=False))
    numbers.createOrReplaceTempView("numbers")
    return spark.sql(query)


def table_of_columns():
    return table_function(Splits, "n long, t string", "SELECT n, t FROM numbers, LATERAL f(id, s)")


def table_of_pickles():
    returns = "a array<long>, m map<string,decimal(10,2)>, p struct<x:long,y:string>"
    return table_function(Nested, returns, "SELECT f.* FROM numbers, LATERAL f(id) f")


def table_of_gaps():
    returns = "m map<string,long>, s struct<a:long,m:map<string,long>>"
    return table_function(Gaps, returns, "SELECT f.* FROM numbers, LATERAL f(id) f")


def table_of_rows():
    return table_function(Totals, "n long", "SELECT * FROM f(TABLE(SELECT id FROM numbers))")


def table_that_skips():
    return table_function(Skips, "n long", "SELECT * FROM f(TABLE(SELECT id FROM numbers))")


def table_that_fails():
    spark.conf.set(SIMPLIFIED, "false")
    return table_function(Fails, "n long", "SELECT n FROM numbers, LATERAL f(id)")


CASES = (
    *(rows, no_arguments, several_functions, several_functions_with_one_that_needs_pickles),
    *(() if IN_3_5 else (named_arguments,)),
    *(chained, above_each_other, partial_and_callable, in_its_task),
    asked_by_a_thread_without_a_session,
    *(not_deterministic, every_cell_alone, every_cell_in_one_function, rows_as_arguments),
    *(every_result, one_group_with_another_type, user_defined_types, many_rows),
    *(error_in_short, error_in_full, error_that_ends_a_loop),
    *(error_in_a_function_that_takes_pickles, error_of_a_conversion),
    decimal_with_too_many_digits,
    error_of_a_time_that_python_has_not,
    *(table_of_columns, table_of_pickles, table_of_gaps, table_of_rows, table_that_fails),
    *(() if IN_3_5 else (table_that_skips,)),
)
telling.tell(spark, CASES, counter)
