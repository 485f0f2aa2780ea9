"""Stands in for the conformance runner's child: notes when each test ran, then is that child.

The runner starts ``child.py MODULE``; ``tests/spark/run`` puts this file in that place and the
original beside it as ``original_child.py``.  No test and no runner file is edited.
"""

import json
import os
import runpy
import time
import unittest
from pathlib import Path
from typing import Any

NOTED = os.environ.get("EMBER_TEST_WINDOWS")
ATTEMPT = str(Path(os.environ["CONFORMANCE_EVENTS"]).parent)


def noting(run: Any) -> Any:
    """``TestCase.run`` that leaves a line with the test's window in milliseconds."""

    def noted(test: unittest.TestCase, result: Any = None) -> Any:
        start = time.time()
        try:
            return run(test, result)
        finally:
            window = {
                "attempt": ATTEMPT,
                "id": test.id(),
                "start": start * 1e3,
                "end": time.time() * 1e3,
            }
            with Path(NOTED or os.devnull).open("a") as lines:
                lines.write(json.dumps(window) + "\n")

    return noted


if NOTED:
    unittest.TestCase.run = noting(unittest.TestCase.run)  # type: ignore[method-assign]
runpy.run_path(str(Path(__file__).with_name("original_child.py")), run_name="__main__")
