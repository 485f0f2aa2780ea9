"""The memory of a process and of everything below it, sampled from outside while it works."""

from __future__ import annotations

from pathlib import Path
from threading import Event, Thread
from typing import Final, Self

#: A sample costs some milliseconds of CPU, the same on both legs.
SECONDS_BETWEEN: Final = 0.5


class Peak:
    """The largest sum of proportional shares (PSS) that was seen while the block ran, in bytes.

    A page that several processes share counts once.
    """

    def __init__(self, root: int) -> None:
        """Sample the process ``root`` and its descendants."""
        self.bytes = 0
        self._root = root
        self._end = Event()
        self._thread = Thread(target=self._sample, name="ember-memory", daemon=True)

    def __enter__(self) -> Self:
        """Begin to sample."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._end.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._end.wait(SECONDS_BETWEEN):
            self.bytes = max(self.bytes, sum(map(_share_of, (self._root, *_below(self._root)))))


def _share_of(process: int) -> int:
    """Read the proportional share of a process in bytes; none when it has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def _below(process: int) -> list[int]:
    found = []
    try:
        for task in Path(f"/proc/{process}/task").iterdir():
            for child in (task / "children").read_text(encoding="ascii").split():
                found += [int(child), *_below(int(child))]
    except OSError:  # a process or a thread ended meanwhile
        pass
    return found
