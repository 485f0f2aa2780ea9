"""What a function does to the process around it: handlers, threads, memory, other tasks."""

import ctypes
import errno
import faulthandler
import os
import random
import sys
import threading
import time
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from pyspark.sql import functions as F

from counting import sessions

pytestmark = pytest.mark.usefixtures("free_lanes")
OURS = ("embedded", "process")


@pytest.fixture
def conf(spark):
    """Settings of one test."""
    changed = []

    def change(key, value):
        changed.append(key)
        spark.conf.set(key, value)

    yield change
    for key in changed:
        spark.conf.unset(key)


def answers(spark, function, rows=1, result="long"):
    """What ``function`` says of each row of one partition, and what was counted."""
    frame = spark.range(rows, numPartitions=1).select(F.udf(function, result)("id").alias("v"))
    return [row.v for row in frame.collect()], sessions(frame)


def jvm_of(spark):
    """The number of the JVM's process."""
    return spark._jvm.java.lang.ProcessHandle.current().pid()


def test_a_fault_handler_leaves_the_jvm_its_null_checks(spark, conf):
    conf("spark.ember.lane", "embedded")

    def enable(_):
        faulthandler.enable()
        return os.getpid()

    assert answers(spark, enable)[0] == [jvm_of(spark)]
    # A call on null in Java code is a SIGSEGV that the JVM's handler answers.
    for _ in range(300):
        with pytest.raises(Exception, match="NullPointerException"):
            spark._jvm.java.util.TreeMap().put(None, 1)


@pytest.mark.parametrize("through_c", [False, True], ids=["python", "c"])
def test_a_recursion_without_end_is_an_error_in_the_executor_whatever_its_limit(
    through_c, spark, conf
):
    conf("spark.ember.lane", "embedded")

    def deeper(value):
        sys.setrecursionlimit(10**8)
        return sorted([value, value], key=deeper) if through_c else deeper(value)

    with pytest.raises(Exception, match="RecursionError"):
        answers(spark, deeper)
    assert answers(spark, lambda v: v, rows=3)[0] == [0, 1, 2]


def test_descriptors_that_a_function_closes_stay_open_in_the_executor(spark, conf):
    conf("spark.ember.lane", "embedded")

    def close_all(_):
        os.closerange(3, 4096)
        return os.getpid()

    assert answers(spark, close_all)[0] == [jvm_of(spark)]
    assert answers(spark, lambda v: v, rows=3)[0] == [0, 1, 2]


@pytest.mark.parametrize("lane", OURS)
def test_a_thread_that_ends_its_process_later_harms_no_later_query(lane, spark, conf):
    conf("spark.ember.lane", lane)

    def arm(value):
        def leave():
            time.sleep(0.5)
            os._exit(3)

        threading.Thread(target=leave, daemon=True).start()
        return value

    jvm = jvm_of(spark)
    assert answers(spark, arm)[0] == [0]
    time.sleep(1.5)
    assert jvm_of(spark) == jvm
    assert answers(spark, lambda v: v, rows=3)[0] == [0, 1, 2]


@pytest.mark.parametrize("lane", ["auto", "embedded"])
def test_functions_that_feed_one_another_finish_with_one_place_for_all(lane, spark, conf):
    conf("spark.ember.lane", lane)
    conf("spark.ember.embedded.tasks", "1")
    conf("spark.sql.execution.arrow.maxRecordsPerBatch", "10")

    def plus_one(frames):
        for frame in frames:
            yield pd.DataFrame({"id": frame["id"] + 1})

    frame = spark.range(0, 400, 1, 4)
    for _ in range(3):
        frame = frame.mapInPandas(plus_one, "id long")
    assert sorted(row.id for row in frame.collect()) == list(range(3, 403))


