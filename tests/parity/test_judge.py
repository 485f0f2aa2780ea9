"""The judge itself: what counts as proof, and that equal answers alone do not."""

from dataclasses import replace

from parity.case import Case, Leg, judge
from parity.outcome import exact, stable

CASE = Case("c", lambda spark: spark.range(1), frozenset({"MapInArrow"}))
EMBEDDED = Leg("same", failed=False, embedded_nodes=("EmberMapInArrow",), embedded_sessions=2)
VANILLA = Leg("same", failed=False, vanilla_nodes=("MapInArrow",))


def test_equal_rows_from_two_paths_pass():
    assert judge(EMBEDDED, VANILLA, CASE) == "pass"


def test_equal_rows_from_the_same_path_are_vacuous():
    assert judge(VANILLA, VANILLA, CASE).startswith("vacuous: the first leg did not run embedded")
    assert judge(EMBEDDED, EMBEDDED, CASE).startswith("vacuous: the second leg")


def test_a_node_left_on_spark_is_vacuous():
    mixed = replace(EMBEDDED, vanilla_nodes=("BatchEvalPython",))
    assert judge(mixed, VANILLA, CASE).startswith("vacuous")


def test_an_embedded_node_whose_sessions_fell_back_is_vacuous():
    assert judge(replace(EMBEDDED, spark_sessions=1), VANILLA, CASE).startswith("vacuous")
    assert judge(replace(EMBEDDED, embedded_sessions=0), VANILLA, CASE).startswith("vacuous")


def test_another_node_than_the_expected_one_is_vacuous():
    other = replace(EMBEDDED, embedded_nodes=("EmberMapInPandas",))
    assert judge(other, VANILLA, CASE).startswith("vacuous")


def test_a_function_that_signed_in_the_wrong_process_is_vacuous():
    assert judge(replace(EMBEDDED, signed_elsewhere=1), VANILLA, CASE).startswith("vacuous")
    assert judge(EMBEDDED, replace(VANILLA, signed_in_jvm=1), CASE).startswith("vacuous")


def test_different_answers_fail():
    assert judge(replace(EMBEDDED, outcome="other"), VANILLA, CASE).startswith("fail")


def test_an_unexpected_error_on_both_legs_fails():
    legs = replace(EMBEDDED, failed=True), replace(VANILLA, failed=True)
    assert judge(*legs, CASE).startswith("fail: expected rows")
    assert judge(*legs, replace(CASE, fails=True)) == "pass"


def test_values_compare_by_type_and_bits():
    assert exact(float("nan")) == exact(float("nan"))
    assert exact(0.0) != exact(-0.0)
    assert exact(1) != exact(1.0)
    assert exact(True) != exact(1)  # noqa: FBT003
    assert exact({"a": 1, "b": 2}) != exact({"b": 2, "a": 1})


def test_only_ids_and_addresses_are_taken_out_of_a_text():
    assert stable("<x object at 0x7f01>, task 3.0 in stage 12.0 (TID 9)") == (
        "<x object at 0xN>, task N in stage N (TID N)"
    )
    assert stable("line 12, in f: 3.5 of 7") == "line 12, in f: 3.5 of 7"
