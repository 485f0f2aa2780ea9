"""``facts.py`` tells the truth about the Python that runs it, and what to do about problems."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pyspark
import pytest

from ember_worker import boot, facts

SCRIPT = Path(facts.__file__)
PAIRS = Path(__file__).resolve().parents[3] / "ci" / "pairs.txt"
THIS = "libpython{}.{}".format(*sys.version_info)


def _run(**environment: str) -> Any:
    command = [sys.executable, str(SCRIPT)]
    done = subprocess.run(
        command, capture_output=True, check=True, env={**os.environ, **environment}
    )
    assert done.stderr == b""
    return json.loads(done.stdout)


def test_it_prints_one_object_with_every_fact() -> None:
    told = _run()
    assert told["executable"] == sys.executable
    assert told["version"] == "{}.{}".format(*sys.version_info)
    assert told["fullVersion"].startswith(told["version"] + ".")
    assert told["bridge"] == "py{}{}".format(*sys.version_info)
    assert told["implementation"] == "CPython"
    assert told["packages"]["pyspark"]["version"] == pyspark.__version__
    assert told["packages"]["pyspark"]["location"] == str(Path(pyspark.__file__).parent)
    assert set(told["packages"]) == set(facts.PACKAGES)
    assert (told["problem"] is None) == (told["problems"] == [])


def test_the_library_it_names_is_a_real_shared_object_of_this_version() -> None:
    library, reason = facts.find_libpython()
    if library is None:
        assert reason
        pytest.skip(f"this Python has none: {reason}")
    assert Path(library).resolve() == Path(library)
    assert Path(library).name.startswith(THIS)
    assert facts._why_not(library) is None


def test_what_is_no_shared_library_of_this_version_is_refused(tmp_path: Path) -> None:
    def why(name: str, content: bytes) -> str | None:
        path = tmp_path / name
        path.write_bytes(content)
        return facts._why_not(str(path))

    executable = Path(os.path.realpath("/bin/sh")).read_bytes()[:64]
    relocatable = executable[:16] + b"\1\0" + executable[18:]
    foreign = executable[:16] + b"\3\0\x28\0" + executable[20:]
    assert why(f"{THIS}.so", b"INPUT(other.so)" * 3) == "not an ELF file"
    assert why(f"{THIS}.so", b"") == "not an ELF file"
    assert why(f"{THIS}.so", relocatable) == "not a shared object"
    assert why(f"{THIS}.so", foreign) == "built for another machine"
    assert why("libpython3.so", executable) is not None
    assert why("libpython2.7.so.1.0", executable) is not None
    assert why(f"{THIS}.a", executable) is not None
    assert facts._why_not(str(tmp_path / f"{THIS}.so.9")) == (
        "cannot be read (No such file or directory)"
    )


def test_a_library_must_be_of_the_very_version(monkeypatch: pytest.MonkeyPatch) -> None:
    library, _ = facts.find_libpython()
    if library is None:
        pytest.skip("this Python has no library to ask")
    this = sys.version.split()[0]
    assert facts._other_build(library) is None
    monkeypatch.setattr(facts.sys, "version", "3.99.1 (main)")
    assert facts._other_build(library) == f"it is Python {this}, not 3.99.1"
    monkeypatch.setattr(facts, "_mapped", list)
    found, reason = facts.find_libpython()
    assert found is None
    assert f"{library}: it is Python {this}, not 3.99.1" in (reason or "")


def test_what_states_no_version_is_no_libpython() -> None:
    library = next(path for path in facts._mapped() if Path(path).name.startswith("libc."))
    why = facts._other_build(library)
    assert why is not None
    assert why.startswith("cannot be opened (")


def test_a_python_with_only_a_static_library_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / f"{THIS}.a").write_bytes(b"!<arch>\n")
    monkeypatch.setattr(facts, "_folders", lambda: [str(tmp_path)])
    monkeypatch.setattr(facts, "_mapped", list)
    monkeypatch.setattr(facts.sysconfig, "get_config_var", lambda _name: None)
    assert facts.find_libpython() == (None, "built without a shared library (no --enable-shared)")


def test_a_library_of_another_kind_in_the_right_place_is_named_in_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / f"{THIS}.so"
    script.write_text("GROUP ( libpython.a )", encoding="utf-8")
    monkeypatch.setattr(facts, "_folders", lambda: [str(tmp_path)])
    monkeypatch.setattr(facts, "_mapped", list)
    assert facts.find_libpython() == (None, f"{script}: not an ELF file")


def test_pyspark_in_a_zip_file_has_its_own_version_and_not_the_installed_one(
    tmp_path: Path,
) -> None:
    package = tmp_path / "pyspark.zip"
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("pyspark/__init__.py", "")
        archive.writestr("pyspark/version.py", '__version__: str = "3.4.4"\n')
    told = _run(PYTHONPATH=str(package))
    assert told["packages"]["pyspark"] == {
        "version": "3.4.4",
        "location": str(package / "pyspark"),
    }
    advice = {found["problem"]: found["advice"] for found in told["problems"]}
    assert advice["PySpark 3.4.4 has no seam"] == ("use PySpark 3.5.x, 4.0.x, 4.1.x, 4.2.x, 4.3.x")


def test_every_spark_that_has_a_jar_has_a_seam_and_its_oldest_python() -> None:
    lines = (line.split() for line in PAIRS.read_text(encoding="utf-8").splitlines())
    pysparks = (words for words in lines if words[0] != "#" and "_" not in words[0])
    oldest = {words[0].rpartition(".")[0]: words[2] for words in pysparks}
    assert {line: "{}.{}".format(*found) for line, found in facts.PYSPARKS.items()} == oldest
    assert list(boot.SEAMS) == list(oldest)


def _told(**changes: Any) -> Any:
    packages = {name: {"version": "99.0", "location": "/x"} for name in facts.PACKAGES}
    packages["pyspark"]["version"] = "4.3.0"
    usual = {
        "implementation": "CPython",
        "version": "3.11",
        "fullVersion": "3.11.7",
        "free_threaded": False,
        "debug": False,
        "libpython": "/lib/libpython3.11.so",
        "reason": None,
        "conda": False,
        "base_prefix": "/opt",
        "packages": packages,
    }
    return {**usual, **changes}


@pytest.mark.parametrize(
    ("changes", "problem", "advice"),
    [
        ({"implementation": "PyPy"}, "PyPy cannot be embedded", "use CPython"),
        (
            {"free_threaded": True},
            "no bridge for a free-threaded build",
            "use the ordinary build of Python 3.11",
        ),
        ({"debug": True}, "no bridge for a debug build", "use the ordinary build of Python 3.11"),
        (
            {"libpython": None, "reason": "static", "conda": True},
            "no shared libpython: static",
            "conda install 'python=3.11'",
        ),
        (
            {
                "libpython": None,
                "reason": "static",
                "base_prefix": "/home/u/.pyenv/versions/3.11.7",
            },
            "no shared libpython: static",
            "PYTHON_CONFIGURE_OPTS=--enable-shared pyenv install --force 3.11.7",
        ),
        (
            {"libpython": None, "reason": "static"},
            "no shared libpython: static",
            "install a Python 3.11 that was built with --enable-shared",
        ),
    ],
)
def test_every_problem_comes_with_what_to_do(
    changes: dict[str, Any], problem: str, advice: str
) -> None:
    assert (problem, advice) in list(facts._problems(_told(**changes)))


def test_missing_and_old_packages_are_problems_but_a_missing_pandas_is_none() -> None:
    packages = dict.fromkeys(facts.PACKAGES)
    found = [problem for problem, _ in facts._package_problems(packages)]
    assert found == ["pyspark is missing", "pyarrow is missing"]
    packages["pyarrow"] = {"version": "17.0.0", "location": "/x"}
    assert ("pyarrow 17.0.0 is older than 18.0", "pip install 'pyarrow>=18.0'") in list(
        facts._package_problems(packages)
    )


def test_a_python_too_old_for_its_pyspark_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "PYSPARKS", {"4.3": (3, 99)})
    found = list(facts._package_problems(_told()["packages"]))
    assert found == [("PySpark 4.3.0 needs Python 3.99", "use Python 3.99 or later")]
    older = _told()["packages"] | {"pyspark": {"version": "4.0.5", "location": "/x"}}
    found = list(facts._package_problems(older))
    assert found == [("PySpark 4.3.x needs Python 3.99", "use Python 3.99 or later")]


@pytest.mark.parametrize("name", ["python3.8", "python3.9", "python3.10"])
def test_an_older_python_still_answers(name: str) -> None:
    python = shutil.which(name)
    if python is None:
        pytest.skip(f"no {name} here")
    done = subprocess.run([python, str(SCRIPT)], capture_output=True, check=False)
    if done.returncode != 0 and b"not found" in done.stderr:
        pytest.skip(f"{name} is only a name here")
    told = json.loads(done.stdout)
    assert told["version"] == name[len("python") :]
    assert ("no bridge for Python" in (told["problem"] or "")) == (name == "python3.8")
