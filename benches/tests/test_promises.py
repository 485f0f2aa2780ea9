import json

import pytest

from run import check
from suite.promises import FILE, BadPromiseError, judge, load, promised
from suite.workloads import GROUPS, WORKLOADS

ARROW = "add_one_arrow_5m"


def entry(workload: str = ARROW, ratio: float = 3.0, **others) -> dict:
    return {
        "workload": workload,
        "identical": True,
        "vacuous": "",
        "cpu_ratios": {"best": of(ratio), "pickled": of(2 * ratio)},
        "limit": {"scans": [0.1], "bares": [0.01]},
        "legs": {"ember": {"rows": 10**6, "cpus": [0.13]}, "spark": {"cpus": [0.31]}},
        "peaks": {"ember": 90, "spark": 100},
    } | others


def of(ratio: float) -> dict:
    return {"medians": ratio, "low": ratio - 0.1, "high": ratio + 0.1}


@pytest.fixture
def promises(tmp_path):
    def loaded(text: str):
        file = tmp_path / "promises.toml"
        file.write_text(text)
        return load(file)

    return loaded


def judged(promises, text: str, *results: dict) -> list[bool]:
    return [verdict.held for verdict in judge({"results": list(results)}, promises(text))]


RATIO = f'[[promise]]\nmeasure = "cpu ratio"\nworkloads = ["{ARROW}"]\nbound = 2.8\n'
FLOOR = f'[promise.floor.{ARROW}]\nbound = 1.5\nwhy = "the scan alone takes half of it"\n'


def test_a_promise_that_is_reached_holds(promises):
    assert judged(promises, RATIO, entry(ratio=2.8)) == [True]


def test_a_promise_that_is_missed_is_broken_and_says_by_how_much(promises):
    (verdict,) = judge({"results": [entry(ratio=2.79)]}, promises(RATIO))
    assert not verdict.held
    assert str(verdict) == f"BROKEN {ARROW}: cpu ratio 2.79, at least 2.8"


def test_a_workload_that_was_not_measured_breaks_its_promise(promises):
    (verdict,) = judge({"results": [entry("add_one_row_1m")]}, promises(RATIO))
    assert not verdict.held
    assert "not measured" in str(verdict)


def test_a_floor_stands_for_its_workload_and_tells_what_was_promised(promises):
    (verdict,) = judge({"results": [entry(ratio=1.6)]}, promises(RATIO + FLOOR))
    assert verdict.held
    assert "at least 1.5 (a floor; promised was 2.8: the scan alone" in str(verdict)
    assert judged(promises, RATIO + FLOOR, entry(ratio=1.3)) == [False]


def test_a_floor_is_reached_if_the_interval_of_the_run_reaches_it(promises):
    assert judged(promises, RATIO + FLOOR, entry(ratio=1.41)) == [True]
    assert judged(promises, RATIO, entry(ratio=2.71)) == [False]


def test_a_floor_without_a_reason_is_refused(promises):
    with pytest.raises(BadPromiseError, match="without a reason"):
        promises(RATIO + f'[promise.floor.{ARROW}]\nbound = 1.5\nwhy = " "\n')


def test_a_promise_about_a_workload_that_does_not_exist_is_refused(promises):
    with pytest.raises(BadPromiseError, match="add_two"):
        promises(RATIO.replace("add_one", "add_two"))


def test_a_promise_of_an_unknown_measure_is_refused(promises):
    with pytest.raises(BadPromiseError, match="luck"):
        promises(RATIO.replace("cpu ratio", "luck"))


def test_a_ratio_may_be_against_one_leg_alone(promises):
    text = RATIO + 'against = "pickled"\n'
    assert judged(promises, text.replace("2.8", "6.0"), entry()) == [True]
    assert judged(promises, text, entry(cpu_ratios={"best": {"medians": 9}})) == [False]


@pytest.mark.parametrize(("seconds", "held"), [(0.162, True), (0.163, False)])
def test_the_limit_has_the_scan_that_was_there_when_it_was_promised(promises, seconds, held):
    text = RATIO.replace("cpu ratio", "over limit").replace("2.8", "1.35")
    ours = {"ember": {"rows": 10**6, "cpus": [seconds]}}
    assert judged(promises, text, entry(legs=ours)) == [held]
    assert judged(promises, text, entry(legs=ours, limit=None)) == [False]


@pytest.mark.parametrize(("seconds", "held"), [(0.131, True), (0.133, False)])
def test_what_a_row_costs_beside_the_limit_has_a_bound(promises, seconds, held):
    text = RATIO.replace("cpu ratio", "ns over limit").replace("2.8", "22")
    ours = {"ember": {"rows": 10**6, "cpus": [seconds]}}
    assert judged(promises, text, entry(legs=ours)) == [held]
    assert judged(promises, text, entry(legs={})) == [False]


@pytest.mark.parametrize(("seconds", "held"), [(0.14, True), (0.15, False)])
def test_a_fixed_cost_is_a_part_of_that_of_sparks_best_setting(promises, seconds, held):
    text = RATIO.replace("cpu ratio", "fixed cost").replace("2.8", "0.34")
    legs = {"ember": {"cpus": [seconds]}, "spark": {"cpus": [0.3]}, "unix": {"cpus": [0.21]}}
    assert judged(promises, text, entry(legs=legs)) == [held]
    assert judged(promises, text, entry(legs=legs, limit=None)) == [False]
    assert judged(promises, text, entry(legs={"ember": {"cpus": [seconds]}})) == [False]


@pytest.mark.parametrize(("ember", "held"), [(100, True), (101, False), (None, False)])
def test_memory_is_at_or_under_sparks(promises, ember, held):
    text = RATIO.replace("cpu ratio", "memory").replace("2.8", "1.0")
    assert judged(promises, text, entry(peaks={"ember": ember, "spark": 100})) == [held]


def test_the_mean_is_geometric_and_needs_every_workload(promises):
    text = RATIO.replace("cpu ratio", "mean cpu ratio").replace("2.8", "2.0")
    text = text.replace(f'["{ARROW}"]', '["parse_date", "parse_json"]')
    pair = entry("parse_date", 1.0), entry("parse_json", 4.0)
    assert judged(promises, text, *pair) == [True]
    assert judged(promises, text, pair[1]) == [False]
    assert judged(promises, text, pair[0], entry("parse_json", 3.9)) == [False]


def test_different_answers_and_rows_that_prove_nothing_break_every_promise(promises):
    assert judged(promises, RATIO, entry(identical=False)) == [False]
    assert judged(promises, RATIO, entry(vacuous="ember: a run was not embedded")) == [False]


def test_a_kept_run_with_a_broken_promise_gives_exit_code_1_and_names_it(capsys):
    cheap = {"ember": {"rows": 10**6, "cpus": [0.11]}, "spark": {"cpus": [0.31]}}
    held = [entry(name, 9.0, legs=cheap) for name in WORKLOADS]
    assert check({"results": held}) == 0
    assert check({"results": held[1:]}) == 1
    assert f"BROKEN {held[0]['workload']}" in capsys.readouterr().out


def test_every_promise_of_the_file_names_what_is_measured():
    assert len(load()) == FILE.read_text().count("[[promise]]")
    lanes = GROUPS["lanes"]
    assert promised(load()) == [name for name in WORKLOADS if name not in lanes]


def test_a_verdict_survives_the_way_through_json(promises):
    run = json.loads(json.dumps({"results": [entry()]}))
    assert judge(run, promises(RATIO))[0].held
