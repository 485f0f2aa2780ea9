"""Applications that follow one another in one JVM, as those of a notebook do."""

import pytest

import clusters
from conftest import settings


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What the functions of three applications said."""
    folder = tmp_path_factory.mktemp("successors")
    return clusters.run(folder, settings(folder), "none", {"application": "successors.py"})


def test_an_application_embeds_where_another_has_left_nothing(told):
    for (answer,), counted in told["builtin"]:
        assert answer == f"0 ZoneInfo {told['jvm']}"
        assert counted["emberSessions"] == 1


def test_an_application_has_no_folder_of_files_but_its_own(told):
    for (answer,), counted in told["folders"]:
        assert answer == "0 1 1"
        assert counted["emberSessions"] == 1


@pytest.mark.parametrize("module", ["shipped", "beside"])
def test_an_application_runs_the_modules_that_there_are_and_no_older_ones(module, told):
    first, embedded, spark = told["modules"][module]
    assert first[0] == ["0 version 1"]
    assert first[1]["emberSessions"] == 1
    assert first[1].get("emberProcessSessions", 0) == 0
    assert embedded[0] == spark[0] == ["0 version of another length"]
    assert embedded[1]["emberProcessSessions"] == 1


def test_no_process_that_forks_workers_outlives_its_application(told):
    assert [after for _, after in told["zygotes"]] == [0, 0, 0]
    assert told["zygotes"][0][0] == told["zygotes"][2][0] == 1
