"""Every kind of function that a stock client sends runs embedded, and answers as without Ember."""

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyspark.errors import PythonException
from pyspark.sql import functions as F
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


def cogrouped_map(spark):
    def joined(left, right):
        return pd.DataFrame({"n": [len(left) * 100 + len(right)]})

    one, two = rows(spark).groupBy("key"), rows(spark).where("id < 50").groupBy("key")
    return one.cogroup(two).applyInPandas(joined, "n long")


def aggregate(spark):
    def total(x: pd.Series) -> float:
        return float(x.sum())

    return rows(spark).groupBy("key").agg(F.pandas_udf(total, "double")("id").alias("a"))


def window(spark):
    def total(x: pd.Series) -> float:
        return float(x.sum())

    over = Window.partitionBy("key")
    return rows(spark).select("id", F.pandas_udf(total, "double")("id").over(over).alias("a"))


def table_function(spark):
    class Repeat:
        def eval(self, n: int):
            for at in range(n % 3):
                yield (n, at)

    spark.udtf.register("repeated", F.udtf(Repeat, returnType="n int, at int"))
    rows(spark).createOrReplaceTempView("numbers")
    return spark.sql("SELECT r.* FROM numbers, LATERAL repeated(CAST(id AS INT)) r")


def named_in_sql(spark):
    spark.udf.register("plus", F.udf(lambda x: x + 1, "long"))
    return spark.sql("SELECT plus(id) AS a FROM range(9)")


KINDS = [
    row_function,
    pickled_function,
    pandas_function,
    arrow_function,
    map_in_pandas,
    map_in_arrow,
    grouped_map,
    cogrouped_map,
    aggregate,
    window,
    table_function,
    named_in_sql,
]


def plan_of(frame):
    return frame._explain_string()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_kind_runs_embedded_and_answers_as_without_ember(both, kind):
    ember, plain = (kind(spark) for spark in both)
    assert ": embedded" in plan_of(ember)
    assert "Ember" not in plan_of(plain)
    assert ember.schema == plain.schema
    assert sorted(ember.collect()) == sorted(plain.collect())


@pytest.mark.parametrize("arrow", [True, False])
def test_an_error_is_that_of_spark_word_for_word(both, arrow):
    def bad(x):
        raise ValueError(f"no {x}")

    words = []
    for spark in both:
        frame = spark.range(1).select(F.udf(bad, "long", useArrow=arrow)("id"))
        with pytest.raises(PythonException) as error:
            frame.collect()
        words.append((type(error.value), error.value.getCondition(), str(error.value)))
    assert words[0] == words[1]
    assert "ValueError: no 0" in words[0][2]


def test_a_stream_of_a_client_runs_embedded(both, tmp_path, capsys):
    found = []
    for name, spark in zip(("ember", "plain"), both, strict=True):
        source = spark.readStream.format("rate-micro-batch").options(rowsPerBatch=10).load()
        doubled = source.select(F.udf(lambda x: x * 2, "long")("value").alias("a"))
        query = (
            doubled.writeStream.format("memory")
            .queryName(f"doubled_{name}")
            .option("checkpointLocation", str(tmp_path / name))
            .start()
        )
        try:
            while query.lastProgress is None or query.lastProgress["batchId"] < 2:
                assert query.exception() is None
            query.explain()
            assert (": embedded" in capsys.readouterr().out) == (name == "ember")
        finally:
            query.stop()
        rows = spark.table(f"doubled_{name}").where("a < 40").orderBy("a")
        found.append([row.a for row in rows.collect()])
    assert found[0] == found[1] == list(range(0, 40, 2))
