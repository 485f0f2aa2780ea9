"""Functions over groups that do next to nothing: what a group costs by itself."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, GroupedData, Window, WindowSpec
from pyspark.sql.functions import expr
from pyspark.sql.pandas.functions import arrow_udf, pandas_udf

from suite.workload import Workload

LEGS = ("ember", "spark", "unix")

Apply = Callable[[GroupedData], DataFrame]


def add_in_pandas(group: pd.DataFrame) -> pd.DataFrame:
    """Add one to a column of a group."""
    return group.assign(y=group["id"] + 1)


def add_in_arrow(group: pa.Table) -> pa.Table:
    """Add one to a column of a group."""
    return group.append_column("y", pc.add(group["id"], 1))


def mean_pandas(x: pd.Series) -> float:
    """Give the mean of a column of a group."""
    return float(x.mean())


def mean_arrow(x: pa.Array) -> float:
    """Give the mean of a column of a group."""
    return float(pc.mean(x).as_py())


def add_both_in_pandas(left: pd.DataFrame, right: pd.DataFrame) -> pd.DataFrame:
    """Add a column of a group to that of another one."""
    return left.assign(y=left["id"] + right["id"])


def add_both_in_arrow(left: pa.Table, right: pa.Table) -> pa.Table:
    """Add a column of a group to that of another one."""
    return left.append_column("y", pc.add(left["id"], right["id"]))


def add_itself_in_pandas(group: pd.DataFrame) -> pd.DataFrame:
    """Do the same with one group."""
    return add_both_in_pandas(group, group)


def add_itself_in_arrow(group: pa.Table) -> pa.Table:
    """Do the same with one group."""
    return add_both_in_arrow(group, group)


def sliding_means(x: pd.Series) -> list[float]:
    """Give the means of the frames of all rows."""
    return [mean_pandas(x.iloc[max(0, at - 2) : at + 3]) for at in range(len(x))]


def by_apply_in_pandas(groups: GroupedData) -> DataFrame:
    """Run applyInPandas."""
    return groups.applyInPandas(add_in_pandas, "k bigint, id bigint, y bigint")


def by_apply_in_arrow(groups: GroupedData) -> DataFrame:
    """Run applyInArrow."""
    return groups.applyInArrow(add_in_arrow, "k bigint, id bigint, y bigint")


def by_cogroups_in_pandas(groups: GroupedData) -> DataFrame:
    """Run applyInPandas over a cogroup of the groups with themselves."""
    both = groups.cogroup(groups)
    return both.applyInPandas(add_both_in_pandas, "k bigint, id bigint, y bigint")


def by_cogroups_in_arrow(groups: GroupedData) -> DataFrame:
    """Run applyInArrow over a cogroup of the groups with themselves."""
    both = groups.cogroup(groups)
    return both.applyInArrow(add_both_in_arrow, "k bigint, id bigint, y bigint")


def by_pandas_aggregate(groups: GroupedData) -> DataFrame:
    """Run the pandas function."""
    return groups.agg(pandas_udf(mean_pandas, "double")("id").alias("y"))


def by_arrow_aggregate(groups: GroupedData) -> DataFrame:
    """Run the Arrow function."""
    return groups.agg(arrow_udf(mean_arrow, "double")("id").alias("y"))


def over_groups(
    name: str, kind: str, apply: Apply, function: Any, shape: tuple[int, int]
) -> Workload:
    """Make a workload of so many groups of so many rows, which lie one behind the other."""
    groups, rows = shape

    def grouped(frame: DataFrame) -> DataFrame:
        return apply(frame.withColumn("k", expr(f"id div {rows}")).groupBy("k"))

    return Workload(
        name,
        kind,
        grouped,
        (function,),
        rows=groups * rows,
        legs=LEGS,
        batch=rows,
        partitions=1,
        counted="group",
        times=groups,
    )


def whole() -> WindowSpec:
    """Give windows without bounds."""
    return Window.partitionBy("k")


def sliding() -> WindowSpec:
    """Give windows of five rows."""
    return Window.partitionBy("k").orderBy("id").rowsBetween(-2, 2)


def over_windows(
    name: str, window: Callable[[], WindowSpec], function: Any, shape: tuple[int, int]
) -> Workload:
    """Make a workload of a mean over so many windows of so many rows."""
    windows, rows = shape

    def windowed(frame: DataFrame) -> DataFrame:
        mean = pandas_udf(mean_pandas, "double")("id")
        grouped = frame.withColumn("k", expr(f"id div {rows}"))
        return grouped.withColumn("y", mean.over(window()))

    return Workload(
        name,
        "pandas",
        windowed,
        (function,),
        rows=windows * rows,
        legs=LEGS,
        batch=rows,
        partitions=1,
        counted="window",
        times=windows,
    )


MANY, SOME, FEW = (20_000, 10), (5_000, 10), (1_000, 10)
LARGE = (1_000, 1_000)

OVER_GROUPS = (
    over_groups("groups_of_10_pandas", "applyInPandas", by_apply_in_pandas, add_in_pandas, SOME),
    over_groups("groups_of_1000_pandas", "applyInPandas", by_apply_in_pandas, add_in_pandas, LARGE),
    over_groups("groups_of_10_arrow", "applyInArrow", by_apply_in_arrow, add_in_arrow, MANY),
    over_groups("groups_of_1000_arrow", "applyInArrow", by_apply_in_arrow, add_in_arrow, LARGE),
    over_groups("aggregate_pandas", "pandas", by_pandas_aggregate, mean_pandas, MANY),
    over_groups("aggregate_arrow", "arrow", by_arrow_aggregate, mean_arrow, MANY),
    over_windows("window_pandas", whole, mean_pandas, (10_000, 10)),
    over_windows("window_sliding_pandas", sliding, sliding_means, FEW),
    over_groups(
        "cogroups_of_10_pandas", "applyInPandas", by_cogroups_in_pandas, add_itself_in_pandas, FEW
    ),
    over_groups(
        "cogroups_of_10_arrow", "applyInArrow", by_cogroups_in_arrow, add_itself_in_arrow, MANY
    ),
)
