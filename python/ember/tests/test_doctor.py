"""The doctor's verdict, its advice and its exit code."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))
from ember import doctor


def _script(path: Path, body: str) -> str:
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def _told(*problems: str) -> dict[str, Any]:
    return {
        "executable": "/opt/python",
        "fullVersion": "3.11.7",
        "libpython": "/opt/lib/libpython3.11.so.1.0",
        "bridge": "py311",
        "packages": {"pyspark": {"version": "4.3.0", "location": "/opt/pyspark"}, "numpy": None},
        "problems": [{"problem": problem, "advice": "do this"} for problem in problems],
    }


@pytest.fixture
def java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Java home whose ``java`` says that it is version 17."""
    binary = tmp_path / "home" / "bin" / "java"
    binary.parent.mkdir(parents=True)
    _script(binary, "echo 'openjdk version \"17.0.2\"' >&2")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    return binary


@pytest.mark.usefixtures("java")
def test_this_python_is_examined_by_the_workers_own_script(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = doctor.main(["--json", "--python", sys.executable])
    report = json.loads(capsys.readouterr().out)
    assert report["executable"] == sys.executable
    assert report["packages"]["pyspark"] is not None
    assert report["java"]["version"] == "17.0.2"
    assert report["embeddable"] == (code == 0) == (report["problems"] == [])


def test_a_sound_python_ends_with_0_and_reads_well(
    java: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    python = _script(tmp_path / "python", f"echo noise; echo '{json.dumps(_told())}'")
    assert doctor.main(["--python", python]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "python     3.11.7    /opt/python",
        "libpython  /opt/lib/libpython3.11.so.1.0",
        "bridge     py311",
        "pyspark    4.3.0     /opt/pyspark",
        "numpy      none",
        f"java       17.0.2    {java}",
        "",
        "This Python can be embedded.",
    ]


@pytest.mark.usefixtures("java")
def test_a_problem_ends_with_1_and_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    python = _script(tmp_path / "python", f"echo '{json.dumps(_told('it is odd'))}'")
    assert doctor.main(["--python", python]) == 1
    assert capsys.readouterr().out.splitlines()[-5:] == [
        "",
        "problem: it is odd",
        "     do: do this",
        "",
        "This Python cannot be embedded.",
    ]


@pytest.mark.usefixtures("java")
def test_a_python_that_only_cannot_be_embedded_is_said_to_run_in_workers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = {**_told("no shared libpython"), "workers_problem": None}
    python = _script(tmp_path / "python", f"echo '{json.dumps(told)}'")
    assert doctor.main(["--python", python]) == 1
    last = "This Python cannot be embedded. Its functions run in worker processes of Ember's."
    assert capsys.readouterr().out.splitlines()[-1] == last


@pytest.mark.usefixtures("java")
@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("echo 'SyntaxError: old' >&2; exit 1", "it did not answer: SyntaxError: old"),
        ("exit 0", "it did not answer: no output"),
        ("echo {", "it did not answer: no output"),
        ("echo 3.11", "it did not answer: no output"),
        ("echo '{}'", "it did not answer: no output"),
        (r"printf '\377: old\n' >&2", "it did not answer: \ufffd: old"),
    ],
)
def test_a_python_that_does_not_answer_is_a_problem(
    body: str, problem: str, tmp_path: Path
) -> None:
    report = doctor.examine(_script(tmp_path / "python", body))
    assert [found["problem"] for found in report["problems"]] == [problem]
    assert not report["embeddable"]


@pytest.mark.usefixtures("java")
def test_a_python_that_is_not_there_is_a_problem() -> None:
    assert doctor.main(["--python", "/no/such/python"]) == 1


def test_a_missing_or_old_java_is_reported_but_is_no_verdict_on_python(
    java: Path, tmp_path: Path
) -> None:
    python = _script(tmp_path / "python", f"echo '{json.dumps(_told())}'")
    _script(java, "echo 'java version \"1.8.0_312\"' >&2")
    report = doctor.examine(python)
    assert report["embeddable"]
    assert report["problems"][0]["problem"] == "Java 1.8.0_312 is older than 17"
    java.unlink()
    report = doctor.examine(python)
    assert report["java"] is None
    assert report["problems"][0]["problem"].startswith("no Java on JAVA_HOME")


def test_a_java_may_speak_another_encoding(java: Path, tmp_path: Path) -> None:
    _script(java, r"""printf 'openjdk version "21.0.1" \377\n' >&2""")
    report = doctor.examine(_script(tmp_path / "python", f"echo '{json.dumps(_told())}'"))
    assert report["java"]["version"] == "21.0.1"


@pytest.mark.usefixtures("java")
def test_the_python_of_the_executors_is_the_one_spark_would_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    python = _script(tmp_path / "python", f"echo '{json.dumps(_told())}'")
    monkeypatch.setenv("PYSPARK_PYTHON", python)
    assert doctor.main(["--json"]) == 0
    assert json.loads(capsys.readouterr().out)["executable"] == "/opt/python"
