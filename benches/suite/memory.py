"""The memory of a process and of everything below it, sampled from outside while it works."""

import time
from pathlib import Path
from threading import Event, Thread
from typing import Final, Self

SECONDS_BETWEEN: Final = 0.02


class Peak:
    """The largest sum of proportional shares (PSS) that was seen while the block ran, in bytes.

    A page that several processes share counts once. Reading a large process takes some milliseconds
    of the sampler's CPU and holds the sampled one's page faults: never sample a timed run.
    """

    def __init__(self, root: int) -> None:
        """Sample the process ``root`` and its descendants."""
        self.root = root
        self.most = 0
        self.samples = 0
        self._end = Event()
        self._thread = Thread(target=self._sample, name="memory", daemon=True)

    def __enter__(self) -> Self:
        """Begin to sample."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take a last sample and end."""
        self._end.set()
        self._thread.join()

    def _sample(self) -> None:
        while True:
            last = self._end.is_set()
            start = time.monotonic()
            self.most = max(self.most, sum(share_of(pid) for pid in (self.root, *below(self.root))))
            self.samples += 1
            if last:
                return
            self._end.wait(max(0.0, SECONDS_BETWEEN - (time.monotonic() - start)))


def share_of(pid: int) -> int:
    """Give the proportional share of one process in bytes; none when it has ended."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    for line in text.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def below(pid: int) -> list[int]:
    """Give the descendants of a process."""
    found = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += [int(child), *below(int(child))]
    except OSError:  # a process or a thread ended meanwhile
        pass
    return found
