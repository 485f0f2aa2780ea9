"""Says whether a Python can be embedded in Spark's executors, and if not, what to do.

One that only lacks its shared library runs its functions in worker processes of Ember's.

``python -m ember.doctor [--python PATH] [--json]``; ends with 0 if it can be embedded, else 1.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

JAVA_OLDEST = 17
_TIMEOUT_S = 60


def main(arguments: list[str] | None = None) -> int:
    """Examine a Python and print what was found; return the exit code."""
    options = _parser().parse_args(arguments)
    report = examine(options.python)
    text = json.dumps(report, indent=2) if options.json else "\n".join(_lines(report))
    sys.stdout.write(text + "\n")
    return 0 if report["embeddable"] else 1


def examine(python: str) -> dict[str, Any]:
    """Return the facts of ``python`` and of Java, the problems, and the verdict."""
    report = _ask(python)
    report["embeddable"] = not report["problems"]
    report["java"], java_problem = _java()
    if java_problem is not None:
        report["problems"].append(java_problem)
    return report


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ember.doctor",
        description="Say whether a Python can be embedded in Spark's executors.",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--python",
        metavar="PATH",
        default=os.environ.get("PYSPARK_PYTHON") or sys.executable,
        help="the Python of the executors (default: $PYSPARK_PYTHON, else this one)",
    )
    return parser


def _ask(python: str) -> dict[str, Any]:
    """Have ``python`` tell about itself, with the script that the executors use."""
    script = _facts_script()
    if script is None:
        return _unknown(python, "this copy of Ember is damaged", "pip install ember_spark again")
    try:
        done = subprocess.run(  # noqa: S603 - the Python the user asks about
            [python, str(script)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return _unknown(python, f"it cannot be run: {error}", "give the path of a Python")
    facts = _facts(done.stdout)
    if facts is None:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        return _unknown(python, f"it did not answer: {last}", "use Python 3.9 or later")
    return facts


def _facts(output: str) -> dict[str, Any] | None:
    """Read the last line of what the script has printed."""
    try:
        facts = json.loads(output.splitlines()[-1])
    except (IndexError, ValueError):
        return None
    return facts if isinstance(facts, dict) and "problems" in facts else None


def _facts_script() -> Path | None:
    """Find the script: the wheel has a copy beside this file, a checkout has the original."""
    here = Path(__file__).resolve()
    original = "ember-worker/src/ember_worker/facts.py"
    checkouts = (each / original for each in list(here.parents)[3:4])
    return next(filter(Path.is_file, (here.with_name("_facts.py"), *checkouts)), None)


def _unknown(python: str, problem: str, advice: str) -> dict[str, Any]:
    return {"executable": python, "problems": [{"problem": problem, "advice": advice}]}


def _java() -> tuple[dict[str, Any] | None, dict[str, str] | None]:
    """Return the Java that Spark would use, and the problem with it. It is no verdict on Python."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home) / "bin") if home else None)
    advice = f"install Java {JAVA_OLDEST} or later, or set JAVA_HOME"
    if found is None:
        where = f"JAVA_HOME ({home})" if home else "PATH"
        return None, {"problem": f"no Java on {where}", "advice": advice}
    try:
        done = subprocess.run(  # noqa: S603 - the Java that Spark would run
            [found, "-version"],
            capture_output=True,
            check=False,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, {"problem": f"{found} cannot be run: {error}", "advice": advice}
    version = re.search(r'version "([^"]+)"', done.stderr)
    java = {"executable": found, "version": version.group(1) if version else None}
    major = re.match(r"(?:1\.)?(\d+)", java["version"] or "")
    if major is not None and int(major.group(1)) < JAVA_OLDEST:
        problem = f"Java {java['version']} is older than {JAVA_OLDEST}"
        return java, {"problem": problem, "advice": advice}
    return java, None


def _lines(report: dict[str, Any]) -> list[str]:
    rows = [("python", _with_place(report.get("fullVersion"), report["executable"]))]
    if "packages" in report:
        rows += [("libpython", report["libpython"] or "none"), ("bridge", report["bridge"])]
        rows += [(name, _shown(package)) for name, package in report["packages"].items()]
    rows.append(("java", _shown(report["java"])))
    width = max(len(name) for name, _ in rows)
    lines = [f"{name:<{width}}  {value}" for name, value in rows]
    for found in report["problems"]:
        lines += ["", f"problem: {found['problem']}", f"     do: {found['advice']}"]
    return [*lines, "", _verdict(report)]


def _verdict(report: dict[str, Any]) -> str:
    if report["embeddable"]:
        return "This Python can be embedded."
    if report.get("workers_problem", "unknown") is None:
        return "This Python cannot be embedded. Its functions run in worker processes of Ember's."
    return "This Python cannot be embedded."


def _shown(found: dict[str, Any] | None) -> str:
    if found is None:
        return "none"
    return _with_place(found["version"], found.get("location") or found.get("executable"))


def _with_place(version: str | None, place: str | None) -> str:
    return "  ".join([f"{version or '?':<8}", *([place] if place else [])])


if __name__ == "__main__":
    sys.exit(main())
