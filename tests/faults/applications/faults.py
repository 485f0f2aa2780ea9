"""One application in which a function does harm; tells rows, errors, and which executors were lost.

The function does it in the partition ``where``, and only while ``times`` lasts: what it has done is
counted in a folder, because the process that counts does not live.  A second query with a
harmless function runs beside it, in tasks of the same executors.
"""

import ctypes
import json
import os
import sys
import threading
import time
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from counting import sessions

ASKED = json.loads(sys.argv[1])
FOLDER = Path(ASKED["folder"])
TIMES = ASKED.get("times", 1)
PARTITIONS = ASKED.get("partitions", 1)
#: Seconds after each query, in which may happen what happens later.
PAUSE = ASKED.get("pause", 0)
#: Harm is done in this partition only; None for all.
WHERE = ASKED.get("where", 0)


def null_dereference():
    ctypes.string_at(0)


def abort():
    ctypes.CDLL(None).abort()


def os_exit():
    os._exit(3)


def c_exit():
    ctypes.CDLL(None)._exit(3)


def c_library_exit():
    ctypes.CDLL(None).exit(3)


def c_stack_overflow():
    # C code that calls itself for each parenthesis: no limit of Python's sees it.
    pattern = b"(" * 3_000_000 + b")" * 3_000_000
    ctypes.CDLL(None).regcomp(ctypes.create_string_buffer(256), pattern, 1)


def leave_a_thread():
    threading.Thread(target=time.sleep, args=(3600,)).start()


def crash_later():
    def later():
        time.sleep(1)
        ctypes.string_at(0)

    threading.Thread(target=later, daemon=True).start()


def break_the_lane():
    """Spoil what runs sessions here, as a defect of it would: the next to end breaks."""
    sys.modules["ember_worker.guards"].end_forked_child = None


def hoard():
    """Take memory and use it until somebody ends the process."""
    kept = []
    while len(kept) < 500:
        kept.append(bytearray(b"x" * (16 << 20)))
        time.sleep(0.01)
    raise AssertionError("nobody has ended it")


def killed():
    ctypes.CDLL(None).kill(os.getpid(), 9)


def harm_of(name, folder, times, where):
    """The function of this run; it does not depend on this module."""
    harm = globals()[name]

    def function(value):
        from pyspark import TaskContext

        if where is None or TaskContext.get().partitionId() == where:
            done = Path(folder, "harm")
            done.mkdir(exist_ok=True)
            if len(list(done.iterdir())) < times:
                (done / f"{os.getpid()}-{time.time_ns()}").touch()
                harm()
        return value + 1

    return function


def innocent(value):
    return value + 1


def await_executors():
    wanted = ASKED.get("executors", 2)
    while context._jsc.sc().getExecutorMemoryStatus().size() < wanted + (wanted > 0):
        time.sleep(0.1)


def query(spark, function, told):
    frame = spark.range(0, 400, 1, PARTITIONS).select(F.udf(function, "long")("id").alias("v"))
    try:
        rows = sorted(row.v for row in frame.collect())
        told["right"] = rows == list(range(1, 401))
    except Exception as error:  # noqa: BLE001 (what it says is the answer)
        told["error"] = str(error)
    told["sessions"] = sessions(frame)
    time.sleep(PAUSE)


def beside(spark, told, over):
    def harmless(value):
        return value * 2

    frame = spark.range(0, 40, 1, 1).select(F.udf(harmless, "long")("id").alias("v"))
    told["right"], told["runs"] = True, 0
    while not over.is_set():
        told["right"] &= [row.v for row in frame.collect()] == list(range(0, 80, 2))
        told["runs"] += 1


builder = SparkSession.builder.appName("faults")
for key, value in ASKED["settings"].items():
    builder = builder.config(key, value)
spark = builder.getOrCreate()
context = spark.sparkContext
await_executors()  # before anything is lost

told = {"application": context.applicationId, "first": {}, "second": {}, "beside": {}, "after": {}}
harm = harm_of(ASKED["fault"], str(FOLDER), TIMES, WHERE)
over = threading.Event()
other = threading.Thread(target=beside, args=(spark, told["beside"], over))
if ASKED.get("beside"):
    other.start()
if ASKED.get("innocent"):
    query(spark, innocent, {})
query(spark, harm, told["first"])
query(spark, harm, told["second"])
if ASKED.get("innocent"):
    await_executors()
    time.sleep(5)  # what the new executor has found is told by then
    query(spark, innocent, told["after"])
over.set()
if ASKED.get("beside"):
    other.join()
status = context._jsc.sc().statusStore().executorList(False)  # noqa: FBT003 (Py4J has no names)
executors = [status.apply(i) for i in range(status.size())]
told["lost"] = sum(1 for one in executors if not one.isActive() and one.id() != "driver")
told["failed"] = sum(one.failedTasks() for one in executors)
told["harm"] = len(list(Path(FOLDER, "harm").iterdir())) if Path(FOLDER, "harm").exists() else 0
spark.stop()
Path(FOLDER, "answer.json").write_text(json.dumps(told))
