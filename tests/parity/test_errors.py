"""A function that raises: the same class, condition and text, and the interpreter lives on."""

import sys

import pytest
from parity.afterwards import check_and_go_on
from parity.case import Case
from parity.kinds import ARROW, EVERY, MAP_IN_ARROW, PANDAS, ROW, Kind, same
from pyspark.sql import functions as F

from parity import witness

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
        frozenset({kind.node, "BatchEvalPython"}),
        fails=True,
    )


def one_other(index: int) -> Kind:
    """A kind beside the row functions: each comes up in turn."""
    return EVERY[1 + index % (len(EVERY) - 1)]


def matrix():
    """Every body in every kind; the fast tier has rows and one other kind of each."""
    for index, body in enumerate(BODIES):
        for kind in EVERY:
            fast = body is value_error or kind in (ROW, one_other(index))
            yield raising(kind, body), fast
    for index, (name, conf) in enumerate(TRACEBACKS.items()):
        for body in (value_error, chained):
            for kind in EVERY:
                fast = kind is (ROW if body is chained else one_other(index))
                yield raising(kind, body, f"-{name}", conf), fast
    for index, kind in enumerate(EVERY):
        below = "if(id = 7, cast(raise_error('below') as bigint), id)"
        yield upstream(kind, "division_by_zero", "10 div (id - 7)"), True
        yield upstream(kind, "raise_error", below), index % 3 == 0


CASES = [
    *(pytest.param(case, marks=() if fast else pytest.mark.slow) for case, fast in matrix()),
    *(second_batch(kind) for kind in EVERY),
    *(in_a_chain(kind) for kind in (ROW, PANDAS, ARROW)),
    *(upstream_function(kind) for kind in (ROW, ARROW, MAP_IN_ARROW)),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_error_is_the_same_and_a_good_function_runs_after_it(case, parity_legs):
    check_and_go_on(parity_legs, case)
