"""Booting: what the interpreter is afterwards, and what it says when it cannot be."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import ember_worker

SOURCE = Path(ember_worker.__file__).parents[1]
#: As the plugin tells of the session that starts the interpreter; PySpark wants it from 4.2 on.
WORKER = {"SPARK_PYTHON_RUNTIME": "PYTHON_WORKER"}


def _boot(code: str, *, before: str = "", told: dict[str, str] | None = None) -> str:
    """Boot a fresh interpreter; return what ``code`` prints to standard error."""
    config = {"environment": {**WORKER, **(told or {})}}
    lines = ["import sys", before, "from ember_worker import boot", f"boot.start({config})", code]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        text=True,
    )
    return done.stderr


def test_the_interpreter_looks_like_a_workers() -> None:
    told = _boot("print(sys.path[0]); print(sys.argv[1]); print(sys.stdin.read() == '')")
    assert told.splitlines() == [str(Path.cwd()), "pyspark.worker", "True"]


def test_what_the_jvm_set_of_the_locale_is_as_in_a_worker() -> None:
    told = _boot(
        "print(locale.setlocale(locale.LC_ALL), file=sys.stderr)",
        before="import locale; locale.setlocale(locale.LC_ALL, 'C.UTF-8')",
    )
    asked = "import locale; locale.setlocale(locale.LC_CTYPE, 'C.UTF-8');"
    fresh = [sys.executable, "-c", f"{asked} print(locale.setlocale(locale.LC_ALL))"]
    assert told == subprocess.check_output(fresh, text=True)


def test_arrow_has_as_many_threads_as_in_a_worker() -> None:
    code = "import pyarrow; print(pyarrow.cpu_count(), file=sys.stderr)"
    assert _boot(code, told={"OMP_NUM_THREADS": "7"}).splitlines() == ["7"]


def test_libraries_in_c_are_told_of_as_many_threads_as_in_a_worker() -> None:
    code = (
        "import ctypes; told = ctypes.CDLL(None).getenv; told.restype = ctypes.c_char_p;"
        "print(told(b'OMP_NUM_THREADS'), told(b'OTHER'), file=sys.stderr)"
    )
    told = {"OMP_NUM_THREADS": "7", "OTHER": "of the session"}
    assert _boot(code, told=told).splitlines() == ["b'7' None"]


def test_a_pyspark_without_a_seam_is_named() -> None:
    told = _boot("", before="import pyspark; pyspark.__version__ = '2.4.8'")
    assert told.splitlines()[-1] == (
        "ember_worker.boot.CannotEmbedError: cannot embed: PySpark 2.4.8 has no seam"
    )


@pytest.mark.parametrize("name", ["pyarrow", "pyspark"])
def test_a_missing_package_is_named(name: str) -> None:
    told = _boot("", before=f"sys.modules[{name!r}] = None")
    assert told.splitlines()[-1].startswith("ember_worker.boot.CannotEmbedError: cannot embed: ")
    assert name in told.splitlines()[-1]


def test_a_worker_that_was_imported_too_early_is_refused() -> None:
    told = _boot("", before="import pyspark.worker")
    assert "was imported before the accumulators were separated" in told.splitlines()[-1]


def test_pandas_is_not_needed() -> None:
    told = _boot("print('booted')", before="sys.modules['pandas'] = None")
    assert told.splitlines() == ["booted"]


def test_what_the_first_session_is_told_is_not_the_processs() -> None:
    code = "import os; print(os.environ.get('SPARK_PYTHON_RUNTIME'), file=sys.stderr)"
    assert _boot(code).splitlines() == ["None"]
