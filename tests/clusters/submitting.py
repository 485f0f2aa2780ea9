"""Applications, in processes and on nodes of their own: what they were asked, they tell as JSON."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nodes import LOOPBACK, Node
from standalone import HOME, surroundings

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
JAR = Path(os.environ.get("EMBER_JAR", REPOSITORY / "dist" / "ember-spark-4.3_2.13.jar"))
PLUGIN = {"spark.plugins": "dev.ember.EmberPlugin"}
#: Two executors with a core each.
LOCAL_CLUSTER = {"spark.master": "local-cluster[2,1,1024]"}
#: Twenty times what one takes that has the machine for itself.
LIMIT_S = 600


@dataclass
class Application:
    """``applications/answers.py``, asked some questions."""

    folder: Path
    questions: Sequence[str]
    settings: Mapping[str, str]
    """Of its session's builder."""
    submit: Sequence[str] | None = None
    """The options of ``spark-submit``; none for a plain ``python``."""
    node: Node = LOOPBACK
    home: Path = HOME
    python: str = sys.executable
    """That of its functions."""
    started: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def run(self) -> dict[str, Any]:
        """Run it to its end; what it told comes back."""
        self.start()
        return self.end()

    def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        answers = str(HERE / "applications" / "answers.py")
        command = [sys.executable, answers]
        if self.submit is not None:
            command = [str(self.home / "bin" / "spark-submit"), *self.submit, answers]
        with self.log.open("w") as log:
            self.started = subprocess.Popen(
                self.node.command(command, self.folder),
                env=self._environment(),
                cwd=self.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def end(self) -> dict[str, Any]:
        """Wait for it."""
        assert self.started is not None
        try:
            ended = f"ended with {self.started.wait(LIMIT_S)}"
        except subprocess.TimeoutExpired:
            ended = f"no end within {LIMIT_S} s"
        finally:
            self.kill()
        text = self.log.read_text(errors="replace")
        assert ended == "ended with 0", f"{ended}\n{text[-8000:]}"
        told: dict[str, Any] = json.loads((self.folder / "answer.json").read_text())
        # Where a cluster in the driver's process leaves what its executors wrote.
        shutil.rmtree(self.home / "work" / told["application"], ignore_errors=True)
        return told | {"log": text}

    def kill(self) -> None:
        """End it, if it runs; it would keep the cluster from others."""
        if self.started is not None and self.started.poll() is None:
            os.kill(self.node.process(self.started), signal.SIGKILL)
            self.started.wait(10)

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def _environment(self) -> dict[str, str]:
        asked = {
            "settings": {**self._on_its_node(), **self.settings},
            "questions": list(self.questions),
            "folder": str(self.folder),
        }
        return surroundings(self.folder, self.node) | {
            "SPARK_HOME": str(self.home),
            "SPARK_WORKER_DIR": str(self.folder / "work"),
            "PYSPARK_PYTHON": self.python,
            "PYSPARK_DRIVER_PYTHON": sys.executable,
            "PYTHONPATH": str(REPOSITORY / "tests" / "parity"),
            "CLUSTERS_ASKED": json.dumps(asked),
        }

    def _on_its_node(self) -> dict[str, str]:
        java = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"
        return {
            "spark.driver.bindAddress": self.node.address,
            "spark.driver.host": self.node.address,
            "spark.executor.memory": "768m",
            "spark.executor.extraJavaOptions": java,
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.sql.shuffle.partitions": "2",
            "spark.sql.warehouse.dir": str(self.folder / "warehouse"),
        }
