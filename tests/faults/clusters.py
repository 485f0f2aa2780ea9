"""Applications of their own, for faults that may end an executor."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from standalone import HOME
from standalone import surroundings as clean

HERE = Path(__file__).resolve().parent
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
    """A clean environment, for a cluster in the driver's own process too."""
    return clean(folder) | {"SPARK_WORKER_DIR": str(folder / "work")}
