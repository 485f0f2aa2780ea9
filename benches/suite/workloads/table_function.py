"""A table function with one row for each row: in Arrow's format a batch of its own, both ways."""

from collections.abc import Iterator

from pyspark.sql import DataFrame
from pyspark.sql.functions import udtf

from suite.workload import RECORDS, Workload


class AddOne:
    """Add one to a number."""

    def eval(self, x: int) -> Iterator[tuple[int]]:
        """Give the row of one number."""
        yield (x + 1,)


def add_row(x: int) -> list[tuple[int]]:
    """Do the same, as a function of a row."""
    return list(AddOne().eval(x))


def by_table(frame: DataFrame) -> DataFrame:
    """Join each row with what the function makes of it."""
    return joined(frame, arrow=True)


def by_pickled_table(frame: DataFrame) -> DataFrame:
    """Do the same in Spark's pickled mode."""
    return joined(frame, arrow=False)


def joined(frame: DataFrame, *, arrow: bool) -> DataFrame:
    """Join each row with what the function makes of it."""
    spark = frame.sparkSession
    spark.udtf.register("add_one", udtf(AddOne, returnType="y bigint", useArrow=arrow))
    frame.createOrReplaceTempView("numbers_of_table")
    return spark.sql("select n.id, f.y from numbers_of_table n, lateral add_one(n.id) f")


TABLE_FUNCTIONS = (
    Workload("add_one_table_100k", "table", by_table, (add_row,), rows=RECORDS),
    Workload("add_one_pickled_table_100k", "table", by_pickled_table, (add_row,), rows=RECORDS),
)
