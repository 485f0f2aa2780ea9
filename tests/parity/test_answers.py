"""A function whose answer is not what its type says, and one that does not read its input."""

import pytest
from parity.afterwards import check_and_go_on
from parity.case import Case
from parity.kinds import ARROW, EVERY, MAP_IN_ARROW, MAP_IN_PANDAS, PANDAS, ROW, Kind
from pyspark.sql import functions as F

from parity import kinds, witness

THREE_RECORDS = {"spark.sql.execution.arrow.maxRecordsPerBatch": "3"}


def numbers(spark, rows=10):
    return spark.range(0, rows, 1, 1).withColumn("v", F.col("id"))


def answering(name, kind: Kind, answer, ddl="bigint", *, conf=None, fails=True):  # noqa: PLR0913 (a table of them reads better)
    """A function whose answer is not what its type says."""

    def build(spark):
        sign = witness.signer()

        def unit(value):
            sign()
            return answer(value)

        if kind.map is not None:
            columns = f"id bigint, v {ddl}" if " " not in ddl else ddl
            return kind.map(numbers(spark), unit, columns)
        return kind.through(numbers(spark), unit, ddl)

    return Case(f"{name}-{kind.name}", build, frozenset({kind.node}), conf=conf or {}, fails=fails)


def wrong_values():
    """Of any kind, or of one that gives a column."""
    import pandas as pd
    import pyarrow as pa

    short = lambda unit: unit[:-1]
    unsafe = {"spark.sql.execution.pandas.convertToArrowArraySafely": "false"}
    return [
        *(
            answering("too_short", kind, short)
            for kind in (PANDAS, kinds.PANDAS_ITERATOR, ARROW, kinds.ARROW_ITERATOR)
        ),
        answering("too_long", PANDAS, lambda s: pd.concat([s, s])),
        answering("too_long", kinds.PANDAS_ITERATOR, lambda s: pd.concat([s, s])),
        answering("too_long", ARROW, lambda a: pa.concat_arrays([a, a])),
        answering("too_long", kinds.ARROW_ITERATOR, lambda a: pa.concat_arrays([a, a])),
        *(answering("text_for_a_number", kind, lambda _: "not a number") for kind in EVERY),
        *(answering("none", kind, lambda _: None, fails=kind is not ROW) for kind in EVERY),
        *(answering("unpicklable", kind, lambda _: lambda: 1) for kind in EVERY),
        answering("text_series", PANDAS, lambda s: s.astype(str) + "x"),
        answering("text_array", ARROW, lambda a: pa.array(["x"] * len(a))),
        answering("overflow", ROW, lambda v: 2**40, "int"),
        answering("overflow", PANDAS, lambda s: s + 2**40, "int"),
        answering("overflow_unsafe", PANDAS, lambda s: s + 2**40, "int", conf=unsafe, fails=False),
        answering("overflow", ARROW, lambda a: pa.array([2**40] * len(a)), "int"),
        answering("float_for_an_int", ROW, lambda v: 1.5, "int", fails=False),
        answering("float_for_an_int", PANDAS, lambda s: s + 0.5, "int"),
        answering(
            "decimal_too_wide",
            ROW,
            lambda v: __import__("decimal").Decimal("12345.678"),
            "decimal(5,2)",
        ),
    ]


def wrong_frames():
    return [
        answering(
            "wrong_names",
            MAP_IN_PANDAS,
            lambda f: f.rename(columns={"v": "w"}),
            "id bigint, v bigint",
        ),
        answering(
            "column_order",
            MAP_IN_PANDAS,
            lambda f: f[["v", "id"]],
            "id bigint, v bigint",
            fails=False,
        ),
        answering("too_few", MAP_IN_PANDAS, lambda f: f[["id"]], "id bigint, v bigint"),
        answering(
            "too_many", MAP_IN_PANDAS, lambda f: f.assign(w=1), "id bigint, v bigint", fails=False
        ),
        answering("wrong_type", MAP_IN_PANDAS, lambda f: f.assign(v="x"), "id bigint, v bigint"),
        answering(
            "null_in_required",
            MAP_IN_PANDAS,
            lambda f: f.assign(v=None),
            "id bigint, v bigint NOT NULL",
            fails=True,
        ),
    ]


def wrong_batches():
    import pyarrow as pa

    return [
        answering(
            "wrong_names",
            MAP_IN_ARROW,
            lambda b: b.rename_columns(["id", "w"]),
            "id bigint, v bigint",
            fails=False,
        ),
        answering("too_few", MAP_IN_ARROW, lambda b: b.select([0]), "id bigint, v bigint"),
        answering(
            "too_many",
            MAP_IN_ARROW,
            lambda b: pa.RecordBatch.from_pydict({"id": b[0], "v": b[1], "w": b[1]}),
            "id bigint, v bigint",
            fails=False,
        ),
        answering(
            "wrong_type",
            MAP_IN_ARROW,
            lambda b: pa.RecordBatch.from_pydict({"id": b[0], "v": ["x"] * b.num_rows}),
            "id bigint, v bigint",
        ),
        answering(
            "wrong_width",
            MAP_IN_ARROW,
            lambda b: pa.RecordBatch.from_pydict({"id": b[0].cast("int32")}),
            "id bigint",
        ),
        answering(
            "large_list",
            MAP_IN_ARROW,
            lambda b: pa.RecordBatch.from_pydict(
                {"v": pa.array([[1]] * b.num_rows, pa.large_list(pa.int64()))}
            ),
            "v array<bigint>",
        ),
        answering(
            "dictionary",
            MAP_IN_ARROW,
            lambda b: pa.RecordBatch.from_pydict(
                {"v": pa.array(["x"] * b.num_rows).dictionary_encode()}
            ),
            "v string",
        ),
        answering(
            "table", MAP_IN_ARROW, lambda b: pa.Table.from_batches([b]), "id bigint, v bigint"
        ),
    ]


def not_an_iterator(kind: Kind):
    def build(spark):
        def number(several):
            return 5

        frame = numbers(spark)
        asked = frame.mapInPandas if kind is MAP_IN_PANDAS else frame.mapInArrow
        return asked(number, frame.schema)

    return Case(f"not_an_iterator-{kind.name}", build, frozenset({kind.node}), fails=True)


def unread_input(kind: Kind):
    """An iterator function that answers without reading all its input."""

    def build(spark):
        from collections.abc import Iterator

        import pandas as pd
        import pyarrow as pa
        from pyspark.sql.pandas.functions import arrow_udf, pandas_udf

        def first_series(several: Iterator[pd.Series]) -> Iterator[pd.Series]:
            yield next(several)

        def first_array(several: Iterator[pa.Array]) -> Iterator[pa.Array]:
            yield next(several)

        asked = (
            pandas_udf(first_series, "bigint")
            if kind is kinds.PANDAS_ITERATOR
            else arrow_udf(first_array, "bigint")
        )
        return numbers(spark).select(asked("v"))

    return Case(
        f"unread_input-{kind.name}", build, frozenset({kind.node}), conf=THREE_RECORDS, fails=True
    )


CASES = [
    *wrong_values(),
    *wrong_frames(),
    *wrong_batches(),
    *(not_an_iterator(kind) for kind in (MAP_IN_PANDAS, MAP_IN_ARROW)),
    *(unread_input(kind) for kind in (kinds.PANDAS_ITERATOR, kinds.ARROW_ITERATOR)),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_wrong_answer_is_refused_alike(case, parity_legs):
    check_and_go_on(parity_legs, case)
