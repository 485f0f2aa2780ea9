"""Where and from what a figure comes."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from suite.legs import ROOT


def commit() -> str:
    """Give the commit's id, with a mark when the tree holds changes."""
    head = _git("rev-parse", "--short=12", "HEAD") or "no commit"
    return f"{head} with uncommitted changes" if _git("status", "--porcelain") else head


def machine() -> str:
    """Describe the machine and the versions in one line."""
    parts = (
        f"{_line('/proc/cpuinfo', 'model name')}, {os.cpu_count()} CPUs",
        f"{int(_line('/proc/meminfo', 'MemTotal').split()[0]) // 2**20} GiB",
        f"Linux {platform.release()}",
        _java(),
        f"Python {platform.python_version()}",
        *(f"{name} {version(name)}" for name in ("pyspark", "pandas", "pyarrow", "numpy")),
        f"load {os.getloadavg()[0]:.1f} at the start",
    )
    return "; ".join(parts)


def _git(*words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def _java() -> str:
    done = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False)
    return done.stderr.splitlines()[0].replace('"', "") if done.stderr else "java unknown"


def _line(path: str, key: str) -> str:
    for line in Path(path).read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return "unknown"
