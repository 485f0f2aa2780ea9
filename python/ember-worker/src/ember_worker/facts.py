"""What this very Python is, and whether it can be embedded. Prints one JSON object.

Run as ``python facts.py`` by the Python in question: 3.8 and later, standard library only, and no
package is imported to learn its version. ``problems`` lists what stands in the way, each with what
to do about it; Ember embeds a Python whose ``problems`` are empty. Worker processes are this Python
itself, so that they need no shared library: ``workers_problem`` is what stands in their way too.
"""

from __future__ import annotations

import glob
import json
import os
import platform
import re
import struct
import sys
import sysconfig
from typing import Any, Iterator

PACKAGES = ("pyspark", "pyarrow", "pandas", "numpy")
THIS = "{}.{}".format(*sys.version_info)
#: Oldest and newest Python that has a bridge.
OLDEST, NEWEST = (3, 9), (3, 14)
#: PySpark versions (major.minor) that have a seam, and the oldest Python each runs on here.
PYSPARKS = {"3.5": (3, 9), "4.0": (3, 9), "4.1": (3, 10), "4.2": (3, 10), "4.3": (3, 11)}
#: What PySpark 4.3 itself asks for, which is enough for all; pandas may be missing.
OLDEST_PACKAGES = {"pyarrow": (18, 0), "pandas": (2, 2), "numpy": (1, 23)}
NEEDED = ("pyspark", "pyarrow")

_ELF_MACHINES = {"x86_64": 62, "aarch64": 183, "ppc64le": 21, "s390x": 22, "riscv64": 243}


def collect() -> dict[str, Any]:
    """Return every fact, with the problems last: one by one, and as one line or None."""
    library, reason = find_libpython()
    facts: dict[str, Any] = {
        "executable": sys.executable,
        "version": THIS,
        "fullVersion": platform.python_version(),
        "implementation": platform.python_implementation(),
        "bridge": "py" + THIS.replace(".", ""),
        "prefix": sys.prefix,
        "base_prefix": sys.base_prefix,
        "venv": sys.prefix != sys.base_prefix,
        "conda": os.path.isdir(os.path.join(sys.base_prefix, "conda-meta")),
        "libpython": library,
        "reason": reason,
        "soabi": sysconfig.get_config_var("SOABI"),
        "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
        "debug": bool(sysconfig.get_config_var("Py_DEBUG")),
        "libc": _libc(),
        "machine": platform.machine(),
        "packages": {name: _package(name) for name in PACKAGES},
    }
    facts["problems"] = [{"problem": p, "advice": a} for p, a in _problems(facts)]
    facts["problem"] = "; ".join(p["problem"] for p in facts["problems"]) or None
    apart = _problems({**facts, "libpython": library or sys.executable})
    facts["workers_problem"] = "; ".join(problem for problem, _ in apart) or None
    return facts


def find_libpython() -> tuple[str | None, str | None]:
    """Return the shared library that this Python is, or None and why there is none."""
    refused: dict[str, str] = {}
    loaded = _mapped()
    for path in _candidates():
        real = os.path.realpath(path)
        if real in refused or not os.path.isfile(real):
            continue
        why = _why_not(real)
        if why is None and real not in loaded:
            why = _other_build(real)
        if why is None:
            return real, None
        refused[real] = why
    if refused:
        return None, "; ".join(f"{path}: {why}" for path, why in list(refused.items())[:3])
    if sysconfig.get_config_var("Py_ENABLE_SHARED"):
        return None, f"built with a shared library, but {_library_names()[0]} was not found"
    return None, "built without a shared library (no --enable-shared)"


def _candidates() -> Iterator[str]:
    """Name the places, most certain first: what is loaded, what was installed, what is usual."""
    names = _library_names()
    for path in _mapped():
        if os.path.basename(path).startswith(names[0].split(".so")[0]):
            yield path
    for folder in _folders():
        for name in names:
            yield os.path.join(folder, name)
    for folder in _folders():
        for path in sorted(glob.glob(os.path.join(folder, names[0].split(".so")[0] + ".so*"))):
            yield path


def _library_names() -> list[str]:
    flags = getattr(sys, "abiflags", "")
    usual = f"libpython{THIS}{flags}.so"
    built = [sysconfig.get_config_var(key) for key in ("INSTSONAME", "LDLIBRARY")]
    named = [name for name in built if name and ".so" in name]
    return list(dict.fromkeys([*named, usual + ".1.0", usual]))


def _folders() -> list[str]:
    machine = sysconfig.get_config_var("MULTIARCH") or ""
    folders = [
        sysconfig.get_config_var("LIBDIR"),
        os.path.join(sysconfig.get_config_var("LIBDIR") or "", machine),
        os.path.join(sys.base_prefix, "lib"),
        os.path.join(sys.base_prefix, "lib64"),
        os.path.join(sys.base_prefix, "lib", machine),
        os.path.join(os.path.dirname(os.path.realpath(sys.executable)), "..", "lib"),
        sysconfig.get_config_var("LIBPL"),
        os.path.join("/usr/lib", machine),
        f"/usr/lib/python{THIS}/config-{THIS}-{machine}",
        "/usr/lib64",
        "/usr/lib",
        "/usr/local/lib",
    ]
    return list(dict.fromkeys(os.path.normpath(folder) for folder in folders if folder))


