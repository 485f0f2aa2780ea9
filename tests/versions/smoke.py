"""Every kind of Python function once, as Ember runs it on each lane and on Spark's worker."""

import time

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyspark.sql.functions as F
import pyspark.sql.pandas.functions as in_arrow
import telling
from pyspark import TaskContext
from pyspark.sql import GroupedData, Window

# Groups have more rows, which 3.5 and 4.0 send in one batch all the same.
spark = telling.session("smoke", {"spark.sql.execution.arrow.maxRecordsPerBatch": "16"})
counter = spark.sparkContext.accumulator(0)
offset = spark.sparkContext.broadcast(1000)
LAST = 199 * 3
numbers = spark.range(0, 200, 1, 2).select(
    "id",
    (F.col("id") % 7).alias("k"),
    (F.col("id") * 3).alias("v"),
    F.col("id").cast("string").alias("s"),
    F.col("id").cast("decimal(20,4)").alias("d"),
    F.date_add(F.to_date(F.lit("2024-02-28")), F.col("id").cast("int")).alias("day"),
    F.struct("id", F.lit("x").alias("t")).alias("p"),
)


def row():
    return numbers.select(
        F.udf(lambda v: None if v % 5 == 0 else v + 1, "long", useArrow=True)("v")
    )


def row_in_its_task():
    def told(v):
        counter.add(1)
        return v + offset.value + TaskContext.get().partitionId()

    return numbers.select(F.udf(told, "long", useArrow=True)("v"))


def row_environment():
    """The names of variables; those of a socket speak of what a process alone has."""

    def names(_):
        import os

        found = (name for name in os.environ if not name.startswith("PYTHON_WORKER_FACTORY"))
        return " ".join(sorted(set(found) - {"PYTHON_UNIX_DOMAIN_ENABLED"}))

    return numbers.select(F.udf(names, "string", useArrow=True)("v"))


def row_types():
    same = {"s": "string", "d": "decimal(20,4)", "day": "date", "p": "struct<id:long,t:string>"}
    return numbers.select(
        *(F.udf(lambda v: v, ddl, useArrow=True)(name).alias(name) for name, ddl in same.items())
    )


def row_pickled():
    return numbers.select(F.udf(lambda v: v + 1, "long", useArrow=False)("v"))


def row_error():
    """Fails at the last row: the metrics of the other task, which Spark keeps, tell who ran it."""

    def fails(v):
        if v == LAST:
            time.sleep(2)
        return 1 // (v - LAST)

    return numbers.select(F.udf(fails, "long", useArrow=True)("v"))


def pandas_scalar():
    return numbers.select(F.pandas_udf(lambda v: v + 1, "long", F.PandasUDFType.SCALAR)("v"))


def pandas_iterator():
    function = F.pandas_udf(
        lambda several: (v + 1 for v in several), "long", F.PandasUDFType.SCALAR_ITER
    )
    return numbers.select(function("v"))


def arrow_scalar():
    function = in_arrow.arrow_udf(lambda v: pc.add(v, 1), "long", in_arrow.ArrowUDFType.SCALAR)
    return numbers.select(function("v"))


def map_in_pandas():
    return numbers.select("id", "v", "s").mapInPandas(
        lambda frames: frames, "id long, v long, s string"
    )


def map_in_arrow():
    return numbers.select("id", "v", "s").mapInArrow(
        lambda batches: batches, "id long, v long, s string"
    )


def pairs():
    return numbers.select("k", "v", "s")


def groups_in_pandas():
    def total(frame):
        return pd.DataFrame({"k": frame.k[:1], "n": [len(frame)], "v": [frame.v.sum()]})

    return pairs().groupBy("k").applyInPandas(total, "k long, n long, v long")


def groups_in_arrow():
    def head(table):
        first = table.select(["k", "v"]).slice(0, 3)
        batches = [table.column("v").num_chunks] * first.num_rows
        return first.append_column("batches", pa.array(batches))

    return pairs().groupBy("k").applyInArrow(head, "k long, v long, batches long")


def cogroups_in_pandas():
    def both(left, right):
        return pd.DataFrame({"k": left.k[:1], "n": [len(left) + len(right)]})

    left, right = pairs(), pairs().where("v % 2 = 0")
    return left.groupBy("k").cogroup(right.groupBy("k")).applyInPandas(both, "k long, n long")


def cogroups_in_arrow():
    def both(left, right):
        return pa.table({"n": [left.num_rows + right.num_rows]})

    left, right = pairs(), pairs().where("v % 2 = 0")
    return left.groupBy("k").cogroup(right.groupBy("k")).applyInArrow(both, "n long")


def aggregate():
    return F.pandas_udf(lambda v: float(v.mean()), "double", F.PandasUDFType.GROUPED_AGG)


def aggregate_in_pandas():
    return pairs().groupBy("k").agg(aggregate()("v"))


def window_in_pandas():
    frame = Window.partitionBy("k").orderBy("v").rowsBetween(-2, 0)
    return pairs().select("k", "v", aggregate()("v").over(frame))


class Twice:
    def eval(self, v: int):
        yield v, 2 * v


def table_function(use_arrow):
    made = F.udtf(Twice, returnType="a long, b long", useArrow=use_arrow)
    spark.udtf.register(f"twice_{use_arrow}".lower(), made)
    numbers.createOrReplaceTempView("numbers")
    return spark.sql(f"SELECT a, b FROM numbers, LATERAL twice_{use_arrow}(id)")


def table_function_in_arrow():
    return table_function(use_arrow=True)


def table_function_pickled():
    return table_function(use_arrow=False)


CASES = (
    *(
        row,
        row_in_its_task,
        row_environment,
        row_types,
        row_pickled,
        row_error,
        pandas_scalar,
        pandas_iterator,
    ),
    *((arrow_scalar,) if hasattr(in_arrow, "arrow_udf") else ()),  # Spark 4.0 has none
    *(map_in_pandas, map_in_arrow, groups_in_pandas, cogroups_in_pandas),
    # Spark 3.5 has no more of groups.
    *((groups_in_arrow, cogroups_in_arrow) if hasattr(GroupedData, "applyInArrow") else ()),
    *(aggregate_in_pandas, window_in_pandas),
    *(table_function_in_arrow, table_function_pickled),
)

telling.tell(spark, CASES, counter)
