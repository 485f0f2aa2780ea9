"""Someone who reads the pages: in a folder, with the wheel in an environment, and no checkout."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import blocks
import pytest
from blocks import ROOT

sys.path.insert(0, str(ROOT / "python" / "ember" / "tests"))
import libraries

LIMIT_S = 300
#: What changes no answer, for programs of seconds.
DEFAULTS = """
spark.driver.extraJavaOptions -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
spark.sql.shuffle.partitions 2
spark.ui.showConsoleProgress false
"""


@dataclass(frozen=True)
class Reader:
    """Runs what the pages say."""

    folder: Path

    @cached_property
    def environment(self) -> dict[str, str]:
        kept = {key: os.environ[key] for key in ("HOME", "LANG", "JAVA_HOME") if key in os.environ}
        commands = [self.folder / "environment-of-mine" / "bin", Path(sys.executable).parent]
        return kept | {
            "PATH": ":".join([*map(str, commands), "/usr/local/bin:/usr/bin:/bin"]),
            "PIP_NO_INDEX": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "SPARK_CONF_DIR": str(self.folder / "conf"),
            "SPARK_LOCAL_IP": "127.0.0.1",
        }

    def types(self, text: str) -> str:
        """What the shell prints."""
        return self._run(["bash", "-eu"], self._filled_in(text))

    def runs(self, text: str) -> str:
        """What the Python of the environment prints."""
        return self._run(["python", "-"], self._filled_in(text))

    def _filled_in(self, text: str) -> str:
        return text.replace("/path/on/every/node/", f"{self.folder}/")

    def _run(self, command: list[str], text: str) -> str:
        done = subprocess.run(
            command,
            input=text,
            text=True,
            capture_output=True,
            cwd=self.folder,
            env=self.environment,
            timeout=LIMIT_S,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout[-1000:]}\n{done.stderr[-3000:]}"
        return done.stdout


@pytest.fixture(scope="session")
def reader(tmp_path_factory):
    """One who has done what the README begins with."""
    folder = tmp_path_factory.mktemp("reader")
    reader = Reader(folder)
    (folder / "conf").mkdir()
    (folder / "conf" / "spark-defaults.conf").write_text(DEFAULTS)
    shutil.copyfile(ROOT / "examples" / "orders.py", folder / "app.py")
    wheel(folder / "dist")
    environment(folder / "environment-of-mine")
    install = blocks.run("README.md", "bash")[0]
    assert install.text.startswith("pip install dist/ember_spark-")
    reader.types(install.text)
    return reader


@pytest.fixture(scope="session")
def library(reader):
    """The library that the pages take texts from: the example of the crate ``ember-udf``."""
    return shutil.copyfile(libraries.rust(), reader.folder / "libtexts.so")


def wheel(folder):
    """The wheel, of this checkout and the jars in ``dist``."""
    build = ["wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder)]
    command = [sys.executable, "-m", "pip", *build, str(ROOT / "python" / "ember")]
    subprocess.run(command, check=True)


def environment(folder):
    """An environment that sees the PySpark of this one, and its pip."""
    venv.create(folder, with_pip=False, symlinks=True)
    (packages,) = folder.glob("lib/python3.*/site-packages")
    (packages / "spark.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = folder / "bin" / "pip"
    pip.write_text(f'#!/bin/sh\nexec {folder}/bin/python -m pip "$@"\n')
    pip.chmod(0o755)
