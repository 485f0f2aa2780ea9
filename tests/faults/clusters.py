"""Applications of their own, for faults that may end an executor."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyspark

HERE = Path(__file__).resolve().parent
HOME = Path(pyspark.__file__).parent
LIMIT_S = 400

#: Two executors with a core each.
LOCAL_CLUSTER = {"spark.master": "local-cluster[2,1,1024]", "spark.executor.memory": "1024m"}


def run(
    folder: Path,
    settings: Mapping[str, str],
    fault: str,
    plan: Mapping[str, Any] | None = None,
    joining: Path | None = None,
) -> dict[str, Any]:
    """Run ``applications/faults.py``, in the control group ``joining``; what it told comes back.

    :param plan: what else it is asked; ``application`` names another of the folder
    """
    answer = folder / "answer.json"
    asked = {"settings": dict(settings), "fault": fault, "folder": str(folder), **(plan or {})}
    application = HERE / "applications" / asked.get("application", "faults.py")
    command = [sys.executable, str(application), json.dumps(asked)]
    with (folder / "log.txt").open("w") as log:
        done = subprocess.run(
            joined(command, joining) if joining else command,
            env=surroundings(folder),
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
            timeout=LIMIT_S,
            check=False,
        )
    text = (folder / "log.txt").read_text(errors="replace")
    assert done.returncode == 0, f"ended with {done.returncode}\n{text[-8000:]}"
    told: dict[str, Any] = json.loads(answer.read_text())
    told["log"] = text
    # Where a cluster in the driver's process leaves what its executors wrote.
    shutil.rmtree(HOME / "work" / told["application"], ignore_errors=True)
    return told


def joined(command: list[str], group: Path) -> list[str]:
    """The command of a process that enters a control group first; ``group`` takes its number."""
    return ["sh", "-c", 'echo $$ > "$0" && exec "$@"', str(group), *command]


def wait_until_empty(group: Path, limit_s: float = 30) -> None:
    """Wait for the processes of a control group to end."""
    begun = time.monotonic()
    while group.read_text().strip():
        assert time.monotonic() - begun < limit_s, group.read_text()
        time.sleep(0.2)


def surroundings(folder: Path) -> dict[str, str]:
    """A clean environment: nothing of this process's Spark may leak into another."""
    kept = {key: os.environ[key] for key in ("HOME", "LANG", "JAVA_HOME") if key in os.environ}
    return kept | {
        "PATH": os.environ["PATH"],
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str(folder),
        "SPARK_WORKER_DIR": str(folder / "work"),
        "TMPDIR": str(folder),
    }


@contextmanager
def standalone(folder: Path) -> Iterator[str]:
    """A master and two workers with a core each, on loopback; gives the master's address."""
    environment = surroundings(folder)
    launcher = str(HOME / "bin" / "spark-class")
    common = ["--host", "127.0.0.1", "--webui-port", "0"]
    started = []

    def daemon(name: str, *arguments: str) -> Path:
        log = folder / f"{name}.log"
        command = [launcher, f"org.apache.spark.deploy.{arguments[0]}", *arguments[1:]]
        with log.open("w") as out:
            process = subprocess.Popen(
                command, env=environment, cwd=folder, stdout=out, stderr=subprocess.STDOUT
            )
        started.append(process)
        return log

    try:
        master = wait_for(
            daemon("master", "master.Master", "--port", "0", *common), "Starting Spark master at "
        )
        workers = [
            daemon(f"worker{n}", "worker.Worker", "--cores", "1", "--memory", "1g", *common, master)
            for n in (1, 2)
        ]
        for log in workers:
            wait_for(log, "Successfully registered with master ")
        yield master
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(timeout=30)


def wait_for(log: Path, words: str, limit_s: float = 90) -> str:
    """The word of a log that follows ``words``."""
    begun = time.monotonic()
    while words not in (text := log.read_text()):
        assert time.monotonic() - begun < limit_s, f"{log} never said {words!r}:\n{text}"
        time.sleep(0.2)
    return text.split(words, 1)[1].split()[0]
