"""Every kind of function that a client sends, each as one query of a session."""

from collections.abc import Iterator

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import functions as F
from pyspark.sql.datasource import DataSource, DataSourceReader
from pyspark.sql.streaming import StatefulProcessor
from pyspark.sql.window import Window


def rows(spark):
    return spark.range(100).select("id", (F.col("id") % 7).alias("key"))


def row_function(spark):
    return rows(spark).select(F.udf(lambda x: f"<{x}>")("id").alias("a"))


def pickled_function(spark):
    plus = F.udf(lambda x: x + 1, "long", useArrow=False)
    return rows(spark).select(plus("id").alias("a"))


def pandas_function(spark):
    def doubled(x: pd.Series) -> pd.Series:
        return x * 2

    return rows(spark).select(F.pandas_udf(doubled, "long")("id").alias("a"))


def arrow_function(spark):
    def doubled(x: pa.Array) -> pa.Array:
        return pc.multiply(x, 2)

    return rows(spark).select(F.arrow_udf(doubled, "long")("id").alias("a"))


def pandas_iterator(spark):
    def doubled(several: Iterator[pd.Series]) -> Iterator[pd.Series]:
        for x in several:
            yield x * 2

    return rows(spark).select(F.pandas_udf(doubled, "long")("id").alias("a"))


def arrow_iterator(spark):
    def doubled(several: Iterator[pa.Array]) -> Iterator[pa.Array]:
        for x in several:
            yield pc.multiply(x, 2)

    return rows(spark).select(F.arrow_udf(doubled, "long")("id").alias("a"))


def map_in_pandas(spark):
    return rows(spark).mapInPandas(
        lambda frames: (f[f.id > 3] for f in frames), "id long, key long"
    )


def map_in_arrow(spark):
    return rows(spark).mapInArrow(lambda batches: batches, "id long, key long")


def grouped_map(spark):
    def first(frame):
        return frame.sort_values("id").head(1)

    return rows(spark).groupBy("key").applyInPandas(first, "id long, key long")


def grouped_map_in_arrow(spark):
    def first(table: pa.Table) -> pa.Table:
        return table.sort_by("id").slice(0, 1)

    return rows(spark).groupBy("key").applyInArrow(first, "id long, key long")


def cogrouped_map(spark):
    def joined(left, right):
        return pd.DataFrame({"n": [len(left) * 100 + len(right)]})

    one, two = rows(spark).groupBy("key"), rows(spark).where("id < 50").groupBy("key")
    return one.cogroup(two).applyInPandas(joined, "n long")


def cogrouped_map_in_arrow(spark):
    def joined(left: pa.Table, right: pa.Table) -> pa.Table:
        return pa.table({"n": [left.num_rows * 100 + right.num_rows]})

    one, two = rows(spark).groupBy("key"), rows(spark).where("id < 50").groupBy("key")
    return one.cogroup(two).applyInArrow(joined, "n long")


def aggregate(spark):
    def total(x: pd.Series) -> float:
        return float(x.sum())

    return rows(spark).groupBy("key").agg(F.pandas_udf(total, "double")("id").alias("a"))


def aggregate_in_arrow(spark):
    def total(x: pa.Array) -> float:
        return float(pc.sum(x).as_py())

    return rows(spark).groupBy("key").agg(F.arrow_udf(total, "double")("id").alias("a"))


def window(spark):
    def total(x: pd.Series) -> float:
        return float(x.sum())

    over = Window.partitionBy("key")
    return rows(spark).select("id", F.pandas_udf(total, "double")("id").over(over).alias("a"))


def window_in_arrow(spark):
    def total(x: pa.Array) -> float:
        return float(pc.sum(x).as_py())

    over = Window.partitionBy("key").orderBy("id").rowsBetween(-2, 1)
    return rows(spark).select("id", F.arrow_udf(total, "double")("id").over(over).alias("a"))


def pickled_table_function(spark):
    return table_function(spark, arrow=False)


def table_function(spark, *, arrow=True):
    class Repeat:
        def eval(self, n: int):
            for at in range(n % 3):
                yield (n, at)

    repeated = F.udtf(Repeat, returnType="n int, at int", useArrow=arrow)
    spark.udtf.register("repeated", repeated)
    rows(spark).createOrReplaceTempView("numbers")
    return spark.sql("SELECT r.* FROM numbers, LATERAL repeated(CAST(id AS INT)) r")


def table_function_of_batches(spark):
    class Doubled:
        def eval(self, numbers: pa.RecordBatch) -> Iterator[pa.Table]:
            yield pa.table({"n": pc.multiply(numbers.column("id"), 2)})

    spark.udtf.register("doubled", F.arrow_udtf(Doubled, returnType="n bigint"))
    rows(spark).createOrReplaceTempView("numbers")
    return spark.sql("SELECT * FROM doubled(TABLE(SELECT id FROM numbers))")


def data_source(spark):
    class Numbers(DataSourceReader):
        def read(self, _):
            for n in range(9):
                yield (n, f"<{n}>")

    class Source(DataSource):
        @classmethod
        def name(cls):
            return "numbers_of_a_client"

        def schema(self):
            return "n bigint, text string"

        def reader(self, schema):
            return Numbers()

    spark.dataSource.register(Source)
    return spark.read.format("numbers_of_a_client").load()


def transformed_with_state(spark):
    class Counts(StatefulProcessor):
        def init(self, handle):
            self.count = handle.getValueState("count", "n long")

        def handleInputRows(self, key, frames, timer_values):
            n = sum(len(frame) for frame in frames)
            self.count.update((n,))
            yield pd.DataFrame({"key": [key[0]], "n": [self.count.get()[0]]})

        def close(self):
            pass

    provider = "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider"
    spark.conf.set("spark.sql.streaming.stateStore.providerClass", provider)
    return (
        rows(spark)
        .groupBy("key")
        .transformWithStateInPandas(Counts(), "key long, n long", "Update", "None")
    )


def named_in_sql(spark):
    spark.udf.register("plus", F.udf(lambda x: x + 1, "long"))
    return spark.sql("SELECT plus(id) AS a FROM range(9)")


KINDS = [
    row_function,
    pickled_function,
    pandas_function,
    arrow_function,
    pandas_iterator,
    arrow_iterator,
    map_in_pandas,
    map_in_arrow,
    grouped_map,
    grouped_map_in_arrow,
    cogrouped_map,
    cogrouped_map_in_arrow,
    aggregate,
    aggregate_in_arrow,
    window,
    window_in_arrow,
    table_function,
    pickled_table_function,
    table_function_of_batches,
    data_source,
    transformed_with_state,
    named_in_sql,
]


def plan_of(frame):
    return frame._explain_string()
