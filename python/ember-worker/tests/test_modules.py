"""Whether an interpreter that has served one application may serve another."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import ember_worker

SOURCE = Path(ember_worker.__file__).parents[1]
ASKS = "print(modules.are_as_installed(), file=sys.stderr)"


def _told(*lines: str, path: Path | None = None) -> list[str]:
    """Boot an interpreter that finds modules in ``path``; return what ``lines`` tell."""
    told = {"environment": {"SPARK_PYTHON_RUNTIME": "PYTHON_WORKER"}}
    before = ["import os, sys", "from ember_worker import boot", f"boot.start({told})"]
    code = [*before, "from ember_worker.isolation import modules", *lines]
    places = [str(SOURCE), *([str(path)] if path else [])]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(code)],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(places)},
        text=True,
    )
    return done.stderr.splitlines()


def test_an_interpreter_is_as_new_whatever_of_an_installation_was_loaded() -> None:
    loads = "import pyarrow.compute, pyspark.sql.functions, wave, xml.dom.minidom, sqlite3"
    assert _told(ASKS, loads, ASKS) == ["True", "True"]


def test_it_is_not_once_a_module_of_a_users_own_was_loaded(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("")
    forgets = "del sys.modules['mine']"
    assert _told(ASKS, "import mine", ASKS, forgets, ASKS, path=tmp_path) == [
        *("True", "False", "True")
    ]


def test_nor_once_what_is_installed_has_changed(tmp_path: Path) -> None:
    installed = tmp_path / "installed.py"
    installed.write_text("")
    declares = f"modules._installed.append({str(tmp_path)!r} + os.sep)"
    changes = f"os.utime({str(installed)!r})"
    lines = (declares, "import installed", ASKS, changes, ASKS)
    assert _told(*lines, path=tmp_path) == ["True", "False"]


def test_a_module_is_not_asked_for_what_it_has_not() -> None:
    code = """
class Lazy(type(sys)):
    def __getattr__(self, name):
        raise AssertionError(name)
sys.modules['lazy'] = Lazy('lazy')
sys.modules['absent'] = None
"""
    assert _told(code, ASKS) == ["True"]


def test_the_next_application_finds_no_folder_of_the_one_before(tmp_path: Path) -> None:
    folder = str(tmp_path / "userFiles")
    tells = f"print({folder!r} in sys.path, sys.path == before, file=sys.stderr)"
    code = f"""
from ember_worker import isolation
from ember_worker.isolation import process
before = sys.path.copy()
sys.path.insert(1, {folder!r})
process.keep_path_additions(before)
process.leave(process.PROCESS)
{tells}
isolation.hand_over()
{tells}
process.leave(process.PROCESS)
{tells}
"""
    assert _told(code) == ["True False", "False True", "False True"]


def test_who_still_runs_keeps_its_folders_until_it_ends(tmp_path: Path) -> None:
    folder = str(tmp_path / "userFiles")
    code = f"""
from ember_worker import isolation
from ember_worker.isolation import process
from ember_worker.state import State
runs = State({{}})
process.enter(runs, lambda: False)
sys.path.insert(1, {folder!r})
process.keep_path_additions(sys.path[:1] + sys.path[2:])
isolation.hand_over()
print({folder!r} in sys.path, file=sys.stderr)
process.leave(runs)
print({folder!r} in sys.path, file=sys.stderr)
"""
    assert _told(code) == ["True", "False"]
