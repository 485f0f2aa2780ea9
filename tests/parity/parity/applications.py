"""Applications in a process of their own, for what one SparkContext cannot show."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyspark

from parity import session

HOME = Path(pyspark.__file__).parent
HERE = Path(__file__).resolve().parents[1]
LIMIT_S = 240


def run(name: str, folder: Path, conf: Mapping[str, str]) -> dict[str, Any]:
    """Run ``applications/NAME.py`` with plain ``python``; what it told comes back."""
    settings = {**session.settings(folder, plugin=True), **conf}
    return tell([sys.executable, application(name)], folder, {"PARITY_CONF": json.dumps(settings)})


def submit(name: str, folder: Path, arguments: list[str]) -> dict[str, Any]:
    """Run it with ``spark-submit`` and nothing but these arguments."""
    command = [str(HOME / "bin" / "spark-submit"), *arguments, application(name)]
    return tell(command, folder, {"PARITY_CONF": "{}"})


def tell(command: list[str], folder: Path, more: Mapping[str, str]) -> dict[str, Any]:
    """Start it, wait for it, and read the one line it writes."""
    answer = folder / "answer.json"
    environment = surroundings(folder) | dict(more) | {"PARITY_ANSWER": str(answer)}
    done = subprocess.run(
        command,
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, (
        f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    )
    told: dict[str, Any] = json.loads(answer.read_text())
    return told


def surroundings(folder: Path) -> dict[str, str]:
    """A clean environment: nothing of this process's Spark may leak into another."""
    kept = {key: os.environ[key] for key in ("HOME", "LANG", "JAVA_HOME") if key in os.environ}
    return kept | {
        "PATH": os.environ["PATH"],
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": str(HERE),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str(folder),
        "TMPDIR": str(folder),
    }


def application(name: str) -> str:
    """The path of one."""
    return str(HERE / "applications" / f"{name}.py")
