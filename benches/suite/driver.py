"""The near end of a child process: a leg's Spark driver, or the bare Python."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final, Self

from suite.legs import EMBERS

#: How often a run of Spark's own is tried when it fails; one of Ember's is tried once.
TRIES: Final = 3


class ChildFailedError(Exception):
    """A child process ended, or could not start."""

    def __init__(self, name: str, verb: str, log: str) -> None:
        """Say which child ended at which order, and show the end of its log."""
        super().__init__(f"'{name}' ended at '{verb}':\n{log}")


class OrderFailedError(Exception):
    """A child could not do what it was told to, and waits for the next order."""

    def __init__(self, name: str, verb: str, why: str, log: str) -> None:
        """Say which child failed at which order and why, and show the end of its log."""
        super().__init__(f"'{name}' failed at '{verb}': {why}\n{log}")
        self.why = f"{name}: {why}"


class Driver:
    """One child process; it lives until ``close`` and works only when told to."""

    def __init__(self, name: str, module: str, folder: Path, **first: Any) -> None:
        """Start the process with its first order; it loads Spark while others start too."""
        self.name = name
        self.log = folder / f"{name}.log"
        self.failures: list[str] = []
        environment = os.environ | {
            "PYSPARK_PYTHON": sys.executable,
            "PYSPARK_DRIVER_PYTHON": sys.executable,
            "PYTHONPATH": str(Path(__file__).resolve().parents[1]),
        }
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=environment,
                cwd=folder,
            )
        self._send(**first)

    def __enter__(self) -> Self:
        """Give the driver itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self.close()

    def ask(self, verb: str, **words: Any) -> dict[str, Any]:
        """Send one order and wait for its answer."""
        self._send(verb=verb, **words)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise ChildFailedError(self.name, verb, self._tail())
        answer: dict[str, Any] = json.loads(line)
        if "failed" in answer:
            raise OrderFailedError(self.name, verb, answer["failed"], self._tail())
        return answer

    def run(self) -> dict[str, Any]:
        """Run what is ready."""
        return self.insist("run")

    def insist(self, verb: str, **words: Any) -> dict[str, Any]:
        """Send an order that runs queries; when one of Spark's own fails, note it and try again."""
        for _ in range(0 if self.name in EMBERS else TRIES - 1):
            try:
                return self.ask(verb, **words)
            except OrderFailedError as error:
                self.failures.append(error.why)
        return self.ask(verb, **words)

    def told(self) -> list[str]:
        """Give the failures since the last call."""
        told, self.failures = self.failures, []
        return told

    def close(self) -> None:
        """Let the process stop its session; kill it when it does not."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.close()
            self.process.wait(timeout=60)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        finally:
            self.process.stdout.close()

    def _tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-60:])

    def _send(self, **order: Any) -> None:
        assert self.process.stdin is not None
        try:
            print(json.dumps(order), file=self.process.stdin, flush=True)
        except BrokenPipeError:
            return  # the missing answer says it, with the log
