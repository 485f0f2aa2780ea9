"""What a function sees around itself: its task, its files, its environment, its process."""

import tempfile
import zipfile
from pathlib import Path

import pytest
from parity.case import Case, Then
from parity.kinds import ARROW, EVERY, PANDAS, ROW
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import arrow_udf, pandas_udf

from parity import kinds

EVAL = frozenset({"ArrowEvalPython"})
# Named where a worker process has what a thread of the executor cannot have.
ONLY_A_PROCESS_HAS = frozenset(
    {
        "PYTHON_WORKER_FACTORY_PORT",
        "PYTHON_WORKER_FACTORY_SECRET",
        "PYTHON_WORKER_FACTORY_SOCK_DIR",
        "PYTHON_WORKER_FACTORY_SOCK_PATH",
        "PYTHON_UNIX_DOMAIN_ENABLED",
    }
)


def numbers(spark, rows=6, partitions=3):
    return spark.range(0, rows, 1, partitions)


def told(name, tell, conf=None, rows=6):
    """A row function that tells what it sees, as text."""

    def build(spark):
        return numbers(spark, rows).select(
            "id", F.udf(lambda v: str(tell(v)), "string")("id").alias("v")
        )

    return Case(name, build, EVAL, conf=conf or {})


def partition_id(_):
    from pyspark import TaskContext

    return TaskContext.get().partitionId()


def task_fields(_):
    from pyspark import TaskContext

    task = TaskContext.get()
    return (
        task.partitionId(),
        task.attemptNumber(),
        task.cpus(),
        task.resources(),
        type(task).__name__,
        TaskContext.get() is task,
    )


def no_barrier(_):
    from pyspark import BarrierTaskContext

    try:
        return BarrierTaskContext.get()
    except Exception as error:  # noqa: BLE001 (what it says is the answer)
        return repr(error)


def task_properties(_):
    from pyspark import TaskContext

    # Ids of executions and jobs differ by nature, and the legs differ in one setting on purpose.
    varying = ("execution.id", "execution.root.id", "callSite", "ember.enabled", "job.")
    varying += ("rdd.scope", "query.id", "queryExecution.id")
    local = TaskContext.get()._localProperties
    return sorted((k, v) for k, v in local.items() if not any(word in k for word in varying))


def environment_names(_):
    import os

    return sorted(set(os.environ) - ONLY_A_PROCESS_HAS)


def environment_values(_):
    import os

    names = (
        "OMP_NUM_THREADS",
        "PYTHONHASHSEED",
        "SPARK_HOME",
        "PATH",
        "TZ",
        "SPARK_REUSE_WORKER",
        "SPARK_PYTHON_RUNTIME",
    )
    names += (
        "SPARK_BUFFER_SIZE",
        "SPARK_SIMPLIFIED_TRACEBACK",
        "SPARK_HIDE_TRACEBACK",
        "PYTHONPATH",
        "PYTHONUNBUFFERED",
    )
    return [(name, os.environ.get(name)) for name in names]


def working_folder(_):
    import os

    return os.getcwd()


def interpreter(_):
    import locale
    import sys

    flags = (
        sys.flags.hash_randomization,
        sys.flags.optimize,
        sys.flags.utf8_mode,
        sys.flags.isolated,
    )
    flags += (
        sys.flags.no_site,
        sys.flags.ignore_environment,
        sys.flags.safe_path,
        sys.dont_write_bytecode,
    )
    prefixes = (sys.executable, sys.prefix, sys.base_prefix, sys.exec_prefix, sys.version)
    text = (sys.getdefaultencoding(), sys.getfilesystemencoding(), locale.getpreferredencoding())
    return (flags, prefixes, text, sys.getrecursionlimit(), sys.getswitchinterval())


def arguments(_):
    import sys

    return (sys.argv, sys.orig_argv[:1])


def path_entries(_):
    import sys

    return sorted({entry for entry in sys.path if "userFiles" not in entry})


def hash_of_text(_):
    return (hash("ember"), hash(b"ember"), list({"b", "a", "c"}))


def thread_name(_):
    import threading

    return (threading.current_thread().name, threading.current_thread() is threading.main_thread())


def main_module(_):
    import sys

    return sys.modules["__main__"].__name__


def where_pyspark_is(_):
    import pyspark

    return pyspark.__file__


def decimal_context(_):
    import decimal

    return (decimal.getcontext().prec, decimal.getcontext().rounding)


def warning_filters(_):
    import warnings

    return [f[0] + f[2].__name__ for f in warnings.filters]


def clock_zone(_):
    import time
    from datetime import datetime

    return (time.tzname, datetime.fromtimestamp(0).isoformat())


def signals(_):
    import signal

    return [
        (s.name, str(signal.getsignal(s))) for s in (signal.SIGTERM, signal.SIGINT, signal.SIGPIPE)
    ]


def standard_streams(_):
    import sys

    sys.stdout.write("a line on stdout\n")
    print("another", flush=True)
    print("on stderr", file=sys.stderr)
    return (sys.stdout.encoding, sys.stdout.errors, sys.stdin.read() if sys.stdin else None)


