import json

import pytest

from suite.evidence import Node
from suite.measure import Effort, behind, runs_for
from suite.report import document, report, save, slower, sound, verdict
from suite.result import Limit, Result, Series
from suite.workloads import WORKLOADS

FACTS = {
    "date": "today",
    "commit": "abc",
    "machine": "one",
    "command": "benches/run.py",
    "slots": 1,
    "scale": 1.0,
    "warmups": 1,
    "memory_runs": 1,
}
EMBEDDED = Node("EmberMapInPandas", embedded=1)
VANILLA = Node("MapInPandas")


def result(ember: Series, spark: Series, workload: str = "extract_fields", **others: Series):
    limit = Limit([0.5, 0.5, 0.5], [1, 1, 2])
    return Result(WORKLOADS[workload], {"ember": ember, "spark": spark, **others}, limit)


def series(seconds: float, node: Node = VANILLA, checksum: str = "7") -> Series:
    three = [seconds, 2 * seconds, 3 * seconds]
    return Series(10, checksum, three, three, three, [0, 0, seconds], [node], [2**20, 3 * 2**20])


def test_the_ratio_is_to_the_best_spark_leg():
    one = result(series(1, EMBEDDED), series(4), pipelined=series(3))
    assert one.best == "pipelined"
    assert one.ratio(lambda leg: leg.cpus).medians == 3
    assert sound([one])
    assert verdict([one])[0].startswith("- Ember used less CPU")


def test_the_pickled_leg_is_never_sparks_best_setting():
    one = result(series(1, EMBEDDED), series(4), "add_one_row_1m", pickled=series(3))
    assert one.best == "spark"
    assert one.ratio(lambda leg: leg.cpus).medians == 4
    assert one.ratio(lambda leg: leg.cpus, "pickled").medians == 3


def test_the_interval_of_a_ratio_comes_from_rounds_that_all_legs_shared():
    steady = result(series(1, EMBEDDED), series(2)).ratio(lambda leg: leg.cpus)
    assert (steady.low, steady.high) == (2, 2)  # each round was slower than the last, for both
    noisy = series(2)
    noisy.cpus = [2, 9, 2]
    uneven = result(series(1, EMBEDDED), noisy).ratio(lambda leg: leg.cpus)
    assert uneven.low < uneven.medians < uneven.high


def test_where_ember_is_not_faster_is_said_plainly():
    one = result(series(4, EMBEDDED), series(1))
    assert sound([one])
    assert slower(one)
    assert verdict([one])[0].startswith("- NOT FASTER: extract_fields: CPU ratio 0.25")


def test_a_workload_that_is_only_slower_by_the_clock_on_the_wall_counts_as_slower():
    one = result(series(1, EMBEDDED), series(2))
    assert not slower(one)
    one.series["ember"].walls = [9, 9, 9]
    assert slower(one)


def test_different_answers_are_not_sound():
    one = result(series(1, EMBEDDED), series(2, checksum="8"))
    assert not one.identical
    assert not sound([one])
    assert verdict([one])[0].startswith("- DIFFERENT ANSWERS: extract_fields")


def test_an_ember_leg_that_fell_back_is_vacuous_and_says_why():
    fallen = Node("EmberMapInPandas", embedded=0, fallen_back=1, reasons=["LaneBusy"])
    one = result(series(1, fallen), series(2))
    assert one.vacuous == "ember: a run was not embedded (LaneBusy)"
    assert not sound([one])


def test_an_ember_leg_may_try_a_worker_process_but_must_mostly_run_in_the_executor():
    one = result(series(1, EMBEDDED), series(2))
    tried = Node("EmberMapInPandas", in_workers=1)
    one.series["ember"].nodes = [EMBEDDED, tried, EMBEDDED]
    assert sound([one])
    one.series["ember"].nodes = [EMBEDDED, tried]
    assert one.vacuous == "ember: most runs were in worker processes"


def test_an_ember_leg_on_sparks_own_node_is_vacuous():
    assert result(series(1, VANILLA), series(2)).vacuous


def test_a_spark_leg_with_an_ember_node_is_vacuous():
    assert (
        result(series(1, EMBEDDED), series(2, EMBEDDED)).vacuous == "spark: an Ember node was there"
    )


def test_a_pickled_leg_that_went_by_arrow_is_vacuous():
    arrow, rows = Node("ArrowEvalPython"), Node("BatchEvalPython")
    one = result(series(1, EMBEDDED), series(2), "add_one_row_1m", pickled=series(3, arrow))
    assert one.vacuous == "pickled: rows were not pickled"
    assert not result(series(1, EMBEDDED), series(2), pickled=series(3, rows)).vacuous


def test_runs_fill_the_share_of_time_but_are_never_too_few():
    effort = Effort(warmups=2, runs=7, memory_runs=1, deadline=100)
    assert runs_for(effort, 1.0, 0, 10) == 9
    assert runs_for(effort, 5.0, 0, 10) == 5
    assert runs_for(effort, 0.01, 0, 10) == 61
    assert runs_for(effort, 1.0, 101, 110) == 3


def test_settings_far_behind_sparks_best_are_left_out_and_said_to_be():
    cpus = {"ember": 0.1, "spark": 0.65, "unix": 0.64, "pipelined": 18.9, "pickled": 5.0}
    assert behind(cpus, 1.25) == {"pipelined": 18.9}
    assert behind({"ember": 1.0}, 1.25) == {}
    one = result(series(1, EMBEDDED), series(2))
    one.left_out["pipelined"] = 18.9
    one.series["pipelined"] = series(18.9)
    assert "| extract_fields |  |  | left out at 18.900 s |" in report([one], FACTS)


def test_the_limit_is_scan_and_function_each_by_its_median():
    assert result(series(1, EMBEDDED), series(2)).limit.seconds == 1.5
    assert result(series(1, EMBEDDED), series(2)).over_limit == pytest.approx(2 / 1.5)


def test_a_saved_result_holds_the_table_and_every_run(tmp_path):
    results = [result(series(1, EMBEDDED), series(2))]
    folder = save(results, FACTS, tmp_path, "try")
    assert (folder / "table.md").read_text() == report(results, FACTS)
    kept = json.loads((folder / "result.json").read_text())
    assert kept == json.loads(json.dumps(document(results, FACTS)))
    assert kept["results"][0]["legs"]["ember"]["cpus"] == [1, 2, 3]
    assert kept["results"][0]["limit"]["bares"] == [1, 1, 2]
    assert kept["results"][0]["peaks"]["spark"] == 3 * 2**20
    assert "2.00 (2.00 to 2.00)" in report(results, FACTS)


def test_fixed_costs_are_told_for_one_task_without_the_scan():
    one = result(series(1, EMBEDDED), series(2), "tasks_of_one_row_arrow")
    assert "| tasks_of_one_row_arrow | 7,500 | 17,500 | task |" in report([one], FACTS)
