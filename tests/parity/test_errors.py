"""A function that raises: the same class, condition and text, and the interpreter lives on."""

import sys

import pytest
from parity.case import Case
from parity.kinds import ARROW, EVERY, MAP_IN_ARROW, MAP_IN_PANDAS, PANDAS, ROW, Kind, same
from pyspark.sql import functions as F

from parity import kinds, witness

PYSPARK = "spark.sql.execution.pyspark.udf"
THREE_RECORDS = {"spark.sql.execution.arrow.maxRecordsPerBatch": "3"}
TRACEBACKS = {
    "simplified": {f"{PYSPARK}.simplifiedTraceback.enabled": "true"},
    "whole": {f"{PYSPARK}.simplifiedTraceback.enabled": "false"},
    "hidden": {f"{PYSPARK}.hideTraceback.enabled": "true"},
    "with_locals": {f"{PYSPARK}.tracebackWithLocals.enabled": "true"},
}


class OwnError(Exception):
    """A class of the application; it comes to the worker by value."""

    def __init__(self, code):
        super().__init__(f"own error {code}")
        self.code = code


def value_error(unit):
    raise ValueError("caf\u00e9: bad value")


def own_class(unit):
    raise OwnError(42)


def chained(unit):
    try:
        {}["missing"]
    except KeyError as cause:
        raise RuntimeError("outer") from cause


def during_handling(unit):
    try:
        {}["missing"]
    except KeyError:
        raise RuntimeError("while handling")  # noqa: B904 (the implicit context is the case)


def deep_in_a_library(unit):
    import json

    return json.loads("{not json")


def stop_iteration(unit):
    raise StopIteration


def system_exit(unit):
    raise SystemExit


def exit_zero(unit):
    sys.exit(0)


def exit_three(unit):
    sys.exit(3)


def keyboard_interrupt(unit):
    raise KeyboardInterrupt


def memory_error(unit):
    raise MemoryError("no room")


def recursion_error(unit):
    def down(n):
        return down(n + 1)

    return down(0)


def base_exception(unit):
    raise BaseException("not even an Exception")  # noqa: TRY002


def exception_group(unit):
    raise ExceptionGroup("several", [ValueError("one"), TypeError("two")])


def multi_line_message(unit):
    raise ValueError("first\nsecond\n\nTraceback (most recent call last):\n  not one")


def message_that_raises(unit):
    class Unprintable(Exception):  # noqa: N818
        def __str__(self):
            raise RuntimeError("no text")

    raise Unprintable


BODIES = [
    value_error,
    own_class,
    chained,
    during_handling,
    deep_in_a_library,
    stop_iteration,
    system_exit,
    exit_zero,
    exit_three,
    keyboard_interrupt,
    memory_error,
    recursion_error,
    base_exception,
    exception_group,
    multi_line_message,
    message_that_raises,
]


def numbers(spark, rows=10):
    return spark.range(0, rows, 1, 1).withColumn("v", F.col("id"))


def raising(kind: Kind, body, name="", conf=None):
    def build(spark):
        sign = witness.signer()

        def unit(value):
            sign()
            return body(value)

        return kind.through(numbers(spark), unit, "bigint")

    return Case(
        f"{body.__name__}{name}-{kind.name}",
        build,
        frozenset({kind.node}),
        conf=conf or {},
        fails=True,
    )


def second_batch(kind: Kind):
    def build(spark):
        sign = witness.signer()
        calls = []

        def unit(value):
            sign()
            calls.append(1)
            if len(calls) == 2:
                raise ValueError("the second one")
            return value

        return kind.through(numbers(spark), unit, "bigint")

    return Case(
        f"second_unit-{kind.name}", build, frozenset({kind.node}), conf=THREE_RECORDS, fails=True
    )


def in_a_chain(kind: Kind):
    def build(spark):
        inner = kind.make(value_error, "bigint")
        outer = kind.make(same, "bigint")
        return numbers(spark).select(outer(inner("v")))

    return Case(f"inner_of_a_chain-{kind.name}", build, frozenset({kind.node}), fails=True)


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


def wrong_answers():
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


def upstream(kind: Kind, name, column, conf=None):
    def build(spark):
        frame = spark.range(0, 10, 1, 1).select("id", F.expr(column).alias("v"))
        return kind.through(frame, same, "bigint")

    conf = {"spark.sql.ansi.enabled": "true", **THREE_RECORDS, **(conf or {})}
    return Case(f"{name}_below-{kind.name}", build, frozenset({kind.node}), conf=conf, fails=True)


def upstream_function(kind: Kind):
    """The inner function of another kind fails; the outer one must not be blamed."""

    def build(spark):
        inner = F.udf(value_error, "bigint", useArrow=False)
        frame = spark.range(0, 10, 1, 1).select("id", inner("id").alias("v"))
        return kind.through(frame, same, "bigint")

    return Case(
        f"pickled_function_below-{kind.name}",
        build,
        frozenset({kind.node}),
        fails=True,
        beside=frozenset({"BatchEvalPython"}),
    )


CASES = [
    *(raising(kind, body) for body in BODIES for kind in EVERY),
    *(
        raising(kind, body, f"-{name}", conf)
        for name, conf in TRACEBACKS.items()
        for body in (value_error, chained)
        for kind in EVERY
    ),
    *(second_batch(kind) for kind in EVERY),
    *(in_a_chain(kind) for kind in (ROW, PANDAS, ARROW)),
    *wrong_answers(),
    *(not_an_iterator(kind) for kind in (MAP_IN_PANDAS, MAP_IN_ARROW)),
    *(unread_input(kind) for kind in (kinds.PANDAS_ITERATOR, kinds.ARROW_ITERATOR)),
    *(upstream(kind, "division_by_zero", "10 div (id - 7)") for kind in EVERY),
    *(
        upstream(kind, "raise_error", "if(id = 7, cast(raise_error('below') as bigint), id)")
        for kind in EVERY
    ),
    *(upstream_function(kind) for kind in (ROW, ARROW, MAP_IN_ARROW)),
]
GOOD = {
    kind.name: Case(
        f"good-{kind.name}",
        lambda spark, kind=kind: kind.through(numbers(spark), same, "bigint"),
        frozenset({kind.node}),
    )
    for kind in EVERY
}


def kind_of(case: Case) -> str:
    return case.name.rsplit("-", 1)[1]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_error_is_the_same_and_a_good_function_runs_after_it(case, parity_legs):
    parity_legs.check(case)
    parity_legs.check_embedded(GOOD[kind_of(case)])
