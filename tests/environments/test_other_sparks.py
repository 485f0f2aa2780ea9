"""The jar beside a Spark that it was not built for: one line says so, and everything is Spark's."""

from pathlib import Path

import history
import jobs
import making
import pytest

import pairs

OLDER = list(pairs.read())[:-1]
WAY_OUT = {
    release: f"Take {pairs.jars()[release]}.jar in its place; "
    "`python -m ember.jars` prints where it is"
    for release in OLDER
}
WAYS = {
    "plugin": {},
    # Where no plugin is named, Spark still finds the service in the jar.
    "service": {"spark.plugins": "", "spark.ember.enabled": "true"},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("version", OLDER)
def test_the_job_is_sparks_alone_and_one_line_says_why(version, way, made, tmp_path):
    python = made(making.other_spark, version)
    job = jobs.Job(python, str(python), settings=WAYS[way], application="other_spark.py")
    told = job.run(tmp_path)
    assert told["rows"] == list(range(1, 11))
    assert "EvalPython" in told["plan"]
    assert "Ember" not in told["plan"]
    if way == "service" and version.startswith("3."):
        assert told["log"] == ""  # PySpark looked for no services before 4.0
        return
    (line,) = told["log"].splitlines()
    assert line.startswith("WARN EmberPlugin: Ember does nothing, ")
    running = pairs.spark_of(version)
    assert f"ember-spark-4.3_2.13.jar is for Spark 4.3, and this is Spark {running}. " in line
    assert line.endswith(WAY_OUT[version])


@pytest.mark.parametrize("version", OLDER)
def test_a_history_server_of_it_shows_its_applications(version, made, tmp_path):
    python = made(making.other_spark, version)
    events = tmp_path / "events"
    events.mkdir()
    logged = {"spark.eventLog.enabled": "true", "spark.eventLog.dir": events.as_uri()}
    told = jobs.Job(python, str(python), settings=logged, application="other_spark.py").run(
        tmp_path
    )
    where = making.run([str(python), "-c", "import pyspark; print(pyspark.__path__[0])"])
    with history.serving(events, jobs.jar(), Path(where.strip()), tmp_path) as address:
        page = history.page(address, told["id"], "jobs")
    assert "Completed Jobs" in page, (tmp_path / "history.log").read_text()[-4000:]
    assert 'ember/"' not in page
