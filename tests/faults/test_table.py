"""The table of faults names the tests that there are."""

from tables import defined, named, rows

ROWS = rows("faults.md", "| fault ", "| what a function changes ")
FOLDERS = ("tests/faults", "tests/parity", "tests/environments", "python/ember-worker/tests")


def test_every_named_test_exists():
    assert {name for row in ROWS for name in named(row)} - defined(FOLDERS) == set()


def test_every_test_of_a_fault_is_named():
    of_the_table = {name for name in globals() if name.startswith("test_")}
    told = {name for row in ROWS for name in named(row)}
    assert defined(["tests/faults"]) - of_the_table - told == set()


def test_every_fault_names_a_test():
    assert len(ROWS) > 15
    assert [row for row in ROWS if not named(row)] == []
