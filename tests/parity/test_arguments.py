"""How functions are given their arguments, and how several functions share one plan."""

import itertools

import pytest
from parity.case import Case
from parity.kinds import ARROW, PANDAS, ROW, SCALAR, same
from pyspark.sql import functions as F

from parity import kinds

EVAL = frozenset({"ArrowEvalPython"})
SCALAR_WHOLE = (ROW, PANDAS, ARROW)  # an iterator function cannot be fused, nor take no argument


def plus(kind, several):
    """A function that adds its arguments, for ``several`` of them, in one kind's own types."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyspark.sql.pandas.functions import arrow_udf, pandas_udf

    if kind is ROW:
        return F.udf(lambda a, b=0, c=0: (a or 0) + 10 * (b or 0) + 100 * (c or 0), "bigint")
    if kind is PANDAS:

        def of_series(a: pd.Series, b: pd.Series) -> pd.Series:
            return a + 10 * b

        def of_three_series(a: pd.Series, b: pd.Series, c: pd.Series) -> pd.Series:
            return a + 10 * b + 100 * c

        return pandas_udf(of_series if several == 2 else of_three_series, "bigint")

    def of_arrays(a: pa.Array, b: pa.Array) -> pa.Array:
        return pc.add(a, pc.multiply(b, 10))

    def of_three_arrays(a: pa.Array, b: pa.Array, c: pa.Array) -> pa.Array:
        return pc.add(of_arrays(a, b), pc.multiply(c, 100))

    return arrow_udf(of_arrays if several == 2 else of_three_arrays, "bigint")


def add_one(kind):
    import pyarrow.compute as pc

    body = (lambda a: pc.add(a, 1)) if kind in (ARROW, kinds.ARROW_ITERATOR) else (lambda a: a + 1)
    return kind.make(body, "bigint")


def numbers(spark, rows=20, partitions=3):
    return spark.range(0, rows, 1, partitions)


def case(name, build, **more):
    return Case(name, build, EVAL, **more)


def per_kind(name, several, choose):
    """One case a kind: ``choose`` makes the projected columns from the kind's function."""

    def made(kind):
        def build(spark):
            return numbers(spark).select("id", *choose(plus(kind, several)))

        return case(f"{name}-{kind.name}", build)

    return [made(kind) for kind in SCALAR_WHOLE]


def chained(kind, depth):
    def build(spark):
        column = F.col("id")
        for _ in range(depth):
            column = add_one(kind)(column)
        return numbers(spark).select("id", column.alias("v"))

    return case(f"chain_of_{depth}-{kind.name}", build)


def chained_kinds(inner, outer):
    def build(spark):
        return numbers(spark).select("id", add_one(outer)(add_one(inner)("id") * 2).alias("v"))

    return case(f"{outer.name}_of_{inner.name}", build)


def side_by_side(spark):
    return numbers(spark).select("id", *(add_one(kind)("id").alias(kind.name) for kind in SCALAR))


def many_in_one_projection(spark):
    columns = [F.udf(lambda a, k=k: a + k, "bigint")("id").alias(f"c{k}") for k in range(12)]
    return numbers(spark).select(*columns)


def no_argument(spark):
    return numbers(spark).select("id", F.udf(lambda: 7, "int")().alias("v"))


def literals_only(spark):
    return numbers(spark).select(
        "id", F.udf(lambda a, b: f"{a}{b}", "string")(F.lit(1), F.lit("x"))
    )


def no_column_is_needed(spark):
    return numbers(spark).select(F.udf(lambda: "x", "string")().alias("v"))


