"""Flame graphs as pages, and as text.

A page is drawn by d3-flame-graph, which every Spark since 4.0 has for thread dumps in its own web
UI: it is read from Spark's jar and put into the page, which then needs nothing but itself.
"""

from __future__ import annotations

import json
import os
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ember.errors import EmberError
from ember.jars import spark_home

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Draw = Callable[[Mapping[str, float]], object]

_STATIC: Final = "org/apache/spark/ui/static/"
_PARTS: Final = ("d3-flamegraph.css", "d3.min.js", "d3-flamegraph.min.js")


def drawing(path: Path) -> Draw:
    """Return what draws stacks to ``path``; whatever can be missing for that is found out now."""
    path = path.absolute()
    _check(path)
    if path.suffix == ".folded":
        return lambda stacks: path.write_text(folded(stacks), encoding="utf-8")
    if path.suffix == ".html":
        parts = _parts()
        return lambda stacks: path.write_text(page(stacks, parts), encoding="utf-8")
    message = f"{path} is neither .html, a page, nor .folded, text for other tools: rename it"
    raise EmberError(message)


def _check(path: Path) -> None:
    """Refuse a path that nothing can be written to."""
    folder = path.parent
    if not folder.is_dir():
        message = f"{path} cannot be written: {folder} is no folder"
    elif path.is_dir():
        message = f"{path} is a folder: name a file"
    elif not os.access(path if path.exists() else folder, os.W_OK):
        message = f"{path} may not be written here"
    else:
        return
    raise EmberError(message)


def folded(stacks: Mapping[str, float]) -> str:
    """Write a line for each stack: its frames, a space, and its microseconds."""
    return "".join(f"{stack} {round(stacks[stack] * 1e6)}\n" for stack in sorted(stacks))


def page(stacks: Mapping[str, float], parts: Mapping[str, str]) -> str:
    """Write the page of stacks, with the parts that draw it."""
    # No text of a frame may end the script that it stands in.
    data = json.dumps(merged(stacks)).replace("<", "\\u003c")
    words = {**parts, "stacks": data}
    template = Path(__file__).with_suffix(".html").read_text(encoding="utf-8")
    places = "|".join(map(re.escape, words))
    return re.sub(rf"\{{({places})\}}", lambda place: words[place[1]], template)


def merged(stacks: Mapping[str, float]) -> list[tuple[int, str, float]]:
    """Merge stacks into frames: the place of its caller in this list, its name, milliseconds.

    The first is all of it, and the time of a frame is that of all it called, too. Frames within
    frames would be deeper than Python writes as JSON.
    """
    callers, spent = [(-1, "all tasks")], [0.0]
    places: dict[tuple[int, str], int] = {}
    for stack, seconds in stacks.items():
        at = 0
        spent[at] += seconds * 1e3
        for name in stack.split(";"):
            called = (at, name)
            if called not in places:
                places[called] = len(callers)
                callers.append(called)
                spent.append(0.0)
            at = places[called]
            spent[at] += seconds * 1e3
    return [(*caller, round(time, 3)) for caller, time in zip(callers, spent, strict=True)]


def _parts() -> dict[str, str]:
    """Read what draws from Spark's own jar."""
    for jar in _cores():
        with zipfile.ZipFile(jar) as archive:
            if set(archive.namelist()).issuperset(_STATIC + part for part in _PARTS):
                return {part: archive.read(_STATIC + part).decode() for part in _PARTS}
    message = (
        "a page is drawn by what draws Spark's own, and here are no jars of Spark's that have it: "
        "name a path that ends in .folded, for speedscope and other tools"
    )
    raise EmberError(message)


def _cores() -> list[Path]:
    """Find Spark's jar; a client of Spark Connect may be without."""
    try:
        return list((spark_home() / "jars").glob("spark-core_*.jar"))
    except EmberError:
        return []
