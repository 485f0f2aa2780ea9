"""Values with parts: lists, rows of a struct and dictionaries, in both modes of row functions."""

from pyspark.sql import Column, DataFrame
from pyspark.sql.functions import array, col, create_map, struct, udf
from pyspark.sql.types import Row

from suite.workload import MILLION, Workload


def turned(numbers: list[int]) -> list[int]:
    """Turn a list round."""
    return numbers[::-1]


def turned_pair(x: int) -> list[int]:
    """Do the same, as a function of a number."""
    return turned([x, x + 1])


def swapped(pair: Row) -> tuple[int, int]:
    """Let two fields change places."""
    return pair.b, pair.a


def swapped_pair(x: int) -> tuple[int, int]:
    """Do the same, as a function of a number."""
    return x + 1, x


def most(numbers: dict[int, int]) -> int:
    """Find the largest value of a dictionary."""
    return max(numbers.values())


def most_of_pair(x: int) -> int:
    """Do the same, as a function of a number."""
    return most({x: x, x + 1: x + 1})


def exchanged(numbers: dict[int, int]) -> dict[int, int]:
    """Let keys and values of a dictionary change places."""
    return {value: key for key, value in numbers.items()}


def exchanged_pair(x: int) -> dict[int, int]:
    """Do the same, as a function of a number."""
    return exchanged({x: x, x + 1: x + 1})


def by_list(frame: DataFrame) -> DataFrame:
    """Run the function of a list."""
    return _joined(frame, udf(turned, "array<bigint>")(array(*_pair())))


def by_pickled_list(frame: DataFrame) -> DataFrame:
    """Run it in Spark's pickled mode, with Ember as without."""
    return _joined(frame, udf(turned, "array<bigint>", useArrow=False)(array(*_pair())))


def by_pickled_struct(frame: DataFrame) -> DataFrame:
    """Run the function of a struct in that mode."""
    first, second = _pair()
    pair = struct(first.alias("a"), second.alias("b"))
    return _joined(frame, udf(swapped, "struct<a:bigint,b:bigint>", useArrow=False)(pair))


def by_pickled_map(frame: DataFrame) -> DataFrame:
    """Run the function of a map in that mode."""
    return _joined(frame, udf(most, "bigint", useArrow=False)(_map()))


def by_pickled_map_back(frame: DataFrame) -> DataFrame:
    """Run the function from a map to a map in that mode."""
    return _joined(frame, udf(exchanged, "map<bigint,bigint>", useArrow=False)(_map()))


def _map() -> Column:
    first, second = _pair()
    return create_map(first, first, second, second)


def _pair() -> tuple[Column, Column]:
    return col("id"), col("id") + 1


def _joined(frame: DataFrame, made: Column) -> DataFrame:
    return frame.select("id", made.alias("y"))


PARTS = (
    Workload("list_row_250k", "row", by_list, (turned_pair,), rows=MILLION // 4),
    Workload("list_pickled_250k", "pickled", by_pickled_list, (turned_pair,), rows=MILLION // 4),
    Workload(
        "struct_pickled_250k", "pickled", by_pickled_struct, (swapped_pair,), rows=MILLION // 4
    ),
    Workload("map_pickled_250k", "pickled", by_pickled_map, (most_of_pair,), rows=MILLION // 4),
    Workload(
        "map_back_pickled_250k",
        "pickled",
        by_pickled_map_back,
        (exchanged_pair,),
        rows=MILLION // 4,
    ),
)
