"""Functions sign with their process id, which proves where they ran even when the task failed."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

_folder = ""


def fresh() -> str:
    """A new, empty book for one leg."""
    global _folder  # noqa: PLW0603 (one leg at a time, and a case reads it while it is built)
    _folder = tempfile.mkdtemp(prefix="witness-")
    return _folder


def signer() -> Callable[[], None]:
    """A function for a worker to call; it signs in the book of the leg that is being built."""
    folder = _folder

    def sign() -> None:
        with open(os.path.join(folder, str(os.getpid())), "w"):  # noqa: PTH118, PTH123
            pass

    return sign


def signatures(folder: str, jvm: int) -> tuple[int, int]:
    """How many processes signed: in the JVM, and elsewhere."""
    signed = {int(entry.name) for entry in Path(folder).iterdir()}
    return int(jvm in signed), len(signed - {jvm})
