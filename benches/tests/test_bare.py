import pytest

from suite.bare import Bare
from suite.records import write_tables
from suite.workloads import WORKLOADS

SCALE = 0.001


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    return Bare({"tables": write_tables(tmp_path_factory.mktemp("t"), SCALE), "scale": SCALE})


@pytest.mark.parametrize("name", WORKLOADS)
def test_the_bare_function_runs_on_the_data_of_its_workload(bare, name):
    bare.prepare({"workload": name})
    assert 0 <= bare.run({})["cpu"] < 30


def test_a_row_function_is_called_once_for_every_row(bare, monkeypatch):
    calls = []
    workload = WORKLOADS["upper_row_1m"]
    monkeypatch.setitem(
        WORKLOADS,
        workload.name,
        type(workload)(
            workload.name,
            "row",
            workload.apply,
            (calls.append,),
            workload.columns,
            source="mixed",
            batch=300,
        ),
    )
    bare.prepare({"workload": workload.name})
    bare.run({})
    assert len(calls) == 1000
    assert {len(word) for word in calls} == {20}
