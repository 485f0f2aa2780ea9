import pytest

from never_slower import all_that_ran
from suite.driver import Driver, OrderFailedError
from suite.evidence import Node
from suite.result import Result, Series
from suite.slots import MOST_NOISE, Row, contenders, judge, lanes_of, noise_of, table
from suite.workloads import WORKLOADS

SPIN = WORKLOADS["spin_row"]
EMBEDDED = Node("EmberArrowEvalPython", embedded=1)
IN_WORKERS = Node("EmberArrowEvalPython", embedded=1, in_workers=2)
VANILLA = Node("ArrowEvalPython")


def series(walls, node, checksum="7"):
    return Series(10, checksum, walls=walls, cpus=walls, jvm_cpus=walls, nodes=[node] * len(walls))


def row(ours, theirs, node=EMBEDDED, **others):
    legs = {"ember": series(ours, node), "unix": series(theirs, VANILLA, **others)}
    return Row(2, Result(SPIN, legs), lanes_of(legs["ember"]))


def held(one):
    return [verdict.held for verdict in judge([one])]


def test_a_row_that_is_faster_by_both_clocks_holds():
    assert held(row([1.0] * 5, [1.1] * 5)) == [True, True]


def test_a_row_that_is_slower_than_its_noise_allows_is_broken_and_says_so():
    (cpu, wall) = judge([row([1.0] * 5, [0.99] * 5)])
    assert not cpu.held
    assert not wall.held
    assert str(wall).startswith("BROKEN spin_row at 2: wall 0.99 (0.99 to 0.99), at least 1 - 0.00")


def test_a_ratio_may_be_below_one_by_the_noise_of_its_rounds_and_not_by_more():
    walls = [0.9, 1.0, 1.0, 1.0, 1.1]
    assert held(row(walls, [0.99] * 5)) == [True, True]
    wild = [0.2, 0.5, 1.0, 3.0, 9.0]
    (verdict, _) = judge([row(wild, [0.8] * 5)])
    assert verdict.noise == MOST_NOISE
    assert not verdict.held


def test_rows_that_prove_nothing_hold_nothing():
    assert held(row([1.0] * 3, [2.0] * 3, node=VANILLA)) == [False, False]
    assert held(row([1.0] * 3, [2.0] * 3, checksum="8")) == [False, False]
    fallen = Node("EmberArrowEvalPython", embedded=1, fallen_back=1)
    assert row([1.0] * 3, [2.0] * 3, node=fallen).unsound == "ember ran on another way"


def test_sessions_in_workers_are_embers_too():
    one = row([1.0] * 3, [2.0] * 3, node=IN_WORKERS)
    assert held(one) == [True, True]
    assert one.lanes == {"executor": 3, "workers": 6}
    assert (
        "| 2 | spin_row | 3 | 3 / 6 | unix | 1.000 | 2.000 | 2.00 (2.00 to 2.00)" in table([one])[2]
    )


def test_settings_far_behind_the_best_run_no_further():
    walls = {"ember": 9.0, "spark": 1.3, "pipelined": 1.0, "unix": 1.2}
    assert contenders(walls) == ["ember", "pipelined", "unix"]


def test_the_noise_of_a_run_is_told():
    assert noise_of([row([1.0] * 3, [2.0] * 3)]).startswith(
        "half an interval is 0.000 of its ratio"
    )
    assert noise_of([]) == "nothing was measured"


def test_what_was_measured_is_kept_when_a_run_is_cut_short():
    def rows():
        yield row([1.0] * 3, [2.0] * 3)
        raise OrderFailedError("ember", "run", "of a fault", "log")

    measured, cut_short = all_that_ran(rows())
    assert len(measured) == 1
    assert cut_short == ["CUT SHORT: OrderFailedError 'ember' failed at 'run': of a fault"]


def test_a_child_whose_order_failed_waits_for_the_next_one(tmp_path):
    with Driver("bare", "suite.bare", tmp_path, tables={}, scale=1.0, slots=1) as driver:
        for _ in range(2):
            with pytest.raises(
                OrderFailedError, match="'bare' failed at 'dance': KeyError: 'dance'"
            ):
                driver.ask("dance")
        assert driver.ask("prepare", workload="add_one_arrow_1m") == {}