def test_the_jvm_works_on_while_a_function_keeps_the_interpreter(spark, conf):
    conf("spark.ember.lane", "embedded")
    seconds, told = 8, []

    def keep(value):
        ctypes.PyDLL(None).sleep(seconds)
        return value

    holding = threading.Thread(target=lambda: told.append(answers(spark, keep)))
    begun = time.monotonic()
    holding.start()
    try:
        time.sleep(1)
        assert spark.range(0, 1000, 1, 1).selectExpr("sum(id)").first()[0] == 499_500
        assert time.monotonic() - begun < seconds
    finally:
        holding.join()
    ((said, counted),) = told
    assert said == [0]
    assert counted["emberSessions"] == 1


@pytest.mark.parametrize("lane", OURS)
def test_a_batch_that_a_function_keeps_stays_what_it_was(lane, spark, conf):
    conf("spark.ember.lane", lane)
    conf("spark.sql.execution.arrow.maxRecordsPerBatch", "100")

    def keep(batches):
        kept = sys.__dict__.setdefault("kept_by_a_test", [])
        for batch in batches:
            kept.append(batch)
            yield batch

    def look(batches):
        import pyarrow as pa

        assert sum(batch.num_rows for batch in batches) == 1
        found = [v for batch in sys.__dict__.pop("kept_by_a_test", []) for v in batch["id"]]
        yield pa.RecordBatch.from_pydict({"id": [value.as_py() for value in found]})

    numbers = spark.range(0, 1000, 1, 1)
    assert numbers.mapInArrow(keep, "id long").count() == 1000
    spark._jvm.java.lang.System.gc()
    assert spark.range(0, 5000, 1, 1).mapInArrow(lambda b: b, "id long").count() == 5000
    seen = [row.id for row in spark.range(0, 1, 1, 1).mapInArrow(look, "id long").collect()]
    assert seen == list(range(1000))


@pytest.mark.parametrize("lane", OURS)
@pytest.mark.parametrize("columns", [False, True], ids=["rows", "columns"])
def test_what_a_function_writes_over_its_input_stays_in_its_task(columns, lane, spark, conf):
    conf("spark.ember.lane", lane)

    @F.arrow_udf("long")
    def overwrite(ids):
        buffer = ids.buffers()[1]
        ctypes.memset(buffer.address, 0xFF, buffer.size)
        return ids

    child = spark.range(0, 1000, 1, 1)
    if columns:
        child = child.cache()
    rows = child.select("id", overwrite("id").alias("v")).collect()
    assert {row.v for row in rows} == {-1}
    # Columns cross without a copy for the rows that they are joined to.
    if lane == "process" or not columns:
        assert [row.id for row in rows] == list(range(1000))
    assert [row.id for row in child.collect()] == list(range(1000))
    child.unpersist()


def test_a_function_starts_no_more_threads_in_the_executor_than_in_a_worker(spark, conf):
    def threads(_):
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        tasks = Path("/proc/self/task")
        before = set(tasks.iterdir())
        np.linalg.svd(np.ones((200, 200)))
        pc.sum(pa.chunked_array([pa.array(range(50_000))] * 8))
        names = [(task / "comm").read_text().strip() for task in set(tasks.iterdir()) - before]
        return str(len([name for name in names if "ember" not in name]))

    found = {}
    for lane in ("embedded", "spark"):
        conf("spark.ember.lane", lane)
        found[lane] = answers(spark, threads, result="string")[0]
    assert found["embedded"] == found["spark"]


def test_linear_algebra_has_as_many_threads_as_in_a_worker(spark, conf):
    def threads(_):
        import numpy as np

        np.linalg.svd(np.ones((9, 9)))
        maps = Path("/proc/self/maps").read_text().splitlines()
        library = ctypes.CDLL(next(line.split()[-1] for line in maps if "openblas" in line))
        names = [
            f"{name}openblas_get_num_threads{bits}"
            for name in ("scipy_", "")
            for bits in ("64_", "")
        ]
        return next(getattr(library, name) for name in names if hasattr(library, name))()

    found = {}
    for lane in ("spark", *OURS):
        conf("spark.ember.lane", lane)
        found[lane] = answers(spark, threads)[0]
    assert found["embedded"] == found["process"] == found["spark"]


