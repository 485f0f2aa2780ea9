"""Modules: whether another application would find those that a new interpreter finds.

An application's workers end with it. What its functions have imported ends with them, so the next
application imports what its files are then, and module by module begins anew. This interpreter
stays. It may serve the next application while nothing is loaded but what is installed: that changes
with an installation, which its files tell, and what functions have changed of it they might as well
have found changed in a worker that was used before them.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import site
import sys
import sysconfig
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

#: What was loaded before any session, and when that was done, by the clock of files.
_at_start: set[str] = set()
_started: list[float] = []
#: Where what is installed lies, each with a separator behind it.
_installed: list[str] = []


def settle() -> None:
    """Take what is loaded now as what every interpreter has."""
    _at_start.update(sys.modules)
    _started[:] = [time.time()]
    _installed[:] = sorted({os.path.join(os.path.realpath(f), "") for f in _folders()})


def are_as_installed() -> bool:
    """Return whether every module is Python's own or an installed one, and its file unchanged."""
    return bool(_started) and all(map(_is_as_installed, list(sys.modules.items())))


def is_installed(name: str) -> bool:
    """Return whether a module is Python's own or an installed one, and not one of a user's own."""
    name = name.partition(".")[0]
    if name in _at_start or name == "__main__":
        return name != "__main__"
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return False
    if spec is None or spec.origin in ("built-in", "frozen"):
        return spec is not None
    places = [spec.origin] if spec.origin else list(spec.submodule_search_locations or ())
    return bool(places) and all(map(_is_installed_at, places))


@functools.lru_cache(maxsize=1024)
def _is_installed_at(place: str) -> bool:
    return os.path.realpath(place).startswith(tuple(_installed))


def _folders() -> list[str]:
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    found = [sysconfig.get_path(name) for name in names]
    found += [*site.getsitepackages(), site.getusersitepackages()]
    # PySpark's own, which may lie in an archive, and others of the kind.
    for name in _at_start:
        if "." not in name:
            found += [str(folder) for folder in getattr(sys.modules[name], "__path__", ())]
    return [folder for folder in found if folder]


def _is_as_installed(entry: tuple[str, ModuleType | None]) -> bool:
    name, module = entry
    # Not by attribute: a module may load another when it is asked for what it has not.
    file = getattr(module, "__dict__", {}).get("__file__")
    if not isinstance(file, str):
        return True
    if name not in _at_start and not os.path.realpath(file).startswith(tuple(_installed)):
        return False
    with contextlib.suppress(OSError):  # in an archive
        return os.stat(file).st_ctime <= _started[0]
    return True
