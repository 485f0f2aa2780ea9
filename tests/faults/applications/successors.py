"""Three applications in one JVM, one after the other; tells what functions answer in each.

Between the second and the third the modules are edited that the functions of the second have
imported: one that is shipped, and one that lies in the working directory.
"""

import json
import os
import sys
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from counting import sessions

ASKED = json.loads(sys.argv[1])
FOLDER = Path(ASKED["folder"])
SHIPPED = FOLDER / "to_ship" / "shipped.py"
BESIDE = FOLDER / "beside.py"


def edit(version):
    SHIPPED.parent.mkdir(exist_ok=True)
    for module in (SHIPPED, BESIDE):
        module.write_text(f"VERSION = 'version {version}'\n")


def builtin(value):
    import zoneinfo

    return f"{value} {zoneinfo.ZoneInfo.__name__} {os.getpid()}"


def folders(value):
    import sys

    found = [entry for entry in sys.path if "userFiles" in entry]
    return f"{value} {len(found)} {sum(map(os.path.isdir, found))}"


def shipped(value):
    import shipped as module

    return f"{value} {module.VERSION}"


def beside(value):
    import beside as module

    return f"{value} {module.VERSION}"


def application():
    builder = SparkSession.builder.appName("successors")
    for key, value in ASKED["settings"].items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def ask(spark, function, lane):
    """What the function says on a lane, and what its node counted."""
    spark.conf.set("spark.ember.lane", lane)
    frame = spark.range(1, numPartitions=1).select(F.udf(function, "string")("id").alias("v"))
    return [row.v for row in frame.collect()], sessions(frame)


def zygotes(jvm):
    """How many processes of the JVM's fork workers."""
    count = 0
    for folder in Path("/proc").iterdir():
        try:
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            count += int(parent) == jvm and b"zygote.py" in (folder / "cmdline").read_bytes()
        except (OSError, IndexError):
            continue
    return count


def ended(spark):
    """How many zygotes there are before the application's end, and at most ten seconds after it."""
    import time

    jvm = int(spark._jvm.java.lang.ProcessHandle.current().pid())
    before = zygotes(jvm)
    spark.stop()
    deadline = time.monotonic() + 10
    while zygotes(jvm) and time.monotonic() < deadline:
        time.sleep(0.05)
    return before, zygotes(jvm)


told = {"builtin": [], "folders": [], "modules": {}, "zygotes": []}
edit(1)
first = application()
told["jvm"] = int(first._jvm.java.lang.ProcessHandle.current().pid())
told["application"] = first.sparkContext.applicationId
told["builtin"].append(ask(first, builtin, "embedded"))
told["folders"].append(ask(first, folders, "embedded"))
ask(first, builtin, "process")
told["zygotes"].append(ended(first))

second = application()
told["builtin"].append(ask(second, builtin, "embedded"))
told["folders"].append(ask(second, folders, "embedded"))
second.sparkContext.addPyFile(str(SHIPPED))
for function in (shipped, beside):
    told["modules"][function.__name__] = [ask(second, function, "auto")]
told["zygotes"].append(ended(second))

edit("of another length")
third = application()
third.sparkContext.addPyFile(str(SHIPPED))
for function in (shipped, beside):
    told["modules"][function.__name__] += [ask(third, function, lane) for lane in ("auto", "spark")]
told["zygotes"].append(ended(third))
Path(FOLDER, "answer.json").write_text(json.dumps(told))