def _mapped() -> list[str]:
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
            paths = [line.rstrip("\n").split(None, 5)[5:] for line in maps]
    except OSError:
        return []
    return list(dict.fromkeys(path[0] for path in paths if path and path[0].startswith("/")))


def _why_not(path: str) -> str | None:
    """Return why a file is not the shared library of this Python, or None when it is."""
    if not re.match(rf"libpython{re.escape(THIS)}[a-z]*\.so", os.path.basename(path)):
        return f"not the library of Python {THIS}"
    try:
        with open(path, "rb") as library:
            head = library.read(20)
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    if len(head) < 20 or head[:4] != b"\x7fELF":
        return "not an ELF file"
    order = "<" if head[5] == 1 else ">"
    kind, machine = struct.unpack_from(order + "HH", head, 16)
    if kind != 3:
        return "not a shared object"
    if machine != _ELF_MACHINES.get(platform.machine(), machine):
        return "built for another machine"
    return None


def _other_build(path: str) -> str | None:
    """Return why a library that was found, not loaded, is another Python of the same minor version.

    Its own functions would then run with this one's standard library.
    """
    try:
        import ctypes
    except ImportError:
        return None
    this = sys.version.split()[0]
    try:
        version = ctypes.CDLL(path).Py_GetVersion
        version.restype = ctypes.c_char_p
        found = version().decode().split()[0]
    except (OSError, AttributeError) as error:
        return f"cannot be opened ({error})"
    return None if found == this else f"it is Python {found}, not {this}"


def _libc() -> dict[str, str | None]:
    try:
        name, version = os.confstr("CS_GNU_LIBC_VERSION").split()  # type: ignore[union-attr]
    except (AttributeError, ValueError, OSError):
        musl = glob.glob("/lib/ld-musl-*.so.1")
        return {"name": "musl" if musl else None, "version": None}
    return {"name": name, "version": version}


def _package(name: str) -> dict[str, str | None] | None:
    from importlib import metadata, util

    try:
        spec = util.find_spec(name)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        return None
    location = os.path.dirname(spec.origin) if spec.origin else None
    version = _written_version(spec)
    if version is None:
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            version = None
    return {"version": version, "location": location}


def _written_version(spec: Any) -> str | None:
    """Read the version that PySpark writes into its package: Spark's own zip has no metadata."""
    if spec.name != "pyspark" or spec.origin is None:
        return None
    path = os.path.join(os.path.dirname(spec.origin), "version.py")
    try:
        text = spec.loader.get_data(path).decode()
    except (AttributeError, OSError):
        return None
    found = re.search(r"""__version__[^=]*=\s*["']([^"']+)""", text)
    return found.group(1) if found else None


def _problems(facts: dict[str, Any]) -> Iterator[tuple[str, str]]:
    version = facts["version"]
    if facts["implementation"] != "CPython":
        yield f"{facts['implementation']} cannot be embedded", "use CPython"
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        supported = "{}.{} to {}.{}".format(*OLDEST, *NEWEST)
        yield f"no bridge for Python {version}", f"use Python {supported}"
    if facts["free_threaded"]:
        yield "no bridge for a free-threaded build", f"use the ordinary build of Python {version}"
    if facts["debug"]:
        yield "no bridge for a debug build", f"use the ordinary build of Python {version}"
    if sys.platform != "linux":
        yield f"{sys.platform} is not supported", "run the executors on Linux"
    if facts["libpython"] is None:
        yield f"no shared libpython: {facts['reason']}", _libpython_advice(facts, version)
    yield from _package_problems(facts["packages"])


def _libpython_advice(facts: dict[str, Any], version: str) -> str:
    if facts["conda"]:
        return f"conda install 'python={version}'"
    if "pyenv" in facts["base_prefix"]:
        full = facts["fullVersion"]
        return f"PYTHON_CONFIGURE_OPTS=--enable-shared pyenv install --force {full}"
    if facts["base_prefix"] == "/usr" and os.path.exists("/etc/debian_version"):
        return f"apt-get install libpython{version}"
    if facts["base_prefix"] == "/usr" and os.path.exists("/etc/redhat-release"):
        return f"dnf install python{version}-libs"
    return f"install a Python {version} that was built with --enable-shared"


def _package_problems(packages: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name in NEEDED:
        if packages[name] is None:
            yield f"{name} is missing", f"pip install {name}"
    spark = (packages["pyspark"] or {}).get("version")
    needed = PYSPARKS.get(".".join((spark or "").split(".")[:2]))
    oldest_python = needed or min(PYSPARKS.values())
    supported = ", ".join(series + ".x" for series in PYSPARKS)
    if sys.version_info[:2] < oldest_python:
        asking = spark if needed else supported
        wanted = "{}.{}".format(*oldest_python)
        yield f"PySpark {asking} needs Python {wanted}", f"use Python {wanted} or later"
    elif spark is not None and needed is None:
        yield f"PySpark {spark} has no seam", f"use PySpark {supported}"
    for name, oldest in OLDEST_PACKAGES.items():
        version = (packages[name] or {}).get("version")
        wanted = ".".join(map(str, oldest))
        if version is not None and _numbers(version) < oldest:
            advice = f"pip install '{name}>={wanted}'"
            yield f"{name} {version} is older than {wanted}", advice


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])


if __name__ == "__main__":
    json.dump(collect(), sys.stdout)
    sys.stdout.write("\n")
