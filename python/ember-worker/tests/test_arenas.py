"""Memory of Python's objects stays for the objects of the next batch, up to a limit."""

import subprocess
import sys

import pytest

from rowfn_bridge import library

PROGRAM = """
import importlib.machinery, importlib.util, resource, sys

def faults(count):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    texts = [str(at) * 20 for at in range(count)]
    del texts
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

if sys.argv[2] == "kept":
    loader = importlib.machinery.ExtensionFileLoader("ember_bridge", sys.argv[1])
    spec = importlib.util.spec_from_loader("ember_bridge", loader)
    bridge = importlib.util.module_from_spec(spec)
    loader.exec_module(bridge)
    bridge.serve(print, RuntimeError)
small, large = 30_000, 400_000
faults(small)
print(*(faults(small) for _ in range(5)), faults(large), faults(large))
"""


def batches(kind: str) -> list[int]:
    """Tell how many pages five batches of 4 MiB, and two of 60, took from the kernel."""
    command = [sys.executable, "-I", "-c", PROGRAM, str(library()), kind]
    return [int(of) for of in subprocess.check_output(command, text=True).split()]


def test_a_batch_uses_the_memory_of_the_one_before() -> None:
    if min(batches("as it is")[1:5]) < 100:
        pytest.skip("this Python keeps its arenas by itself")
    kept = batches("kept")
    assert max(kept[1:5]) < 100
    assert kept[6] > kept[5] // 2  # what is over the limit has gone back
