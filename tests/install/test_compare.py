"""``ember.compare`` over a real application: two runs, and the one answer that differs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SOURCES = HERE.parents[1] / "python" / "ember" / "src"
LIMIT_S = 300

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """The page and the folder of a comparison, one run each way."""
    folder = tmp_path_factory.mktemp("compare")
    application = [str(HERE / "compared.py"), str(folder / "written")]
    quick = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
    conf = {
        "spark.ui.enabled": "false",
        "spark.driver.extraJavaOptions": quick,
        "spark.ember.lane": "embedded",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
    }
    options = [word for pair in conf.items() for word in ("--conf", "=".join(pair))]
    options += ["--runs", "1", "--out", str(folder / "out")]
    kept = {key: os.environ[key] for key in ("HOME", "LANG", "JAVA_HOME") if key in os.environ}
    jar = {key: os.environ[key] for key in ("EMBER_JAR",) if key in os.environ}
    environment = {
        **kept,
        **jar,
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "PYTHONPATH": str(SOURCES),
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "ember.compare", *options, *application],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    logs = [path.read_text()[-3000:] for path in (folder / "out").glob("*.log")]
    told = folder / "out" / "comparison.json"
    assert told.is_file(), "\n".join([done.stdout, done.stderr, *logs])
    return done, json.loads(told.read_text())


def test_the_answer_that_differs_is_found_and_the_others_are_the_same(compared):
    done, told = compared
    verdicts = {(a["name"], a["number"]): a["verdict"] for a in told["actions"]}
    different = [name for name, verdict in verdicts.items() if verdict == "different"]
    assert different == [("collect", 3)], done.stdout
    assert set(verdicts.values()) == {"same", "different"}, done.stdout
    assert [a["name"] for a in told["actions"][:4]] == ["toPandas", "parquet", "collect", "show"]
    assert "+ (in='java')" in done.stdout
    assert done.returncode == 1


def test_an_error_of_the_application_is_an_answer(compared):
    last = compared[1]["runs"][0]["actions"][-1]
    assert last["error"].startswith("PythonException")


def test_rows_that_were_written_are_compared_in_the_pass_that_wrote_them(compared):
    spark, ember = (run["actions"][1] for run in compared[1]["runs"])
    assert spark["answer"]["rows"] == 1000
    assert ember["answer"] == spark["answer"]


def test_each_function_is_told_of_with_its_times_and_places(compared):
    done, told = compared
    nodes = [node for query in told["runs"][1]["queries"] for node in query["nodes"]]
    assert {node["name"] for node in nodes} == {"EmberArrowEvalPython"}
    (line,) = [text for text in done.stdout.splitlines() if text.startswith("  plus_one ")]
    assert int(line.split()[3]) >= 3
    alone = [node for query in told["runs"][0]["queries"] for node in query["nodes"]]
    assert {node["name"] for node in alone} == {"ArrowEvalPython"}


def test_time_memory_and_a_picture_are_there(compared):
    done, told = compared
    assert all(run["seconds"] > 0 and run["peak_bytes"] > 100 << 20 for run in told["runs"])
    picture = done.stdout.split("picture: ")[1].strip()
    assert Path(picture).read_bytes().startswith(b"\x89PNG")
    assert "run 2 of 2, with Ember: " in done.stderr