def a_batch_without_columns(kind):
    import pandas as pd
    import pyarrow as pa

    def build(spark):
        if kind is kinds.MAP_IN_PANDAS:

            def lengths(frames):
                for frame in frames:
                    yield pd.DataFrame({"n": [len(frame)], "columns": [len(frame.columns)]})

            return numbers(spark).select().mapInPandas(lengths, "n bigint, columns bigint")

        def sizes(batches):
            for batch in batches:
                yield pa.RecordBatch.from_pydict(
                    {"n": [batch.num_rows], "columns": [batch.num_columns]}
                )

        return numbers(spark).select().mapInArrow(sizes, "n bigint, columns bigint")

    # Spark's own worker has no frame to make of no columns.
    fails = kind is kinds.MAP_IN_PANDAS
    return Case(f"no_columns-{kind.name}", build, frozenset({kind.node}), fails=fails)


def mapped_twice(outer, inner):
    def build(spark):
        return outer.through(inner.through(numbers(spark), same, None), same, None)

    return Case(f"{outer.name}_over_{inner.name}", build, frozenset({outer.node, inner.node}))


def function_over_map(spark):
    mapped = kinds.MAP_IN_ARROW.through(numbers(spark), same, None)
    return mapped.select(add_one(PANDAS)("id").alias("v"))


def nullable_struct_argument(spark):
    pair = F.when(F.col("id") % 3 == 0, None).otherwise(F.struct("id", F.lit("s").alias("s")))
    return numbers(spark).select(F.udf(lambda p: p and (p.id, p.s), "string")(pair).alias("v"))


def returned_struct(spark):
    two = F.udf(lambda a: (a, str(a)), "struct<n:bigint,s:string>")
    return numbers(spark).select(two("id").alias("t")).select("t.*", "t")


def with_beside(spark):
    pickled = F.udf(lambda a: a + 5, "bigint", useArrow=False)
    return numbers(spark).select(pickled("id").alias("p"), add_one(ROW)("id").alias("a"))


def registered_in_sql(spark):
    spark.udf.register("parity_plus", plus(ROW, 3))
    return spark.sql("SELECT id, parity_plus(id, c => 2) AS v FROM range(0, 9, 1, 2)")


CASES = [
    *per_kind("two_columns", 2, lambda f: [f("id", F.col("id") * 2).alias("v")]),
    *per_kind("the_same_argument_twice", 2, lambda f: [f("id", "id").alias("v")]),
    *per_kind(
        "three_with_a_literal", 3, lambda f: [f("id", F.lit(3).cast("bigint"), "id").alias("v")]
    ),
    *per_kind("keywords", 3, lambda f: [f("id", c=F.col("id"), b=F.col("id") + 1).alias("v")]),
    *per_kind(
        "only_keywords", 2, lambda f: [f(b=F.col("id"), a=F.lit(1).cast("bigint")).alias("v")]
    ),
    *per_kind(
        "one_function_twice",
        2,
        lambda f: [f("id", "id").alias("v"), f("id", F.col("id") + 1).alias("w")],
    ),
    *(chained(kind, 3) for kind in SCALAR),
    *(chained_kinds(a, b) for a, b in itertools.permutations(SCALAR, 2)),
    case("every_kind_side_by_side", side_by_side),
    case("many_in_one_projection", many_in_one_projection),
    case("no_argument", no_argument),
    case("literals_only", literals_only),
    case("no_column_is_needed", no_column_is_needed),
    a_batch_without_columns(kinds.MAP_IN_PANDAS),
    a_batch_without_columns(kinds.MAP_IN_ARROW),
    mapped_twice(kinds.MAP_IN_PANDAS, kinds.MAP_IN_ARROW),
    mapped_twice(kinds.MAP_IN_ARROW, kinds.MAP_IN_ARROW),
    Case("pandas_over_map_in_arrow", function_over_map, EVAL | {"MapInArrow"}),
    case("nullable_struct_argument", nullable_struct_argument),
    case("returned_struct", returned_struct),
    Case("a_pickled_function_beside", with_beside, EVAL | {"BatchEvalPython"}),
    case("registered_in_sql", registered_in_sql),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_functions_get_the_same_arguments(case, parity_legs):
    parity_legs.check(case)
