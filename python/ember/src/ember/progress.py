"""What long commands say while they work: one line for each step, which counts on a terminal."""

from __future__ import annotations

from typing import TextIO


class Progress:
    """Steps that take long. On a terminal the line of a step is written again as time passes."""

    def __init__(self, out: TextIO) -> None:
        """Write to ``out``."""
        self._out = out
        self._words = ""
        self._is_terminal = out.isatty()

    def begin(self, words: str) -> None:
        """Say what is being done."""
        self._words = words
        self._say(f"{words} …", done=False)

    def tick(self, seconds: float) -> None:
        """Say how long it has taken, on a terminal."""
        if self._is_terminal:
            self._say(f"{self._words} … {seconds:.0f} s", done=False)

    def end(self, words: str) -> None:
        """Say how it ended."""
        self._say(f"{self._words}: {words}", done=True)

    def _say(self, line: str, *, done: bool) -> None:
        if self._is_terminal:
            self._out.write(f"\r\x1b[K{line}" + ("\n" if done else ""))
        elif done:
            self._out.write(f"{line}\n")
        self._out.flush()