def threads_of_the_function(value):
    from concurrent.futures import ThreadPoolExecutor

    from pyspark import TaskContext

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda k: (k, TaskContext.get() is not None), range(3)))


def child_process(_):
    import subprocess
    import sys

    return subprocess.run(
        [sys.executable, "-c", "print(6 * 7)"], capture_output=True, check=True
    ).stdout


def asyncio_loop(value):
    import asyncio

    async def later():
        await asyncio.sleep(0)
        return value

    return asyncio.run(later())


TOLD = [
    partition_id,
    task_fields,
    no_barrier,
    task_properties,
    environment_names,
    environment_values,
    working_folder,
    interpreter,
    arguments,
    path_entries,
    hash_of_text,
    thread_name,
    main_module,
    where_pyspark_is,
    decimal_context,
    warning_filters,
    clock_zone,
    signals,
    standard_streams,
    threads_of_the_function,
    child_process,
    asyncio_loop,
]


def accumulator(kind):
    def build(spark):
        total = spark.sparkContext.accumulator(0)
        kind_rows = kind.rows

        def unit(value):
            total.add(kind_rows(value))
            return value

        frame = kind.through(numbers(spark, 50).withColumn("v", F.col("id")), unit, "bigint")
        return Then(frame, lambda: total.value)

    conf = {"spark.sql.execution.arrow.maxRecordsPerBatch": "3"}
    return Case(f"accumulator-{kind.name}", build, frozenset({kind.node}), conf=conf)


def two_accumulators(spark):
    one, two = spark.sparkContext.accumulator(0), spark.sparkContext.accumulator(1.5)

    def first(value):
        one.add(value)
        return value

    def second(value):
        two.add(value)
        one.add(1)
        return value

    frame = numbers(spark).select(F.udf(first, "bigint")("id"), F.udf(second, "bigint")("id"))
    return Then(frame, lambda: (one.value, two.value))


def broadcast(kind):
    def build(spark):
        shared = spark.sparkContext.broadcast({"factor": 3, "big": list(range(50_000))})

        def unit(value):
            assert len(shared.value["big"]) == 50_000
            return value if kind.map is not None else value * shared.value["factor"]

        body = unit
        if "arrow" in kind.name and kind.map is None:
            body = lambda array: unit(array.to_pandas()).pipe(
                __import__("pyarrow").Array.from_pandas
            )
        return kind.through(numbers(spark).withColumn("v", F.col("id")), body, "bigint")

    return Case(f"broadcast-{kind.name}", build, frozenset({kind.node}))


def broadcast_destroyed_between(spark):
    first = spark.sparkContext.broadcast([1])
    numbers(spark).select(F.udf(lambda v: first.value[0], "int")("id")).collect()
    first.unpersist(blocking=True)
    second = spark.sparkContext.broadcast([2])
    return numbers(spark).select(
        F.udf(lambda v: (first.value[0], second.value[0]), "array<int>")("id").alias("v")
    )


def added_module(spark):
    folder = Path(tempfile.mkdtemp(prefix="parity-"))
    (folder / "parity_added.py").write_text("VALUE = 'from a file'\n")
    with zipfile.ZipFile(folder / "parity_zipped.zip", "w") as packed:
        packed.writestr("parity_zipped/__init__.py", "VALUE = 'from a zip'\n")
    spark.sparkContext.addPyFile(str(folder / "parity_added.py"))
    spark.sparkContext.addPyFile(str(folder / "parity_zipped.zip"))

    def tell(_):
        import parity_added
        import parity_zipped

        return parity_added.VALUE + parity_zipped.VALUE

    return numbers(spark).select(F.udf(tell, "string")("id").alias("v"))


def added_file(spark):
    folder = Path(tempfile.mkdtemp(prefix="parity-"))
    (folder / "parity_data.txt").write_text("some data")
    spark.sparkContext.addFile(str(folder / "parity_data.txt"))

    def tell(_):
        from pyspark import SparkFiles

        return Path(SparkFiles.get("parity_data.txt")).read_text()

    return numbers(spark).select(F.udf(tell, "string")("id").alias("v"))


def added_archive(spark):
    folder = Path(tempfile.mkdtemp(prefix="parity-"))
    with zipfile.ZipFile(folder / "parity_archive.zip", "w") as packed:
        packed.writestr("inside.txt", "in an archive")
    spark.sparkContext.addArchive(f"{folder / 'parity_archive.zip'}#unpacked")

    def tell(_):
        from pyspark import SparkFiles

        return Path(SparkFiles.get("unpacked"), "inside.txt").read_text()

    return numbers(spark).select(F.udf(tell, "string")("id").alias("v"))


def time_zone(zone, kind):
    def build(spark):
        stamps = numbers(spark).select(
            F.expr("timestamp_seconds(id * 7000000 + 1700000000)").alias("v")
        )
        if kind is ROW:
            return stamps.select(
                F.udf(lambda t: t.isoformat(), "string")("v"), F.udf(lambda t: t, "timestamp")("v")
            )

        def of_series(series):
            return series.astype(str)

        def of_array(array):
            return array.cast("string")

        make = (
            pandas_udf(typed(of_series), "string")
            if kind is PANDAS
            else arrow_udf(typed_array(of_array), "string")
        )
        return stamps.select(make("v").alias("v"))

    return Case(
        f"{zone.replace('/', '_')}-{kind.name}",
        build,
        EVAL,
        conf={"spark.sql.session.timeZone": zone},
    )


