"""Each pair of a Spark and a Python that fits it runs every kind of function, twice."""

import json
from pathlib import Path

import jobs
import making
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
RESULTS = REPOSITORY / "target" / "versions"
#: Sparks, with the Pythons that each runs on.
PAIRS = {
    "4.2.1": ("3.10", "3.11", "3.12", "3.13", "3.14"),
    "4.3.0": ("3.11", "3.12", "3.13", "3.14"),
}
#: What a line of Spark leaves to Spark's own worker.
NOT_EMBEDDED = {
    "4.2": {"row_pickled", "table_function_in_arrow", "table_function_pickled"},
    "4.3": set(),
}


EACH = [(version, minor) for version, minors in PAIRS.items() for minor in minors]


@pytest.mark.parametrize(("version", "minor"), EACH)
def test_every_kind_gives_the_answers_of_sparks_own_worker(version, minor, tmp_path):
    told = asked(version, minor, tmp_path)
    line = version.rpartition(".")[0]
    for case, alone in told["spark"].items():
        assert alone["embedded"] == 0 < alone["on_spark"], case
        for leg in ("ember", "process"):
            mine = told[leg][case]
            assert answer(mine) == answer(alone), (leg, case)
            if case in NOT_EMBEDDED[line]:
                assert mine["embedded"] == 0 < mine["on_spark"], (leg, case)
            else:
                assert mine["embedded"] > 0 == mine["on_spark"], (leg, case, mine["reasons"])
                assert (mine["in_workers"] > 0) == (leg == "process"), (leg, case)


def asked(version, minor, folder):
    """What the application told, which the table of the README is made from."""
    try:
        python = making.spark(version, minor)
    except making.NotHereError as lack:
        pytest.skip(str(lack))
    line = version.rpartition(".")[0]
    jar = REPOSITORY / "dist" / f"ember-spark-{line}_2.13.jar"
    job = jobs.Job(
        python,
        str(python),
        settings={"spark.jars": str(jar)},
        application="../versions/smoke.py",
    )
    told = job.run(folder)
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{version}-{minor}.json").write_text(json.dumps(told, indent=1))
    return told


def answer(leg):
    return {key: leg[key] for key in ("rows", "error", "counted") if key in leg}
