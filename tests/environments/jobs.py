"""Runs the application under an environment, and judges what it told."""

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import making

HERE = Path(__file__).parent
KINDS = ("row", "pandas", "arrow", "map_in_arrow")
LOGGING = f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}"
LIMIT_S = 300


def jar() -> Path:
    """The built jar; ``EMBER_JAR`` names another."""
    default = making.REPOSITORY / "dist" / "ember-spark-4.3_2.13.jar"
    return Path(os.environ.get("EMBER_JAR", default))


@dataclass(frozen=True)
class Job:
    """An application: the driver's Python, the executors', and how they are named to Spark."""

    driver: Path
    executors: str
    by_setting: bool = False
    settings: dict[str, str] = field(default_factory=dict)
    wrapper: tuple[str, ...] = ()
    application: str = "application.py"

    def run(self, folder: Path) -> dict[str, Any]:
        answer = folder / "answer.json"
        environment = self._environment(folder) | {"EMBER_ANSWER": str(answer)}
        done = subprocess.run(
            [*self.wrapper, *self._command(folder)],
            env=environment,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        output = f"{done.stdout[-4000:]}\n{done.stderr[-8000:]}"
        assert done.returncode == 0, f"ended with {done.returncode}\n{output}"
        lines = [line for line in done.stderr.splitlines() if "Ember" in line]
        told: dict[str, Any] = json.loads(answer.read_text())
        return told | {"log": "\n".join(lines)}

    def _command(self, folder: Path) -> list[str]:
        application = str(HERE / self.application)
        if not self.by_setting:
            return [str(self.driver), application]
        submit = str(self.driver.parent / "spark-submit")
        named = {
            **self._settings(folder),
            "spark.pyspark.python": self.executors,
            "spark.pyspark.driver.python": str(self.driver),
        }
        jars = named.pop("spark.jars")
        options = [word for key, value in named.items() for word in ("--conf", f"{key}={value}")]
        return [submit, "--master", named["spark.master"], "--jars", jars, *options, application]

    def _settings(self, folder: Path) -> dict[str, str]:
        return {
            "spark.master": "local[2]",
            "spark.plugins": "dev.ember.EmberPlugin",
            "spark.jars": str(jar()),
            "spark.ember.embedded.tasks": "4",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
            "spark.sql.warehouse.dir": str(folder / "warehouse"),
            "spark.driver.extraJavaOptions": f"-Djava.io.tmpdir={folder} {LOGGING}",
            **self.settings,
        }

    def _environment(self, folder: Path) -> dict[str, str]:
        """A clean one: nothing of this process's Spark may leak into another."""
        kept = {key: os.environ[key] for key in ("HOME", "LANG", "JAVA_HOME") if key in os.environ}
        home = next(self.driver.parents[1].glob("lib/python3.*/site-packages/pyspark"))
        if self.by_setting:
            named, settings = {"SPARK_HOME": str(home)}, {}
        else:
            named, settings = {"PYSPARK_PYTHON": self.executors}, self._settings(folder)
        return {
            **kept,
            **named,
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(making.REPOSITORY / "tests" / "parity"),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_LOCAL_DIRS": str(folder),
            "EMBER_SETTINGS": json.dumps(settings),
        }


def same_answers(told: dict[str, Any]) -> bool:
    """Spark's leg ran on Spark, and both legs gave the same rows of every kind."""
    for kind in KINDS:
        alone = told["spark"][kind]
        assert alone["embedded"] == 0, kind
        assert alone["on_spark"] > 0, kind
        assert len(alone["rows"]) == 1000, kind
        assert told["ember"][kind]["rows"] == alone["rows"], kind
    return True


def ran_embedded(told: dict[str, Any]) -> bool:
    """Every function of Ember's leg ran in the executor, in a Python like Spark's own worker's."""
    assert same_answers(told)
    for kind in KINDS:
        mine = told["ember"][kind]
        assert mine["embedded"] > 0, (kind, mine["reasons"], told["log"])
        assert mine["on_spark"] == 0, (kind, mine["reasons"], told["log"])
    assert told["ember"]["surroundings"] == told["spark"]["surroundings"]
    return True


def ran_on_sparks(told: dict[str, Any], words: str) -> bool:
    """No function of Ember's leg ran in Ember; plan and log say why."""
    assert same_answers(told)
    for kind in KINDS:
        mine = told["ember"][kind]
        assert mine["embedded"] == 0 < mine["on_spark"], (kind, told["log"])
        assert "NoPython" in mine["reasons"], (kind, mine["reasons"])
    assert words in told["log"], told["log"]
    return True


def ran_in_workers(told: dict[str, Any], words: str) -> bool:
    """Every function of Ember's leg ran in worker processes; the log says why not embedded."""
    assert same_answers(told)
    for kind in KINDS:
        mine = told["ember"][kind]
        assert mine["embedded"] == mine["in_workers"] > 0, (kind, mine["reasons"], told["log"])
        assert mine["on_spark"] == 0, (kind, mine["reasons"], told["log"])
    assert words in told["log"], told["log"]
    return True
