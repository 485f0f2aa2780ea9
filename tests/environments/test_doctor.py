"""What the doctor finds in each environment, and what it says to do."""

import json
import os
import subprocess
from pathlib import Path

import making
import pytest

SOURCES = making.REPOSITORY / "python"


def examined(python, wrapper=()):
    """The doctor's report of the Python that runs it, and its exit code."""
    path = [SOURCES / "ember" / "src", SOURCES / "ember-worker" / "src"]
    kept = {key: os.environ[key] for key in ("HOME", "LANG", "JAVA_HOME") if key in os.environ}
    done = subprocess.run(
        [*wrapper, str(python), "-m", "ember.doctor", "--json"],
        env={**kept, "PATH": "/usr/bin:/bin", "PYTHONPATH": os.pathsep.join(map(str, path))},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stderr == ""
    return json.loads(done.stdout), done.returncode


def advice(report):
    return {found["problem"]: found["advice"] for found in report["problems"]}


@pytest.mark.parametrize(
    ("make", "bridge"),
    [
        (lambda: making.pyenv_venv("3.12"), "py312"),
        (lambda: making.pyenv_venv("3.13"), "py313"),
        (making.debian_venv, "py311"),
        (making.uv_managed, "py314"),
    ],
    ids=["pyenv-3.12", "pyenv-3.13", "debian", "uv-3.14"],
)
def test_a_sound_environment_is_found_sound(make, bridge, made):
    python = made(make)
    report, code = examined(python)
    assert (report["problems"], report["embeddable"], code) == ([], True, 0)
    assert report["executable"] == str(python)
    assert report["bridge"] == bridge
    assert report["venv"]
    library = Path(report["libpython"])
    assert library.name == f"libpython{report['version']}.so.1.0"
    assert library.is_file()
    for package in making.PACKAGES:
        name, version = package.split("==")
        assert report["packages"][name]["version"] == version
        assert report["packages"][name]["location"].startswith(str(python.parents[1]))


@pytest.mark.parametrize("minor", ["3.8", "3.9"])
def test_a_python_too_old_is_told_so_and_one_without_packages_which(minor, made):
    report, code = examined(made(making.pyenv, minor))
    assert (report["version"], report["embeddable"], code) == (minor, False, 1)
    told = advice(report)
    assert told["pyspark is missing"] == "pip install pyspark"
    assert ("no bridge for Python 3.8" in told) == (minor == "3.8")
    words = "PySpark 3.5.x, 4.0.x, 4.1.x, 4.2.x, 4.3.x needs Python 3.9"
    assert told.get(words) == ("use Python 3.9 or later" if minor == "3.8" else None)


def test_a_python_without_its_shared_library_is_told_what_is_missing(made):
    report, code = examined(made(making.slim_venv))
    assert (report["embeddable"], code) == (False, 1)
    reason = "built with a shared library, but libpython3.14.so.1.0 was not found"
    what_to_do = "install a Python 3.14 that was built with --enable-shared"
    assert advice(report) == {f"no shared libpython: {reason}": what_to_do}


def test_a_free_threaded_python_is_refused_in_both_places_with_what_to_take_instead(made):
    report, code = examined(made(making.free_threaded_venv))
    assert (report["free_threaded"], report["embeddable"], code) == (True, False, 1)
    what_to_do = f"use the ordinary build of Python {report['version']}"
    assert advice(report) == {"no bridge for a free-threaded build": what_to_do}
    assert report["workers_problem"] == "no bridge for a free-threaded build"


def test_debians_python_without_its_library_package_is_told_which(made, hiding):
    python = made(making.debian_venv)
    _, code = examined(python)
    report, without = examined(python, hiding(*making.hide_debians_libraries()))
    assert (code, without) == (0, 1)
    (told,) = advice(report).values()
    assert told == f"apt-get install libpython{report['version']}"


def test_the_library_of_another_python_of_the_same_minor_version_is_not_taken(made, hiding):
    python = made(making.debian_venv)
    report, _ = examined(python)
    other = made(making.pyenv, report["version"])
    foreign, _ = examined(other)
    assert foreign["fullVersion"] != report["fullVersion"]
    exchanged = hiding(f"mount --bind {foreign['libpython']} {report['libpython']}")
    after, code = examined(python, exchanged)
    assert (after["libpython"], code) == (None, 1)
    words = (
        f"{report['libpython']}: it is Python {foreign['fullVersion']}, not {report['fullVersion']}"
    )
    assert words in after["reason"]


def test_a_python_that_only_lacks_packages_is_told_which(made):
    report, code = examined(made(making.standalone))
    assert code == 1
    assert advice(report) == {
        "pyspark is missing": "pip install pyspark",
        "pyarrow is missing": "pip install pyarrow",
    }
