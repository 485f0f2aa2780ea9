import os
import subprocess
import sys

from suite.memory import Peak, below, share_of

MIB = 2**20
TAKES = "import time; kept = bytearray(b'x' * {mib} * 2**20); print(flush=True); input()"


def child(mib: int) -> subprocess.Popen:
    process = subprocess.Popen(
        [sys.executable, "-c", TAKES.format(mib=mib)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    process.stdout.readline()
    return process


def test_memory_of_processes_below_counts():
    alone = share_of(os.getpid())
    with Peak(os.getpid()) as peak:
        one, two = child(40), child(60)
        one.communicate("\n")
        two.communicate("\n")
    assert peak.most > alone + 90 * MIB
    assert peak.samples > 1


def test_a_peak_that_has_passed_is_remembered():
    with Peak(os.getpid()) as peak:
        child(80).communicate("\n")
        seen = peak.samples
        while peak.samples < seen + 2:
            pass
        assert peak.most > share_of(os.getpid()) + 60 * MIB


def test_a_process_that_has_ended_has_no_memory_and_nothing_below():
    process = child(1)
    assert process.pid in below(os.getpid())
    process.communicate("\n")
    assert share_of(process.pid) == 0
    assert below(process.pid) == []
