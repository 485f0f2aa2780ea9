"""The settings that PySpark's spark-submit finds by itself: in its arguments, and in files."""

from __future__ import annotations

import os
import re
import shlex
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ember.jars import spark_home

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ARGUMENTS: Final = "PYSPARK_SUBMIT_ARGS"
_ENTRY: Final = re.compile(r"\s*(spark\.[^\s=:]+)\s*[\s=:]\s*(.*?)\s*")
_CONTROLS: Final = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}


def arguments() -> dict[str, str]:
    """Read the settings that PySpark will hand to spark-submit."""
    settings = {}
    for option, value in _options():
        if option in ("--conf", "-c"):
            key, _, setting = value.partition("=")
            settings[key] = setting
        elif option == "--jars":
            settings["spark.jars"] = value
    return settings


def files() -> list[dict[str, str]]:
    """Read the files of settings, sorted as Spark would ask them. Arguments go before them all.

    One that is named takes the place of ``spark-defaults.conf``, unless that is asked for as well.
    """
    options = _options()
    named = [value for option, value in options if option == "--properties-file"][-1:]
    extra = [value for option, value in options if option == "--extra-properties-file"]
    found = [_read(Path(path)) for path in [*reversed(extra), *named]]
    if not named or any(option == "--load-spark-defaults" for option, _ in options):
        found.append(_read(_defaults()))
    return found


def _options() -> list[tuple[str, str]]:
    """Return each word with the one after it, which is its value if it is an option."""
    words = shlex.split(os.environ.get(ARGUMENTS, ""))
    parts = (word.split("=", 1) if word.startswith("--") else [word] for word in words)
    return list(pairwise(chain.from_iterable(parts)))


def _defaults() -> Path:
    folder = os.environ.get("SPARK_CONF_DIR") or spark_home() / "conf"
    return Path(folder, "spark-defaults.conf")


def _read(path: Path) -> dict[str, str]:
    """Read a file of settings as Java's ``Properties`` does; one that is not there has none."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    found = map(_ENTRY.fullmatch, _joined(text.split("\n")))
    return {match[1]: _plain(match[2]) for match in found if match}


def _joined(lines: Iterable[str]) -> Iterator[str]:
    """Join each line that ends with a backslash to the next, but for those of comments."""
    whole = ""
    for line in lines:
        whole += line.lstrip()
        escapes = len(whole) - len(whole.rstrip("\\"))
        if escapes % 2 and not whole.startswith(("#", "!")):
            whole = whole[:-1]
        else:
            yield whole
            whole = ""
    yield whole


def _plain(value: str) -> str:
    """Take the escapes out of a value."""
    return re.sub(r"\\(u[0-9a-fA-F]{4}|.)", lambda found: _character(found[1]), value)


def _character(escape: str) -> str:
    return chr(int(escape[1:], 16)) if len(escape) > 1 else _CONTROLS.get(escape, escape)
