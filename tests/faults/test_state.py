"""What a function changes in its process, and who sees it afterwards."""

import contextlib
import gc
import multiprocessing
import os
import threading
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyspark.sql import functions as F

from counting import sessions

pytestmark = pytest.mark.usefixtures("free_lanes")
LANES = ("embedded", "process", "spark")


@pytest.fixture
def on(spark):
    """Chooses the lane of a test."""

    def choose(lane):
        spark.conf.set("spark.ember.lane", lane)

    yield choose
    spark.conf.unset("spark.ember.lane")


def ask(spark, function, partitions=1):
    """What ``function`` says of one row in each partition."""
    numbers = spark.range(partitions, numPartitions=partitions)
    frame = numbers.select(F.udf(function, "string")("id").alias("v"))
    return [row.v for row in frame.collect()], sessions(frame)


def change(_):
    import locale
    import sys

    os.environ["LEFT_BEHIND"] = "1"
    os.chdir("/")
    os.umask(0o077)
    locale.setlocale(locale.LC_NUMERIC, "C.UTF-8")
    sys.path.insert(0, "/left/behind")
    sys.setrecursionlimit(1234)
    sys.stdout.close()
    return str(os.getpid())


def ignore_a_signal(_):
    """Is kept out of the executor for good."""
    import signal

    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    return str(os.getpid())


def look(_):
    import locale
    import signal
    import sys

    mask = os.umask(0)
    os.umask(mask)
    found = {
        "environment": os.environ.get("LEFT_BEHIND") == "1",
        "directory": os.getcwd() == "/",
        "umask": mask == 0o077,
        "locale": locale.setlocale(locale.LC_NUMERIC) == "C.UTF-8",
        "path": "/left/behind" in sys.path,
        "recursion limit": sys.getrecursionlimit() == 1234,
        "handler": signal.getsignal(signal.SIGUSR1) == signal.SIG_IGN,
        "output": sys.stdout.closed,
    }
    return ",".join([str(os.getpid()), *(name for name, left in found.items() if left)])


def left_behind(spark, function):
    """What a session sees of one before it in the same process."""
    pairs = []
    for _ in range(10):
        (changed,), _ = ask(spark, function)
        (seen,), _ = ask(spark, look)
        process, *names = seen.split(",")
        if changed == process:
            return set(names)
        pairs.append((changed, process))
    message = f"no process served two sessions in a row: {pairs}"
    raise AssertionError(message)


def test_what_a_function_changes_is_not_worse_kept_than_in_spark(spark, on):
    left = {}
    for lane in LANES:
        on(lane)
        left[lane] = left_behind(spark, change)
    assert left["embedded"] == set()
    assert left["process"] <= left["spark"]


def test_a_signal_handler_is_not_worse_kept_than_in_spark(spark, on):
    left = {}
    for lane in ("process", "spark"):
        on(lane)
        left[lane] = left_behind(spark, ignore_a_signal)
    assert left["process"] <= left["spark"]
    on("embedded")
    ask(spark, ignore_a_signal)
    (seen,), counted = ask(spark, look)
    assert counted["emberSessions"] == 1
    assert "handler" not in seen


def test_the_executors_own_directory_and_mask_do_not_move(spark, on):
    on("embedded")
    jvm = spark._jvm.java.lang.ProcessHandle.current().pid()
    before = Path(f"/proc/{jvm}/cwd").readlink(), mask_of(jvm)
    ((signed,), counted) = ask(spark, change)
    assert (int(signed), counted["emberSessions"]) == (jvm, 1)
    assert (Path(f"/proc/{jvm}/cwd").readlink(), mask_of(jvm)) == before


def mask_of(pid):
    """The file mask of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line for line in lines if line.startswith("Umask:"))


def variables_of_c(_):
    """A variable that is set here and one of the application's, for Python and for C."""
    import ctypes

    getenv = ctypes.CDLL(None).getenv
    getenv.restype = ctypes.c_char_p
    os.environ["SET_HERE"] = "1"
    seen = ""
    for name in ("SET_HERE", "OF_THE_APPLICATION"):
        seen += os.environ[name] + (getenv(name.encode()) or b"-").decode()
    return seen


def test_libraries_in_c_have_the_environment_of_their_process(spark, on):
    seen = {lane: on(lane) or ask(spark, variables_of_c)[0] for lane in LANES}
    assert seen == {"embedded": ["1-2-"], "process": ["1122"], "spark": ["1122"]}


@pytest.mark.parametrize("lane", ["embedded", "process"])
def test_a_thread_left_behind_harms_nobody(lane, spark, on):
    on(lane)

    def leave(_):
        def stay():
            time.sleep(1)
            raise RuntimeError("after the session")

        threading.Thread(target=stay, name="left", daemon=True).start()
        return "started"

    assert ask(spark, leave)[0] == ["started"]
    time.sleep(1.2)
    assert ask(spark, lambda v: f"{v}", partitions=2)[0] == ["0", "1"]


def test_children_work_in_the_executor_too(spark, on):
    on("embedded")

    def with_children(value):
        import multiprocessing
        import signal
        import subprocess
        import sys

        with multiprocessing.Pool(2) as pool:
            total = sum(pool.map(abs, [-1, -2]))
        sleeper = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
        sleeper.start()
        sleeper.terminate()
        sleeper.join(30)
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            grandchild = os.fork()
            if grandchild == 0:
                os._exit(7 if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN else 8)
            os._exit(os.waitstatus_to_exitcode(os.waitpid(grandchild, 0)[1]))
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        said = subprocess.check_output([sys.executable, "-c", "print(6 * 7)"]).strip().decode()
        return f"{total} {sleeper.exitcode} {status} {said}"

    said, counted = ask(spark, with_children)
    assert said == ["3 -15 7 42"]
    assert counted["emberSessions"] == 1
    assert "emberProcessSessions" not in counted


def total(batch):
    """The sum of a batch's only column."""
    return pc.sum(batch.column(0)).as_py()


def read_by_children(batches):
    """What each batch holds, and what a child forked with it finds when all others have come."""
    fork = multiprocessing.get_context("fork")

    def answer(line, batch):
        line.recv()
        line.send(total(batch))

    here, lines = [], []
    for batch in batches:
        here.append(total(batch))
        line, its_end = fork.Pipe()
        fork.Process(target=answer, args=(its_end, batch)).start()
        its_end.close()
        lines.append(line)
    for line in lines:
        line.send("all have come")
    yield pa.RecordBatch.from_pydict({"here": here, "found": [line.recv() for line in lines]})


def let_go_by_children(batches):
    """What each batch holds, and what it holds at the end, when children have let go of it."""
    here, kept = [], []
    for batch in batches:
        here.append(total(batch))
        kept.append(batch)
        child = os.fork()
        if child == 0:
            kept.clear()
            gc.collect()
            os._exit(0)
        os.waitpid(child, 0)
    yield pa.RecordBatch.from_pydict({"here": here, "found": [total(batch) for batch in kept]})


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("function", [read_by_children, let_go_by_children])
def test_the_input_of_a_forked_child_is_its_own(function, lane, spark, on):
    on(lane)
    batch = 100_000  # so many numbers that the memory of one is used for a later one
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", str(batch))
    try:
        numbers = spark.range(12 * batch, numPartitions=1)
        rows = numbers.mapInArrow(function, "here long, found long").collect()
    finally:
        spark.conf.unset("spark.sql.execution.arrow.maxRecordsPerBatch")
    right = [sum(range(first, first + batch)) for first in range(0, 12 * batch, batch)]
    assert [(row.here, row.found) for row in rows] == list(zip(right, right, strict=True))
