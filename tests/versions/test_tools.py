"""What users run on their side works with the oldest PySpark, too."""

import json
import os
import subprocess
from pathlib import Path

import making
import pytest

import pairs

REPOSITORY = Path(__file__).resolve().parents[2]
OLDEST, *_ = pairs.read()
LIMIT_S = 300
WITHOUT_EMBER = """
import ember
from pyspark.sql import SparkSession

spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
try:
    with ember.flamegraph(spark, "graph.folded"):
        pass
except ember.EmberError as error:
    print(error)
"""


@pytest.fixture(scope="module")
def python():
    try:
        return making.spark(OLDEST, "3.11")
    except making.NotHereError as lack:
        pytest.skip(str(lack))


def run(python, folder, *words):
    kept = {key: os.environ[key] for key in ("HOME", "LANG", "JAVA_HOME") if key in os.environ}
    jar = REPOSITORY / "dist" / f"{pairs.jars()[OLDEST]}.jar"
    environment = {
        **kept,
        "PATH": f"{python.parent}:/usr/bin:/bin",
        "PYTHONPATH": str(REPOSITORY / "python" / "ember" / "src"),
        "PYSPARK_PYTHON": str(python),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "EMBER_JAR": str(jar),
    }
    return subprocess.run(
        [str(python), *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def test_an_application_is_compared(python, tmp_path):
    application = REPOSITORY / "tests" / "install" / "compared.py"
    done = run(
        python,
        tmp_path,
        *("-m", "ember.compare", "--runs", "1", "--conf", "spark.ui.enabled=false"),
        *(str(application), str(tmp_path / "written")),
    )
    told = tmp_path / "ember-compare" / "comparison.json"
    assert told.is_file(), done.stderr
    actions = json.loads(told.read_text())["actions"]
    verdicts = [(action["name"], action["verdict"]) for action in actions]
    # The third tells in which process it runs.
    assert verdicts == [
        *[("toPandas", "same"), ("parquet", "same"), ("collect", "different")],
        *[("show", "same"), ("collect", "same")],
    ]
    assert "+ (in='java')" in done.stdout
    assert done.returncode == 1, done.stderr


def test_a_session_without_ember_is_told_to_have_it(python, tmp_path):
    done = run(python, tmp_path, "-c", WITHOUT_EMBER)
    assert "make it with ember.session()" in done.stdout, done.stderr
