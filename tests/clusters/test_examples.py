"""The examples run as they stand, and say where functions ran."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import making
import pyspark
import pytest
from submitting import JAR, LIMIT_S, REPOSITORY

EXAMPLES = REPOSITORY / "examples"
#: What others are made of, and no example by itself.
PARTS = {"environment.sh", "orders.py"}
PACKED = "archive.sh"
EACH = ("local.sh", "plain_python.py", "standalone.sh", "connect.sh", "packages.sh")
#: Where all functions may run in worker processes: clients need not trust one another.
SHARED = {"connect.sh"}
TOLD = re.compile(r"^.+: (\d+) in executors, (\d+) in workers, (\d+) on Spark's", re.MULTILINE)


def run(name, folder, **more):
    """Run one with nothing but what a shell has; gives what it printed."""
    kept = {key: os.environ[key] for key in ("HOME", "LANG", "JAVA_HOME") if key in os.environ}
    here = {"PATH": "/usr/bin:/bin", "PYSPARK_PYTHON": sys.executable, "EMBER_JAR": str(JAR)}
    command = [sys.executable] if name.endswith(".py") else ["bash"]
    example = subprocess.Popen(
        [*command, str(EXAMPLES / name)],
        env={**kept, **here, "TMPDIR": str(folder), **more},
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        printed, said = example.communicate(timeout=LIMIT_S)
        ended = f"ended with {example.returncode}"
    except subprocess.TimeoutExpired:
        # All that it has started: the shell alone would leave its servers behind.
        os.killpg(example.pid, signal.SIGTERM)
        printed, said = example.communicate(timeout=LIMIT_S)
        ended = f"no end within {LIMIT_S} s"
    assert ended == "ended with 0", f"{ended}\n{printed[-4000:]}\n{said[-8000:]}"
    return printed


def ran_in_ember(printed, *, in_executors=True):
    told = [tuple(map(int, counts)) for counts in TOLD.findall(printed)]
    inside, in_workers, on_spark = (sum(counts) for counts in zip(*told, strict=True))
    assert (inside if in_executors else inside + in_workers) > 0, printed
    assert on_spark == 0, printed
    return True


@pytest.fixture
def nothing_left(tmp_path):
    """No folder of an example, nor what Spark keeps of applications beside itself."""
    before = kept_by_spark()
    yield
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith("tmp.")] == []
    assert kept_by_spark() == before


def kept_by_spark():
    work = Path(pyspark.__file__).with_name("work")
    return {entry.name for entry in work.iterdir()} if work.exists() else set()


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("name", EACH)
def test_an_example_runs_embedded_and_leaves_nothing(name, tmp_path):
    assert ran_in_ember(run(name, tmp_path), in_executors=name not in SHARED)


@pytest.mark.slow
@pytest.mark.usefixtures("nothing_left")
def test_the_example_of_a_packed_environment_runs_in_executors(tmp_path):
    try:
        archive = making.packed_venv("3.11")
    except making.NotHereError as lack:
        pytest.skip(str(lack))
    assert ran_in_ember(run(PACKED, tmp_path, ENVIRONMENT=str(archive)))


def test_every_example_is_told_of_and_run():
    there = {path.name for path in EXAMPLES.iterdir() if path.suffix in (".sh", ".py")} - PARTS
    told = set(re.findall(r"\]\((\w+\.(?:sh|py))\)", (EXAMPLES / "README.md").read_text()))
    assert there == told - PARTS == {PACKED, *EACH}
