"""A history server, with Ember's jar on its class path."""

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SERVER = "org.apache.spark.deploy.history.HistoryServer"
LIMIT_S = 120


@contextmanager
def serving(events: Path, jar: Path, home: Path, folder: Path) -> Iterator[str]:
    """The address of one of the Spark at ``home``, which keeps what it reads on disk."""
    port = free_port()
    options = {
        "spark.history.fs.logDirectory": events.absolute().as_uri(),
        "spark.history.store.path": folder / "store",
        "spark.history.ui.port": port,
    }
    environment = os.environ | {
        "SPARK_HOME": str(home),
        "SPARK_DAEMON_CLASSPATH": str(jar),
        "SPARK_HISTORY_OPTS": " ".join(f"-D{key}={value}" for key, value in options.items()),
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    with (folder / "history.log").open("w") as log:
        server = subprocess.Popen(
            [home / "bin" / "spark-class", SERVER], env=environment, stdout=log, stderr=log
        )
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(LIMIT_S)


def page(address: str, application: str, name: str) -> str:
    """A page of an application, once the server lists it; else why there is none."""
    answered(f"{address}/api/v1/applications/{application}")
    return answered(f"{address}/history/{application}/{name}/")


def answered(url: str) -> str:
    """What is there, as soon as there is something; else why there is nothing."""
    end = time.monotonic() + LIMIT_S
    while True:
        try:
            with urllib.request.urlopen(url) as answer:
                return answer.read().decode()
        except urllib.error.URLError as error:
            if time.monotonic() > end:
                return f"{error}"
        time.sleep(0.5)


def free_port() -> int:
    """A port that nobody listens at now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
