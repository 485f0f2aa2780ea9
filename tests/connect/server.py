"""A Spark Connect server in a process of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyspark
from pyspark.sql.connect.session import SparkSession

PLUGIN = "dev.ember.EmberPlugin"
START_S = 180
#: What makes PySpark's functions those of a client.
CLIENT_MODE = "SPARK_CONNECT_MODE_ENABLED"


class Server:
    """A server on the loopback interface, with the plugin or without; ``stop`` ends it."""

    def __init__(self, folder: Path, jar: Path | None, **settings: str) -> None:
        self.port = free_port()
        self.log = folder / "server.log"
        home = Path(pyspark.__file__).parent
        conf = {
            "spark.connect.grpc.binding.address": "127.0.0.1",
            "spark.connect.grpc.binding.port": str(self.port),
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
            "spark.ui.enabled": "false",
            "spark.sql.shuffle.partitions": "2",
            "spark.sql.warehouse.dir": str(folder / "warehouse"),
            "spark.local.dir": str(folder),
            **settings,
        }
        if jar is not None:
            conf |= {"spark.plugins": PLUGIN, "spark.jars": str(jar)}
        words = [str(home / "bin" / "spark-submit"), "--master", "local[2]"]
        words += ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer"]
        words += [word for key, value in conf.items() for word in ("--conf", f"{key}={value}")]
        environment = {key: value for key, value in os.environ.items() if key != CLIENT_MODE}
        environment |= {"SPARK_HOME": str(home), "PYSPARK_PYTHON": sys.executable}
        here = str(Path(sys.executable).parent)  # so that its name alone names the same Python
        environment["PATH"] = f"{here}{os.pathsep}{os.environ['PATH']}"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*words, "spark-internal"],
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=environment,
            )
        self._wait()

    def session(self, user: str | None = None) -> SparkSession:
        """Start a session of a client's own, as this user."""
        words = f"/;user_id={user}" if user else ""
        return SparkSession.builder.remote(f"sc://127.0.0.1:{self.port}{words}").create()

    def workers(self) -> set[int]:
        """Find the worker processes of Ember's: what a zygote has forked."""
        zygotes = self.zygotes()
        return {pid for pid, parent in processes() if parent in zygotes}

    def zygotes(self) -> set[int]:
        """Find what forks them: one process for each environment."""
        own = (pid for pid, parent in processes() if parent == self.process.pid)
        return {pid for pid in own if is_zygote(pid)}

    def stop(self) -> None:
        """End the server, and kill it when it does not."""
        self.process.terminate()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _wait(self) -> None:
        end = time.monotonic() + START_S
        while time.monotonic() < end and self.process.poll() is None:
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.2)
        self.process.kill()
        raise RuntimeError(f"the server did not start:\n{self.log.read_text()[-4000:]}")


def processes() -> Iterator[tuple[int, int]]:
    """Give every process of this machine with its parent, as far as they last."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            status = (entry / "stat").read_text()
        except OSError:
            continue
        state, parent = status.rpartition(")")[2].split()[:2]
        if state != "Z":
            yield int(entry.name), int(parent)


def is_zygote(pid: int) -> bool:
    """Whether the process is one that forks workers of Ember's."""
    try:
        return b"ember_worker/process/zygote.py" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def free_port() -> int:
    """Give a port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
