"""What a function sees around itself: its task, its environment, its process."""

import pytest
from parity.case import Case
from pyspark.sql import functions as F

from parity import evidence

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

    # Each sort once: a library that an earlier function imported may have added more of one.
    return list(dict.fromkeys(f[0] + f[2].__name__ for f in warnings.filters))


def clock_zone(_):
    import time
    from datetime import datetime

    return (time.tzname, datetime.fromtimestamp(0).isoformat())


def locales(_):
    import locale

    categories = ("CTYPE", "COLLATE", "TIME", "MONETARY", "MESSAGES", "NUMERIC")
    return [locale.setlocale(getattr(locale, f"LC_{name}")) for name in categories]


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


def profiled(value):
    import cProfile

    def one_more():
        return value + 1

    return cProfile.Profile().runcall(one_more)


def traced(value):
    import sys

    events = []

    def note(_frame, event, _argument):
        events.append(event)
        return note

    def one_more():
        return value + 1

    before = sys.gettrace()
    sys.settrace(note)
    one_more()
    sys.settrace(before)
    return events


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
    locales,
    signals,
    standard_streams,
    threads_of_the_function,
    child_process,
    asyncio_loop,
    profiled,
    traced,
]


def changed_environment(spark):
    """A function that changes its process's settings; the next query must not see it."""

    def change(_):
        import os

        os.environ["PARITY_LEFT_BEHIND"] = "1"
        return os.environ["PARITY_LEFT_BEHIND"]

    return numbers(spark).select(F.udf(change, "string")("id").alias("v"))


CASES = [
    *(told(tell.__name__, tell) for tell in TOLD),
    told(
        "concurrency",
        lambda v: v,
        {"spark.sql.execution.pythonUDF.arrow.concurrency.level": "3"},
        rows=40,
    ),
    told("not_ansi", lambda v: v, {"spark.sql.ansi.enabled": "false"}),
    # The last: a worker of Spark's that is used again shows it to all later functions.
    Case("changed_environment", changed_environment, EVAL),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_function_sees_the_same_world(case, parity_legs):
    parity_legs.check(case)


def test_what_was_read_of_one_variable_is_not_found_by_functions_with_another(
    spark, plugin, lane, parity_legs
):
    def read_once(_):
        import os
        import sys

        if not hasattr(sys, "parity_read"):
            sys.parity_read = os.environ["PARITY_READ"]  # as a module does that is loaded
        return sys.parity_read

    numbers(spark).select(F.udf(lambda v: v, "long")("id")).collect()  # starts an interpreter
    variables = spark.sparkContext.environment
    for enabled in ("true", "false") if plugin else ("false",):
        for value in "12":
            variables["PARITY_READ"] = value
            try:
                with parity_legs.conf({"spark.ember.enabled": enabled}):
                    frame = numbers(spark).select(F.udf(read_once, "string")("id").alias("v"))
                    assert {row.v for row in frame.collect()} == {value}
                    reasons = evidence.reasons(frame)
            finally:
                del variables["PARITY_READ"]
            if enabled == "true" and lane == "embedded":
                assert reasons == {"OtherEnvironment": 3}