def typed(body):
    import pandas as pd

    def of_series(series: pd.Series) -> pd.Series:
        return body(series)

    return of_series


def typed_array(body):
    import pyarrow as pa

    def of_array(array: pa.Array) -> pa.Array:
        return body(array)

    return of_array


def seen_types(kind, name, conf):
    """The Arrow or pandas types that a function is given."""

    def build(spark):
        frame = numbers(spark).select(
            "id",
            F.col("id").cast("string").alias("s"),
            F.array("id").alias("a"),
            F.expr("cast(null as int)").alias("n"),
        )
        if kind is kinds.MAP_IN_ARROW:

            def batches(several):
                import pyarrow as pa

                for one in several:
                    yield pa.RecordBatch.from_pydict({"t": [str(one.schema)]})

            return frame.mapInArrow(batches, "t string")

        def frames(several):
            import pandas as pd

            for one in several:
                yield pd.DataFrame({"t": [str(one.dtypes.to_dict()) + str(one.index)]})

        return frame.mapInPandas(frames, "t string")

    return Case(f"seen_types_{name}-{kind.name}", build, frozenset({kind.node}), conf=conf)


def non_deterministic(spark):
    """A counter per function object: one per task, wherever the task's function lives."""
    calls = []

    def count(_):
        calls.append(1)
        return len(calls)

    counting = F.udf(count, "int").asNondeterministic()
    return (
        numbers(spark, 30)
        .select("id", counting("id").alias("v"), F.spark_partition_id().alias("p"))
        .where("v % 2 = 1")
    )


def module_state(spark):
    """Module globals of the application do not leak from one query into the next."""

    def leave(_):
        global LEFT  # noqa: PLW0603 (a global of the unpickled function is the case)
        LEFT = globals().get("LEFT", 0) + 1
        return LEFT

    return numbers(spark, 4, 2).select(F.udf(leave, "int").asNondeterministic()("id").alias("v"))


def changed_environment(spark):
    """A function that changes its process's settings; the next query must not see it."""

    def change(_):
        import os

        os.environ["PARITY_LEFT_BEHIND"] = "1"
        return os.environ["PARITY_LEFT_BEHIND"]

    return numbers(spark).select(F.udf(change, "string")("id").alias("v"))


def barrier(kind):
    """Every task of the stage waits for the others, and hears what they said."""

    def build(spark):
        import pandas as pd
        import pyarrow as pa

        def hear():
            from pyspark import BarrierTaskContext

            task = BarrierTaskContext.get()
            task.barrier()
            return task.allGather(f"from {task.partitionId()}")

        def frames(several):
            for _ in several:
                yield pd.DataFrame({"heard": hear()})

        def batches(several):
            for _ in several:
                yield pa.RecordBatch.from_pydict({"heard": hear()})

        frame = numbers(spark, 2, 2)
        if kind is kinds.MAP_IN_PANDAS:
            return frame.mapInPandas(frames, "heard string", barrier=True)
        return frame.mapInArrow(batches, "heard string", barrier=True)

    return Case(f"barrier-{kind.name}", build, frozenset({kind.node}))


LARGE = {"spark.sql.execution.arrow.useLargeVarTypes": "true"}
CASES = [
    *(told(tell.__name__, tell) for tell in TOLD),
    *(accumulator(kind) for kind in EVERY),
    Case("two_accumulators", two_accumulators, EVAL),
    *(broadcast(kind) for kind in EVERY),
    Case("broadcast_destroyed_between", broadcast_destroyed_between, EVAL),
    Case("added_file", added_file, EVAL),
    Case("added_archive", added_archive, EVAL),
    *(
        time_zone(zone, kind)
        for zone in ("UTC", "Asia/Kathmandu", "Europe/Berlin")
        for kind in (ROW, PANDAS, ARROW)
    ),
    *(
        seen_types(kind, name, conf)
        for kind in (kinds.MAP_IN_PANDAS, kinds.MAP_IN_ARROW)
        for name, conf in (("plain", {}), ("large", LARGE))
    ),
    told(
        "concurrency",
        lambda v: v,
        {"spark.sql.execution.pythonUDF.arrow.concurrency.level": "3"},
        rows=40,
    ),
    *(barrier(kind) for kind in (kinds.MAP_IN_PANDAS, kinds.MAP_IN_ARROW)),
    Case("non_deterministic", non_deterministic, EVAL),
    Case("module_state", module_state, EVAL),
    Case("changed_environment", changed_environment, EVAL),
    told("not_ansi", lambda v: v, {"spark.sql.ansi.enabled": "false"}),
    Case("added_module", added_module, EVAL),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_function_sees_the_same_world(case, parity_legs):
    parity_legs.check(case)