def test_functions_with_alarms_end_in_time_on_every_lane(spark, conf):
    def in_time(value):
        import signal

        def late(*_):
            raise TimeoutError

        before = signal.signal(signal.SIGALRM, late)
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        try:
            while True:
                pass
        except TimeoutError:
            return value + 1
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    # Alone on Python's main thread, where no other thread would have it look for signals.
    conf("spark.ember.lane", "embedded")
    alone = spark.range(1).select(F.udf(lambda value: in_time(value) + 1, "long")("id").alias("v"))
    assert [row.v for row in alone.collect()] == [2]
    # Two sessions in a task: one of them is on a lane that is not Python's main thread.
    for lane in ("auto", "embedded", "process"):
        conf("spark.ember.lane", lane)
        mapped = spark.range(0, 2, 1, 1).mapInPandas(
            lambda frames: map(plus_one_in_time(in_time), frames), "id long"
        )
        frame = mapped.select(F.udf(in_time, "long")("id").alias("v"))
        assert [row.v for row in frame.collect()] == [2, 3]
        if lane != "process":  # since the first run
            assert sessions(frame)["emberReasonQuarantined"] >= 1


def test_a_function_that_sets_seeds_draws_the_same_on_every_lane(spark, conf):
    def draw(frames):
        import random

        import numpy as np

        random.seed(5)
        np.random.seed(5)  # noqa: NPY002 (the case)
        for _ in frames:
            drawn = []
            for _ in range(100):
                time.sleep(0.001)  # so that another task draws between
                drawn.append((random.random(), np.random.rand()))  # noqa: NPY002 (the case)
            yield pd.DataFrame(drawn)

    found = on_every_lane(spark, conf, draw, "python double, numpy double")
    assert found["spark"][:100] == found["spark"][100:]
    assert list(found.values()) == [found["spark"]] * 4


def on_every_lane(spark, conf, function, schema):
    """What two tasks at once give by ``mapInPandas``: in the executor only until it stops them."""
    found = {}
    for lane in ("spark", "process", "embedded", "auto"):
        conf("spark.ember.lane", lane)
        frame = spark.range(0, 2, 1, 2).mapInPandas(function, schema)
        found[lane] = frame.collect()
        counted = sessions(frame)
        assert bool(counted) == (lane != "spark")
        assert bool(counted.get("emberReasonQuarantined")) == (lane in ("embedded", "auto"))
    return found


