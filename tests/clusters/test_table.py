"""The table of circumstances names the tests that there are, and all of them."""

from tables import defined, named, rows

ROWS = rows("clusters.md", "| circumstance ")
FOLDERS = ("tests/clusters", "tests/connect", "tests/environments", "tests/faults")


def test_every_circumstance_names_a_test_that_exists():
    assert len(ROWS) > 20
    known = defined(FOLDERS)
    assert [row for row in ROWS if not named(row) or set(named(row)) - known] == []


def test_every_test_of_a_cluster_or_of_connect_is_in_the_table():
    here = {name for name in globals() if name.startswith("test_")}
    told = {name for row in ROWS for name in named(row)}
    assert defined(["tests/clusters", "tests/connect"]) - here - told == set()
