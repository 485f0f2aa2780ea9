"""Where the time of one workload goes: samples of Java frames by JFR, of all code by perf.

perf knows code that the JVM compiled by a map that the JVM writes when it is asked to. On the Ember
leg Python's code is in the JVM's process, on the others it is in a worker's.
"""

import re
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Collection
from pathlib import Path

from suite.driver import Driver
from suite.measure import Bench
from suite.memory import below
from suite.workload import Workload

SECONDS = 8.0
SHOWN = 25
KINDS = (  # of libraries, by their names; the first that fits
    ("Ember's native code", r"ember"),
    (
        "Python: interpreter, modules written in C, Arrow, numpy, pandas",
        r"python|cpython|arrow|\.abi3",
    ),
    ("Java, compiled", r"perf-\d+\.map|\[JIT\]"),
    ("JVM: collector, compiler, interpreter", r"libjvm|libjava|libnio|libnet|libzip"),
    ("C library", r"libc[.-]|libm[.-]|libpthread|libstdc|ld-linux|vdso"),
    ("kernel", r"kernel|\[guest"),
)
IDLE = ("main", "files-client", "process reaper", "Thread-", "rpc-", "shuffle-", "dispatcher-")


def profile(bench: Bench, workload: Workload, folder: Path, legs: Collection[str]) -> str:
    """Run the workload for a while on each of the legs and tell its hottest frames."""
    parts = []
    for name in legs:
        driver = bench.legs[name]
        driver.ask("prepare", workload=workload.name)
        _run_for(driver, SECONDS / 2)
        parts.append(f"## {workload.name}, leg {name}\n")
        parts.append(_flight(driver, bench.jvms[name], folder))
        parts.append(_perf(driver, bench.jvms[name], folder))
    return "\n".join(parts)


def _run_for(driver: Driver, seconds: float) -> int:
    end, runs = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        driver.ask("run")
        runs += 1
    return runs


def _flight(driver: Driver, jvm: int, folder: Path) -> str:
    """Sample Java stacks; count the top frame and the thread's kind."""
    record = folder / f"{driver.name}.jfr"
    _call("jcmd", str(jvm), "JFR.start", "name=bench", "settings=profile")
    runs = _run_for(driver, SECONDS)
    _call("jcmd", str(jvm), "JFR.stop", "name=bench", f"filename={record}")
    events = "jdk.ExecutionSample,jdk.NativeMethodSample"
    text = _call("jfr", "print", "--stack-depth", "1", "--events", events, str(record))
    frames: Counter[str] = Counter()
    for event in text.split("\n\n"):
        frame = re.search(r"stackTrace = \[\s*(.+?)\s*(?:line:|\n)", event)
        thread = re.search(r'sampledThread = "([^"]*)"', event)
        if frame and thread and not thread.group(1).startswith(IDLE):
            name = re.sub(r"[\d.]+", "#", thread.group(1))
            frames[f"{name[:28]:28}  {frame.group(1)[:90]}"] += 1
    return _ranking(f"Java frames ({runs} runs; a wait in a native method counts too)", frames)


def _perf(driver: Driver, jvm: int, folder: Path) -> str:
    """Sample what runs on a CPU in the JVM and below it, by thread, library and symbol."""
    if shutil.which("perf") is None:
        return "perf is not installed: native code is not shown\n"
    data = folder / f"{driver.name}.perf"
    pids = ",".join(str(pid) for pid in (jvm, *below(jvm)))
    recording = subprocess.Popen(
        ["perf", "record", "-q", "-F", "499", "-o", str(data), "-p", pids],
        stderr=subprocess.DEVNULL,
    )
    runs = _run_for(driver, SECONDS)
    recording.terminate()
    recording.wait()
    _call("jcmd", str(jvm), "Compiler.perfmap")
    shown = ("perf", "report", "-i", str(data), "--stdio", "-q")
    libraries = _call(*shown, "--sort", "dso")
    symbols = _rows(_call(*shown, "--percent-limit", "0.7", "--sort", "dso,symbol"))
    Path(f"/tmp/perf-{jvm}.map").unlink(missing_ok=True)
    title = f"Samples of CPU time ({runs} runs)"
    shares = (f"{share:5.1f} %  {kind}" for kind, share in shares_of(libraries).most_common())
    return "\n".join(
        (f"### {title}: shares", *shares, "", f"### {title}: by symbol, itself", *symbols, "")
    )


def shares_of(report: str) -> Counter[str]:
    """Sum up perf's percentages of libraries by the kind of code that is in them."""
    shares: Counter[str] = Counter()
    for line in report.splitlines():
        if found := re.match(r"\s*([\d.]+)%\s+(\S.*)", line):
            share, library = float(found[1]), found[2]
            names = (kind for kind, names in KINDS if re.search(names, library))
            shares[next(names, "other")] += share
    return shares


def _rows(report: str) -> list[str]:
    lines = [re.sub(r"(\s+-)*\s*$", "", line) for line in report.splitlines()]
    return [line for line in lines if line][: 2 * SHOWN]


def _call(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout


def _ranking(title: str, counts: Counter[str]) -> str:
    whole = sum(counts.values()) or 1
    rows = [f"{100 * n / whole:5.1f} %  {frame}" for frame, n in counts.most_common(SHOWN)]
    return "\n".join((f"### {title}", *rows, ""))