def caught(number):
    """A warning is an error within a block."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        time.sleep(0.001)  # so that another task enters its own, or leaves it
        try:
            warnings.warn(f"of {number}", stacklevel=1)
        except UserWarning as error:
            return str(error)
    return "not an error"


def recorded(number):
    """Warnings are gathered within a block."""
    import warnings

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        time.sleep(0.001)
        warnings.warn(f"of {number}", stacklevel=1)
        time.sleep(0.001)
    return str([str(each.message) for each in told])


def formatted(number):
    """Numbers have so many digits within a block."""
    with pd.option_context("display.precision", 2 + number):
        time.sleep(0.001)
        return pd.Series([1 / 3]).to_string()


def captured(number):
    """What is printed within a block is taken."""
    import contextlib
    import io

    with contextlib.redirect_stdout(io.StringIO()) as taken:
        time.sleep(0.001)
        print("of", number)
        time.sleep(0.001)
    return taken.getvalue()


@pytest.mark.parametrize("within", [caught, recorded, formatted, captured])
def test_a_block_that_changes_what_is_shared_is_its_functions_alone(spark, conf, within):
    def each(frames):
        for frame in frames:
            number = int(frame.id[0])
            yield pd.DataFrame({"told": [within(number) for _ in range(100)]})

    found = on_every_lane(spark, conf, each, "told string")
    assert found["spark"] == [(within(0),)] * 100 + [(within(1),)] * 100
    assert list(found.values()) == [found["spark"]] * 4


@pytest.mark.parametrize("partitioned", [False, True])
def test_a_function_that_needs_a_worker_costs_a_sink_no_failed_attempt(
    spark, conf, tmp_path, partitioned
):
    def seeded(frames):
        import random

        random.seed(5 + partitioned)
        for frame in frames:
            yield frame.assign(drawn=random.random())

    conf("spark.ember.lane", "embedded")
    written = spark.range(0, 4, 1, 1).mapInPandas(seeded, "id long, drawn double").write
    path = str(tmp_path / "drawn")
    (written.partitionBy("drawn") if partitioned else written).parquet(path)
    found = spark.read.parquet(path).collect()
    expected = random.Random(5 + partitioned).random()
    assert sorted((row.id, row.drawn) for row in found) == [(at, expected) for at in range(4)]
    shut = spark.sql("SELECT * FROM ember_functions()").where("function LIKE '%seeded%'").collect()
    assert shut, "it was not stopped"


def test_a_function_that_limits_its_process_has_one_on_every_lane(spark, conf):
    def limited(_):
        import resource

        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
        try:
            os.close(os.dup(1))
        except OSError as error:
            return error.errno
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        return 0

    for lane in ("spark", "auto", "embedded", "process"):
        conf("spark.ember.lane", lane)
        found, counted = answers(spark, limited, rows=2)
        assert found == [errno.EMFILE] * 2
        assert bool(counted.get("emberReasonQuarantined")) == (lane in ("auto", "embedded"))


def test_a_function_that_limits_the_size_of_files_gives_results_on_every_lane(
    spark, conf, tmp_path
):
    path = str(tmp_path / "file")

    def limited(batches):
        import resource

        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (8, limits[1]))
        try:
            for batch in batches:
                yield large(batch, of_child(batch), of_file())
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    def large(batch, *facts):
        text = f"{facts} {'x' * 5000}"  # together more than a worker keeps from session to session
        return pa.RecordBatch.from_pydict({"v": [text] * batch.num_rows})

    def of_child(batch):
        child = os.fork()
        if child == 0:
            os._exit(batch.num_rows // 1000)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def of_file():
        try:
            Path(path).write_text("more than that")
        except OSError as error:
            return error.errno
        return 0

    start = F.substring("v", 1, 20)
    found = {}
    for lane in ("spark", "process", "auto", "embedded"):
        conf("spark.ember.lane", lane)
        rows = spark.range(0, 10_000, 1, 1).mapInArrow(limited, "v string")
        told = rows.groupBy(start.alias("facts")).agg(F.sum(F.length("v")).alias("letters"))
        found[lane] = [tuple(row) for row in told.collect()]
    facts = f"{(10, errno.EFBIG)} "
    assert found["spark"] == [(f"{facts}{'x' * (20 - len(facts))}", 10_000 * (len(facts) + 5000))]
    assert list(found.values()) == [found["spark"]] * 4


def test_a_stage_of_a_barrier_whose_function_needs_a_worker_is_tried_again_in_one(spark, conf):
    def limited(batches):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft - 1, hard))
        yield from batches

    conf("spark.ember.lane", "embedded")
    rows = spark.range(4, numPartitions=1).mapInArrow(limited, "id long", barrier=True)
    assert [row.id for row in rows.repartition(1).collect()] == [0, 1, 2, 3]


def test_a_function_is_as_deep_in_the_stack_of_a_worker_process_as_in_sparks(spark, conf):
    def depth(_):
        frame, levels = sys._getframe(), 0
        while frame is not None:
            frame, levels = frame.f_back, levels + 1
        return levels

    def of_frames(frames):
        return (frame.assign(id=depth(None)) for frame in frames)

    found = {}
    for lane in ("spark", "process"):
        conf("spark.ember.lane", lane)
        one = spark.range(1)
        series = F.pandas_udf(lambda values: values * 0 + depth(values), "long")
        asked = [one.select(F.udf(depth, "long")("id")), one.select(series("id"))]
        asked.append(one.mapInPandas(of_frames, "id long"))
        found[lane] = [frame.collect()[0][0] for frame in asked]
    assert found["process"] == found["spark"]


def plus_one_in_time(function):
    return lambda frame: pd.DataFrame({"id": [function(value) for value in frame["id"]]})
