"""Each pair of a Spark and a Python that fits it runs every kind of function, twice."""

import json
import random
from pathlib import Path

import jobs
import making
import pytest

import pairs

REPOSITORY = Path(__file__).resolve().parents[2]
RESULTS = REPOSITORY / "target" / "versions"
#: What a line of Spark leaves to Spark's own worker.
NOT_EMBEDDED = {
    "3.5": {"table_function_in_arrow"},
    "4.0": {"table_function_in_arrow"},
    "4.1": {"table_function_in_arrow"},
    "4.2": {"table_function_in_arrow"},
    "4.3": set(),
}
#: Where Spark encrypts, its runner in 3.5 waits until a process has fetched them.
BROADCASTS = {"with_a_broadcast", "map_with_a_broadcast", "of_a_large_function"}
ENCRYPTED = [version for version in pairs.read() if pairs.line_of(version) in ("3.5", "4.0")]
EACH = [(version, minor) for version, minors in pairs.read().items() for minor in minors]
#: With the oldest Python of each, and with one that all have.
PICKLED = [pair for pair in EACH if pair[1] in ("3.11", pairs.read()[pair[0]][0])]


@pytest.mark.parametrize(("version", "minor"), EACH)
def test_every_kind_gives_the_answers_of_sparks_own_worker(version, minor, tmp_path):
    left = NOT_EMBEDDED[pairs.line_of(version)]
    told = asked(version, minor, tmp_path)
    for case, leg, mine in equal(told):
        if case in left:
            assert mine["embedded"] == 0 < mine["on_spark"], (leg, case)
        else:
            ran_in_ember(case, leg, mine)


@pytest.mark.parametrize(("version", "minor"), PICKLED)
def test_what_pickled_functions_meet_ends_as_in_sparks_own_worker(version, minor, tmp_path):
    for case, leg, mine in equal(ran("pickled.py", version, minor, tmp_path)):
        ran_in_ember(case, leg, mine)


@pytest.mark.parametrize("version", pairs.read())
def test_tasks_of_a_barrier_meet_in_one_executor(version, tmp_path):
    for case, leg, mine in equal(ran("barriers.py", version, "3.11", tmp_path)):
        ran_in_ember(case, leg, mine)


@pytest.mark.parametrize("version", pairs.read())
def test_what_sparks_runners_would_write_from_is_freed_where_ember_runs(version, tmp_path):
    told = ran("vectors.py", version, "3.11", tmp_path)
    assert all(told["embedded"])
    assert not [name for name in told["open"] if name.startswith("stdout writer")]


@pytest.mark.parametrize("version", pairs.read())
def test_a_function_that_is_stopped_in_the_executor_is_run_again_where_it_writes(version, tmp_path):
    told = ran("sinks.py", version, "3.11", tmp_path)
    expected = random.Random(5).random()
    assert sorted(told["rows"]) == [[number, expected] for number in range(4)]
    [[function, why]] = told["functions"]
    assert (function, why.split()[0]) == ("seeded", "random.seed")


@pytest.mark.parametrize("version", ENCRYPTED)
def test_encrypted_broadcasts_are_read_where_functions_run(version, tmp_path):
    for case, leg, mine in equal(ran("encrypted.py", version, "3.11", tmp_path)):
        if pairs.line_of(version) == "3.5" and case in BROADCASTS:
            assert mine["reasons"] == {"EncryptedBroadcasts": 2}, (leg, case)
            assert mine["embedded"] == 0 < mine["on_spark"], (leg, case)
        else:
            ran_in_ember(case, leg, mine)


def asked(version, minor, folder):
    """What the application told, which the table of the README is made from."""
    told = ran("smoke.py", version, minor, folder)
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{version}-{minor}.json").write_text(json.dumps(told, indent=1))
    return told


def ran(application, version, minor, folder):
    try:
        python = making.spark(version, minor)
    except making.NotHereError as lack:
        pytest.skip(str(lack))
    jar = REPOSITORY / "dist" / f"{pairs.jars()[version]}.jar"
    return jobs.Job(
        python,
        str(python),
        settings={"spark.jars": str(jar)},
        application=f"../versions/{application}",
    ).run(folder)


def equal(told):
    """Each case as Ember ran it on each lane; it has the answer of Spark's own worker."""
    for case, alone in told["spark"].items():
        assert alone["embedded"] == 0 < alone["on_spark"], case
        for leg in ("ember", "process"):
            mine = told[leg][case]
            assert answer(mine) == answer(alone), (leg, case)
            yield case, leg, mine


def ran_in_ember(case, leg, mine):
    assert mine["embedded"] > 0 == mine["on_spark"], (leg, case, mine["reasons"])
    assert (mine["in_workers"] > 0) == (leg == "process"), (leg, case)


def answer(leg):
    return {key: leg[key] for key in ("rows", "error", "counted") if key in leg}
