"""What a process keeps of one client and must not show the next.

Clients share a process only where they trust each other and bring no files of their own. A client
may bring some later, and then has another process; here its folder must not be looked through.
"""

from __future__ import annotations

import contextlib
import os
import sys

from ember_worker.isolation.process import set_path

#: Spark's name for what the last client brings, and path and directory as they were before it.
_served: list[str] = []
_path: list[str] = []
_directory: list[str] = []


def begin(artifacts: str) -> None:
    """Serve the client of ``artifacts``: what was set up for another one is taken back."""
    if _served == [artifacts]:
        return
    if _served:
        set_path(_path)
        for directory in _directory:
            with contextlib.suppress(OSError):
                os.chdir(directory)
    _served[:] = [artifacts]
    _path[:] = sys.path
    with contextlib.suppress(OSError):
        _directory[:] = [os.getcwd()]
