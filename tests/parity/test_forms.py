"""In which form values come and go: zones of time, and the types of Arrow and pandas."""

import pytest
from parity.case import Case
from parity.kinds import ARROW, PANDAS, ROW
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import arrow_udf, pandas_udf

from parity import kinds

EVAL = frozenset({"ArrowEvalPython"})
LARGE = {"spark.sql.execution.arrow.useLargeVarTypes": "true"}


def numbers(spark, rows=6, partitions=3):
    return spark.range(0, rows, 1, partitions)


def time_zone(zone, kind):
    def build(spark):
        stamps = numbers(spark).select(
            F.expr("timestamp_seconds(id * 7000000 + 1700000000)").alias("v")
        )
        if kind is ROW:
            return stamps.select(
                F.udf(lambda t: t.isoformat(), "string")("v"), F.udf(lambda t: t, "timestamp")("v")
            )

        def of_series(series):
            return series.astype(str)

        def of_array(array):
            return array.cast("string")

        make = (
            pandas_udf(typed(of_series), "string")
            if kind is PANDAS
            else arrow_udf(typed_array(of_array), "string")
        )
        return stamps.select(make("v").alias("v"))

    return Case(
        f"{zone.replace('/', '_')}-{kind.name}",
        build,
        EVAL,
        conf={"spark.sql.session.timeZone": zone},
    )


def typed(body):
    import pandas as pd

    def of_series(series: pd.Series) -> pd.Series:
        return body(series)

    return of_series


def typed_array(body):
    import pyarrow as pa

    def of_array(array: pa.Array) -> pa.Array:
        return body(array)

    return of_array


def seen_types(kind, name, conf):
    """The Arrow or pandas types that a function is given."""

    def build(spark):
        frame = numbers(spark).select(
            "id",
            F.col("id").cast("string").alias("s"),
            F.array("id").alias("a"),
            F.expr("cast(null as int)").alias("n"),
        )
        if kind is kinds.MAP_IN_ARROW:

            def batches(several):
                import pyarrow as pa

                for one in several:
                    yield pa.RecordBatch.from_pydict({"t": [str(one.schema)]})

            return frame.mapInArrow(batches, "t string")

        def frames(several):
            import pandas as pd

            for one in several:
                yield pd.DataFrame({"t": [str(one.dtypes.to_dict()) + str(one.index)]})

        return frame.mapInPandas(frames, "t string")

    return Case(f"seen_types_{name}-{kind.name}", build, frozenset({kind.node}), conf=conf)


def sliced(name, column):
    """Results that begin within their buffers, and with nulls."""
    import pyarrow as pa

    def build(spark):
        frame = spark.range(0, 30, 1, 2).selectExpr("id", f"if(id % 4 = 0, null, {column}) v")

        def cut(several):
            for one in several:
                yield pa.concat_batches([one.slice(3), one]).slice(5, 7)
                yield one.slice(2, 0)
                yield one.slice(1)

        return frame.mapInArrow(cut, frame.schema)

    return Case(f"sliced_{name}", build, frozenset({"MapInArrow"}))


SLICED = {
    "text": "cast(id as string)",
    "flag": "id % 3 = 0",
    "decimal": "cast(id as decimal(38,3))",
    "list": "transform(sequence(0, id % 4), k -> if(k = 2, null, cast(k as string)))",
    "map": "map(id, repeat('x', cast(id % 5 as int)))",
    "struct": "named_struct('a', if(id % 3 = 0, null, id), 's', named_struct('b', id % 2 = 0))",
    "flags": "transform(sequence(0, id % 11), k -> k % 3 = 1)",
}


def text_in(form):
    """Texts in each of Arrow's forms that Spark takes."""
    import pyarrow as pa

    def build(spark):
        made = getattr(pa, form)()

        def change(several):
            for one in several:
                texts = pa.array([f"{i}" * 9 if i else None for i in range(one.num_rows)], made)
                yield pa.RecordBatch.from_arrays([texts], ["v"])

        return spark.range(0, 30, 1, 1).mapInArrow(change, "v string")

    return Case(f"text_in_{form}", build, frozenset({"MapInArrow"}))


CASES = [
    *(
        time_zone(zone, kind)
        for zone in ("UTC", "Asia/Kathmandu", "Europe/Berlin")
        for kind in (ROW, PANDAS, ARROW)
    ),
    *(
        seen_types(kind, name, conf)
        for kind in (kinds.MAP_IN_PANDAS, kinds.MAP_IN_ARROW)
        for name, conf in (("plain", {}), ("large", LARGE))
    ),
    *(sliced(name, column) for name, column in SLICED.items()),
    *(text_in(form) for form in ("large_string", "string_view")),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_values_come_and_go_in_the_same_form(case, parity_legs):
    parity_legs.check(case)
