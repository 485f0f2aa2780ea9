"""Spark's own cluster: a master and workers, on one machine or on several."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyspark
from nodes import LOOPBACK, Node, children

HOME = Path(pyspark.__file__).parent
#: What a daemon is to say before it counts as started.
START_S = 90


@dataclass(frozen=True)
class Worker:
    """A worker of the cluster, and where it runs."""

    node: Node
    launched: subprocess.Popen[bytes]

    @property
    def process(self) -> int:
        return self.node.process(self.launched)

    @property
    def executors(self) -> list[int]:
        """The processes of its executors."""
        return children(self.process)


@dataclass(frozen=True)
class Cluster:
    """A master's address, and its workers."""

    master: str
    workers: list[Worker] = field(default_factory=list)


@contextmanager
def standalone(
    folder: Path,
    nodes: Sequence[Node] = (LOOPBACK, LOOPBACK, LOOPBACK),
    *,
    home: Path = HOME,
    settings: Mapping[str, str] | None = None,
    cores: int = 1,
) -> Iterator[Cluster]:
    """A master on the first node and a worker on each other one, with a core or some each."""
    options = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    options += [f"-D{key}={value}" for key, value in (settings or {}).items()]
    daemons = {"SPARK_DAEMON_MEMORY": "256m", "SPARK_DAEMON_JAVA_OPTS": " ".join(options)}
    started: list[subprocess.Popen[bytes]] = []

    def launch(name: str, node: Node, kind: str, *arguments: str) -> Path:
        own = folder / name
        own.mkdir()
        words = [str(home / "bin" / "spark-class"), f"org.apache.spark.deploy.{kind}"]
        words += ["--host", node.address, "--webui-port", "0", *arguments]
        more = {**daemons, "SPARK_HOME": str(home), "SPARK_WORKER_DIR": str(own / "work")}
        with (own / "log").open("w") as log:
            process = subprocess.Popen(
                node.command(words, own),
                env=surroundings(own, node) | more,
                cwd=own,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        started.append(process)
        return own / "log"

    try:
        log = launch("master", nodes[0], "master.Master", "--port", "0")
        cluster = Cluster(wait_for(log, "Starting Spark master at "))
        arguments = ["--cores", str(cores), "--memory", f"{cores}g", cluster.master]
        logs = [
            launch(f"worker{number}", node, "worker.Worker", *arguments)
            for number, node in enumerate(nodes[1:], start=1)
        ]
        for log in logs:
            wait_for(log, "Successfully registered with master ")
        cluster.workers.extend(map(Worker, nodes[1:], started[1:]))
        yield cluster
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(timeout=30)


def surroundings(folder: Path, node: Node = LOOPBACK) -> dict[str, str]:
    """A clean environment: nothing of this process's Spark may leak into another."""
    kept = {key: os.environ[key] for key in ("HOME", "LANG", "JAVA_HOME") if key in os.environ}
    return kept | {
        "PATH": os.environ["PATH"],
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": node.address,
        "SPARK_LOCAL_DIRS": str(folder),
        "TMPDIR": str(folder),
    }


def wait_for(log: Path, words: str, limit_s: float = START_S) -> str:
    """The word of a log that follows ``words``."""
    begun = time.monotonic()
    while words not in (text := log.read_text()):
        assert time.monotonic() - begun < limit_s, f"{log} never said {words!r}:\n{text}"
        time.sleep(0.2)
    return text.split(words, 1)[1].split()[0]
