"""``SparkFiles``: the directory of the session's files."""

from __future__ import annotations

from typing import Any

from ember_worker.state import CURRENT


def install() -> None:
    """Let ``SparkFiles.getRootDirectory`` answer for the session that asks."""
    from ember_worker.moved import SparkFiles

    stock = SparkFiles.getRootDirectory.__func__

    def root_of_session(cls: Any) -> str:
        root = CURRENT.get().files_root
        return str(stock(cls)) if root is None else root

    root_of_session.__doc__ = stock.__doc__
    SparkFiles.getRootDirectory = classmethod(root_of_session)


def remember() -> None:
    """Note the directory that PySpark has just set as the session's own."""
    from ember_worker.moved import SparkFiles

    CURRENT.get().files_root = SparkFiles._root_directory
