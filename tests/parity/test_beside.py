"""Columns that no function gets, next to a result: they come back as they were."""

import pytest
from parity.case import Case
from parity.kinds import ARROW, MAP_IN_ARROW, MAP_IN_PANDAS, PANDAS, ROW, Kind, same
from pyspark.ml.linalg import Vectors, VectorUDT
from pyspark.sql import functions as F
from test_types import CONF as TYPE_CONF
from test_types import TYPES

EVAL = frozenset({"ArrowEvalPython"})
THREE_RECORDS = {"spark.sql.execution.arrow.maxRecordsPerBatch": "3"}
WHOLE = (ROW, PANDAS, ARROW)


def beside_every_type(kind: Kind):
    """Columns of every type, which no function gets, next to its result."""

    def build(spark):
        rows = [
            [values[index % len(values)] if index < 4 else "NULL" for _, values in TYPES.values()]
            for index in range(5)
        ]
        columns = ", ".join(
            f"CAST(c{index} AS {ddl}) {name}"
            for index, (name, (ddl, _)) in enumerate(TYPES.items())
        )
        unions = " UNION ALL ".join(
            f"SELECT {number} id, "
            + ", ".join(
                f"CAST({value} AS {ddl}) c{index}"
                for index, (value, (ddl, _)) in enumerate(zip(row, TYPES.values(), strict=True))
            )
            for number, row in enumerate(rows)
        )
        frame = spark.sql(f"SELECT id, {columns} FROM ({unions})")
        frame = frame.withColumns(
            {"ym": F.expr("make_ym_interval(id, 3)"), "cal": F.expr("make_interval(id, 1, 2)")}
        )
        through = frame.select("*", kind.make(same, "int")("id").alias("r"))
        return through.withColumns(
            {"ym": F.col("ym").cast("string"), "cal": F.col("cal").cast("string")}
        )

    return Case(f"beside_every_type-{kind.name}", build, EVAL, conf=TYPE_CONF)


def beside_wide_rows(kind: Kind):
    """More columns than one word of null bits has, so that all of them move."""

    def build(spark):
        columns = [
            F.when(F.col("id") % (i + 2) != 0, F.expr(one)).alias(f"c{i}")
            for i in range(130)
            for one in [("id", "repeat('w', cast(id % 9 as int))", "array(id, null)")[i % 3]]
        ]
        frame = spark.range(0, 40, 1, 2).select("id", *columns)
        return frame.select("*", kind.make(same, "bigint")("id").alias("r"))

    return Case(f"beside_wide_rows-{kind.name}", build, EVAL, conf=THREE_RECORDS)


def beside_nested(kind: Kind):
    def build(spark):
        frame = spark.range(0, 30, 1, 2).select(
            "id",
            F.when(F.col("id") % 4 > 0, F.struct("id", F.array(F.lit("s"), F.lit(None)))).alias(
                "s"
            ),
            F.when(F.col("id") % 5 > 0, F.create_map(F.col("id"), F.struct("id"))).alias("m"),
            F.expr("transform(sequence(0, id % 3), k -> named_struct('k', k, 'd', 1.5BD))"),
            F.expr("cast(null as struct<a:decimal(38,2),b:string>)").alias("n"),
        )
        return frame.select("*", kind.make(same, "bigint")("id").alias("r"), "s.id", "m")

    return Case(f"beside_nested-{kind.name}", build, EVAL, conf=THREE_RECORDS)


def vectors(spark):
    rows = [(1, Vectors.dense(1.5, -2.0)), (2, Vectors.sparse(4, [1], [3.0])), (3, None)]
    return spark.createDataFrame(rows, ["id", "v"]).coalesce(1)


def beside_user_defined(kind: Kind):
    def build(spark):
        return vectors(spark).select("*", kind.make(same, "bigint")("id").alias("r"))

    return Case(f"beside_user_defined-{kind.name}", build, EVAL)


def user_defined_argument(spark):
    norm = F.udf(lambda v: None if v is None else float(v.norm(2)), "double")
    twice = F.udf(lambda v: None if v is None else Vectors.dense(v.toArray() * 2), VectorUDT())
    return vectors(spark).select("v", norm("v").alias("n"), twice("v").alias("t"))


def user_defined_through_map(kind: Kind):
    """Spark gives pandas a dictionary for a vector, and does not take it back."""

    def build(spark):
        return kind.through(vectors(spark), same, None)

    fails = kind is MAP_IN_PANDAS
    return Case(f"user_defined-{kind.name}", build, frozenset({kind.node}), fails=fails)


CASES = [
    *(beside_every_type(kind) for kind in WHOLE),
    *(beside_wide_rows(kind) for kind in WHOLE),
    *(beside_nested(kind) for kind in WHOLE),
    *(beside_user_defined(kind) for kind in WHOLE),
    Case("user_defined_argument", user_defined_argument, EVAL),
    *(user_defined_through_map(kind) for kind in (MAP_IN_PANDAS, MAP_IN_ARROW)),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_other_columns_stay_as_they_are(case, parity_legs):
    parity_legs.check(case)
