"""Where the plugin's jar lies that fits the installed Spark.

``python -m ember.jars [VERSION]`` prints its path, for ``spark-submit --jars "$(python -m
ember.jars)"``.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from pathlib import Path
from typing import Final

from ember.errors import EmberError

#: A path to a jar, to take in the place of those of the package.
VARIABLE: Final = "EMBER_JAR"
_NAME: Final = re.compile(r"ember-spark-(?P<line>\d+\.\d+)_(?P<scala>\d+\.\d+)\.jar")


def main(arguments: list[str]) -> int:
    """Print the path of the jar, for the command lines of others; return the exit code."""
    try:
        found = jar(*arguments[:1])
    except EmberError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{found}\n")
    return 0


def jar(spark: str | None = None) -> Path:
    """Return the path of the plugin's jar for a Spark, such as ``"4.3.0"`` or ``"4.3"``.

    Without a version it is that of the installed PySpark, and of the Scala of the Spark it runs:
    ``SPARK_HOME``'s, or its own. A version may name a Scala, as in ``"3.5.9_2.13"``; without one
    it is that of PySpark's own jars.

    Raises
    ------
    EmberError
        There is no PySpark, or no jar for that Spark.
    """
    if named := os.environ.get(VARIABLE):
        return _existing(Path(named))
    version, _, scala = (_installed() if spark is None else spark).partition("_")
    line = ".".join(version.split(".")[:2])
    jars = _jars()
    fitting = {each: path for (its_line, each), path in jars.items() if its_line == line}
    wanted = _scala() if spark is None else scala
    # PySpark's own is the older one of the two that Spark 3.5 has.
    wanted = wanted or min(fitting, default="")
    if wanted not in fitting:
        raise EmberError(_nothing_for(version, wanted, sorted(jars)))
    return fitting[wanted]


def spark_home() -> Path:
    """Return the folder of the Spark in use: ``SPARK_HOME``, or PySpark's own.

    Raises
    ------
    EmberError
        There is none.
    """
    from pyspark.find_spark_home import _find_spark_home  # noqa: PLC0415 - as below

    try:
        with contextlib.redirect_stderr(io.StringIO()):  # it prints, and ends the process
            return Path(_find_spark_home())
    except SystemExit:
        message = (
            "there is no Spark here: set SPARK_HOME, or pip install pyspark, which brings one as "
            "pyspark-client does not"
        )
        raise EmberError(message) from None


def _existing(path: Path) -> Path:
    if path.is_file():
        return path
    message = f"{VARIABLE} is {path}, and there is no such file: unset it, or correct it"
    raise EmberError(message)


def _installed() -> str:
    try:
        from pyspark.version import __version__  # noqa: PLC0415 - the package does without
    except ImportError:
        message = "there is no PySpark here: install it, or name its version, as in jar('4.3')"
        raise EmberError(message) from None
    return __version__


def _jars() -> dict[tuple[str, str], Path]:
    """Find the jars by the Spark and the Scala that they are for."""
    folders = [Path(__file__).with_name("plugin")]
    checkouts = list(Path(__file__).resolve().parents)[4:5]
    folders += [path / "dist" for path in checkouts if (path / "build.sbt").is_file()]
    found: dict[tuple[str, str], Path] = {}
    for folder in folders:
        for path in sorted(folder.glob("ember-spark-*.jar")):
            if match := _NAME.fullmatch(path.name):
                found.setdefault((match["line"], match["scala"]), path)
    return found


def _nothing_for(version: str, scala: str, known: list[tuple[str, str]]) -> str:
    if not known:
        return (
            "this copy of Ember holds no jar: pip install an ember_spark wheel, "
            "or run ci/build in the checkout"
        )
    names = ", ".join(f"{line} (Scala {scala})" for line, scala in known)
    return (
        f"there is no jar for Spark {version}{scala and f' of Scala {scala}'}; "
        f"this copy of Ember has those for Spark {names}: "
        "install such a PySpark, or an ember_spark that has yours"
    )


def _scala() -> str | None:
    """Read the Scala of the installed Spark from the name of a jar that every Spark has."""
    for path in (spark_home() / "jars").glob("spark-core_*.jar"):
        return path.name.removeprefix("spark-core_").split("-")[0]
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
