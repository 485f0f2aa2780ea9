"""What rows a function's child gives: by the row, by the group, or in a form of its own."""

import tempfile

import pytest
from parity.case import Case
from parity.kinds import ARROW, MAP_IN_ARROW, MAP_IN_PANDAS, PANDAS, ROW, Kind, same

THREE_RECORDS = {"spark.sql.execution.arrow.maxRecordsPerBatch": "3"}
MAPS = (MAP_IN_PANDAS, MAP_IN_ARROW)
PIECES = "spark.sql.inMemoryColumnarStorage.batchSize"


def over_child(name, child, kind: Kind):
    """Children whose rows are not in Spark's own form, or come by the group."""

    def build(spark):
        return kind.through(child(spark), same, "bigint")

    return Case(f"over_{name}-{kind.name}", build, frozenset({kind.node}), conf=THREE_RECORDS)


def local_rows(spark):
    return spark.createDataFrame(
        [(i, i * 2, f"t{i}") for i in range(9)], "id long, v long, s string"
    )


def rdd_rows(spark):
    rows = spark.sparkContext.parallelize([(i, i * 2, [f"t{i}"]) for i in range(9)], 3)
    return spark.createDataFrame(rows, "id long, v long, s array<string>")


def values_clause(spark):
    return spark.sql("SELECT * FROM VALUES (1L, 2L, 'a'), (3L, NULL, 'b') AS t(id, v, s)")


def text_file(spark):
    folder = tempfile.mkdtemp(prefix="parity-") + "/t"
    spark.range(0, 50, 1, 1).selectExpr("id", "id * 2", "repeat('q', 4)").write.csv(folder)
    return spark.read.schema("id long, v long, s string").csv(folder)


def row_groups(spark):
    folder = tempfile.mkdtemp(prefix="parity-") + "/t"
    frame = spark.range(0, 4_000, 1, 1).selectExpr("id", "id % 7 v", "uuid(3) s")
    frame.write.option("parquet.block.size", 20_000).option(
        "parquet.page.row.count.limit", 150
    ).option("parquet.block.row.count.limit", 700).parquet(folder)
    return spark.read.parquet(folder)


def cached_in_pieces(spark):
    spark.conf.set(PIECES, "300")
    kept = spark.range(0, 2000, 1, 2).selectExpr("id", "id % 7 v", "uuid(3) s").cache()
    kept.count()
    spark.conf.unset(PIECES)
    return kept


BY_THE_ROW = {
    "local_rows": local_rows,
    "rdd_rows": rdd_rows,
    "values": values_clause,
    "a_text_file": text_file,
}
BY_THE_GROUP = {"row_groups": row_groups, "a_cache_of_pieces": cached_in_pieces}
CASES = [
    *(over_child(*one, kind) for one in BY_THE_ROW.items() for kind in (ROW, ARROW, *MAPS)),
    *(over_child(*one, kind) for one in BY_THE_GROUP.items() for kind in (PANDAS, ARROW, *MAPS)),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_function_may_stand_over_this_child(case, parity_legs):
    parity_legs.check(case)
