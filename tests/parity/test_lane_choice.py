"""Which lane a session gets: by name, by what was measured, and by what its neighbours do."""

import hashlib
import struct
import threading
import time

import pytest
from pyspark.sql import functions as F

from parity import evidence

AUTO = {"spark.ember.lane": "auto", "spark.ember.embedded.tasks": "1"}
CHOICE = "emberChoice"
PANDAS = 200
MS = 1_000_000
pytestmark = pytest.mark.usefixtures("needs_plugin")


@pytest.fixture
def needs_plugin(plugin):
    if not plugin:
        pytest.skip("asks what the plugin does; there is none with --spark-only")


def fresh(seconds=0.0):
    """A pandas function that nobody has seen before; it waits in every batch."""
    mark = time.monotonic_ns()

    def nap(values):
        time.sleep(seconds)
        return values + (mark - mark)

    return F.pandas_udf(nap, "bigint")


def busy():
    """A row function that nobody has seen before and that keeps Python to itself.

    It could keep something in its list, so that its sessions end where they began.
    """
    mark, kept = time.monotonic_ns(), []

    def spin(value):
        total = mark + len(kept)
        for _ in range(50):
            total = (total * 31 + 7) & 0xFFFF
        return value + total - total

    return F.udf(spin, "bigint")


def chosen(spark, function, partitions=1, rows=20):
    """Run the function; the choices that were made, sessions in the executor, and in workers."""
    frame = spark.range(0, rows, 1, partitions).select(function("id").alias("v"))
    return told(frame, rows)


def told(frame, rows, *, inorder=False):
    found = [row.v for row in frame.collect()]
    assert (found if inorder else sorted(found)) == list(range(rows))
    counted = {}
    proof = evidence.Evidence(frame)
    for node in evidence.walk(frame._jdf.queryExecution().executedPlan()):
        if node.nodeName().startswith("Ember"):
            for key in evidence.each(node.metrics().keys().toSeq()):
                if key.startswith(CHOICE) and (count := evidence.metric(node, key)):
                    name = key.removeprefix(CHOICE)
                    counted[name] = counted.get(name, 0) + count
    assert proof.spark_sessions == 0
    return counted, proof.embedded_sessions - proof.process_sessions, proof.process_sessions


class Books:
    """The executor's books, to write into what would take long to measure."""

    def __init__(self, spark):
        self.ours = spark._jvm.dev.ember.session
        self.books = self.ours.ExecutorBooks

    def fingerprint(self, function):
        pickled = bytes(
            byte & 0xFF for byte in evidence.each(function._unwrapped._judf.func().command())
        )
        whole = [struct.pack(">iii", PANDAS, 1, len(pickled)), pickled]
        return self.ours.Fingerprint(hashlib.sha256(b"".join(whole)).hexdigest()[:32])

    def open(self, function, *, apart=False):
        return self.books.enter(99, function, apart)

    def note(self, function, sessions=3, *, nanos=1000, apart=False, **used):
        """So many sessions of a thousand rows, which ran all the time if nothing else is said."""
        for _ in range(sessions):
            visit = self.open(function, apart=apart)
            cpu = nanos * 1000
            others = (used.get(name, 0) for name in ("lock", "idle", "delay"))
            known = used.get("keeps_nothing", False), False  # and no threads are left
            visit.used(self.ours.Effort(1000, used.get("busy", cpu), cpu, *others, *known, 0))
            visit.leave()


@pytest.fixture
def books(spark, parity_legs):
    with parity_legs.conf(AUTO):
        yield Books(spark)


@pytest.fixture
def neighbour(books):
    """Another function's session in the executor, for as long as the test takes."""
    visit = books.open(books.ours.Fingerprint("neighbour"))
    yield visit
    visit.leave()


def test_alone_an_unknown_function_is_embedded(spark, books):
    assert chosen(spark, fresh()) == ({"LaneFree": 1}, 1, 0)


def test_beside_another_an_unknown_function_runs_apart(spark, neighbour):
    assert chosen(spark, fresh()) == ({"PlacesTaken": 1}, 0, 1)


def test_places_that_were_given_are_taken(spark, neighbour, parity_legs):
    with parity_legs.conf({"spark.ember.embedded.tasks": "2"}):
        assert chosen(spark, fresh()) == ({"WithinPlaces": 1}, 1, 0)


def test_functions_that_hardly_run_share_the_interpreter(spark, books):
    still = books.ours.Fingerprint("still")
    books.note(still, nanos=0, idle=MS)
    visit = books.open(still)
    function = fresh()
    books.note(books.fingerprint(function), nanos=0, idle=MS)
    try:
        assert chosen(spark, function) == ({"SharesLock": 1}, 1, 0)
    finally:
        visit.leave()


def test_what_waited_for_the_lock_beside_others_runs_apart(spark, books, neighbour, parity_legs):
    function = fresh()
    books.note(books.fingerprint(function), lock=1000 * MS)
    with parity_legs.conf({"spark.ember.embedded.tasks": "2"}):
        assert chosen(spark, function) == ({"WaitsForLock": 1}, 0, 1)


def test_what_waits_even_alone_runs_apart(spark, books):
    function = fresh()
    books.note(books.fingerprint(function), lock=1000 * MS)
    assert chosen(spark, function) == ({"WaitsForLock": 1}, 0, 1)


def test_what_costs_less_apart_runs_apart_and_comes_back_to_see(spark, books):
    function = fresh()
    known = books.fingerprint(function)
    books.note(known, nanos=MS)
    books.note(known, nanos=MS // 10, apart=True)
    assert chosen(spark, function) == ({"CheaperApart": 1}, 0, 1)
    books.note(known, 25, nanos=MS)
    assert chosen(spark, function) == ({"TriesEmbedded": 1}, 1, 0)
    assert chosen(spark, function) == ({"CheaperApart": 1}, 0, 1)


def test_a_worker_is_tried_once_the_function_has_run_for_long(spark, books):
    function = fresh()
    books.note(books.fingerprint(function), 15, busy=1000 * MS, nanos=100)
    assert chosen(spark, function)[0] == {"LaneFree": 1}
    # However long the last worker of this executor took to start.
    books.note(books.fingerprint(function), 200, busy=1000 * MS, nanos=100)
    assert chosen(spark, function) == ({"TriesApart": 1}, 0, 1)


def test_sharing_is_tried_beside_the_same_function(spark, books):
    function = fresh()
    known = books.fingerprint(function)
    books.note(known, 3, busy=MS)
    visit = books.open(known)
    try:
        assert chosen(spark, function) == ({"PlacesTaken": 1}, 0, 1)
        visit.leave()
        books.note(known, 60, busy=MS)
        visit = books.open(known)
        assert chosen(spark, function) == ({"TriesSharing": 1}, 1, 0)
    finally:
        visit.leave()


def test_two_tasks_that_only_wait_are_both_embedded_once_that_is_known(spark, books):
    function = fresh(seconds=1.0)
    assert chosen(spark, function, partitions=2) == ({"LaneFree": 1, "PlacesTaken": 1}, 1, 1)
    assert chosen(spark, function, partitions=2) == ({"LaneFree": 1, "SharesLock": 1}, 2, 0)


def test_two_tasks_that_want_the_lock_part_once_that_is_known(spark, books, parity_legs):
    function, rows = busy(), 300_000
    with parity_legs.conf({"spark.ember.embedded.tasks": "2"}):
        first = chosen(spark, function, partitions=2, rows=rows)
        assert first == ({"LaneFree": 1, "WithinPlaces": 1}, 2, 0)
        second = chosen(spark, function, partitions=2, rows=rows)
    assert second == ({"LaneFree": 1, "WaitsForLock": 1}, 1, 1)


def within(spark, books, function, rows):
    """Two tasks beside each other in the executor: the sessions that moved on, and all of them."""
    frame = spark.range(0, rows, 1, 2).select(function("id").alias("v"))
    counted, here, there = told_beside(books, frame, rows)
    return counted, summed(frame, "emberMovesWithin"), here, there


def told_beside(books, frame, rows):
    """What is told of a frame while a worker is to be had in no time."""
    worker = books.open(books.ours.Fingerprint("worker"), apart=True)
    worker.opened(MS)  # however long the last one took
    worker.leave()
    return told(frame, rows, inorder=True)


def summed(frame, key):
    """A metric of all embedded nodes of an executed plan."""
    nodes = evidence.walk(frame._jdf.queryExecution().executedPlan())
    return sum(evidence.metric(node, key) for node in nodes if node.nodeName().startswith("Ember"))


def counting(counter):
    """Work of some microseconds for each row, of which every thousandth is counted."""

    def spin(value):
        if value % 1000 == 0:
            counter.add(1)
        total = 1
        for _ in range(200):
            total = (total * 31 + 7) & 0xFFFF
        return value + total - total

    return spin


@pytest.mark.parametrize("kind", ["arrow", "pickled"])
def test_a_session_that_waits_for_the_lock_goes_on_in_a_worker(kind, spark, books, parity_legs):
    """Nothing is known of the function, so both tasks begin in the executor, and one leaves it."""
    counter = spark.sparkContext.accumulator(0)
    spin = counting(counter)
    rows = 300_000
    with parity_legs.conf({"spark.ember.embedded.tasks": "2"}):
        assert chosen(spark, fresh(), partitions=1) == ({"LaneFree": 1}, 1, 0)
        function = F.udf(spin, "bigint", useArrow=kind == "arrow")
        counted, moves, here, there = within(spark, books, function, rows)
    assert (moves, here, there) == (1, 2, 1)
    assert counted == {"LaneFree": 1, "WithinPlaces": 1, "MovesApart": 1}
    assert counter.value == rows // 1000


def test_a_chain_goes_on_when_sessions_above_move(spark, books, parity_legs):
    """The maps below hand columns to whichever lane the function above is on."""
    counter = spark.sparkContext.accumulator(0)

    def passed(batches):
        yield from batches

    rows = 300_000
    with parity_legs.conf({"spark.ember.embedded.tasks": "4"}):
        assert chosen(spark, fresh(), partitions=1) == ({"LaneFree": 1}, 1, 0)
        below = spark.range(0, rows, 1, 2).mapInArrow(passed, "id bigint")
        frame = below.select(F.udf(counting(counter), "bigint")("id").alias("v"))
        _, here, there = told_beside(books, frame, rows)
    moved = summed(frame, "emberMovesWithin")
    assert moved >= 1
    assert (here, there) == (4, moved)
    assert summed(frame, "emberColumnBatches") > 0
    assert counter.value == rows // 1000


def test_a_function_that_keeps_something_stays_where_its_session_began(spark, books, parity_legs):
    calls = []

    def count(value):
        total = 1
        for _ in range(200):
            total = (total * 31 + 7) & 0xFFFF
        calls.append(value)
        return value + len(calls) - len(calls)

    with parity_legs.conf({"spark.ember.embedded.tasks": "2"}):
        _, moves, here, there = within(spark, books, F.udf(count, "bigint"), 200_000)
    assert (moves, here, there) == (0, 2, 0)


def test_a_session_of_a_named_lane_takes_no_place_on_the_other(spark, books, parity_legs):
    """It is known to cost less in the executor, and stays in its worker all the same."""
    mark = time.monotonic_ns()

    def spin(values):
        end = time.thread_time() + 0.05
        while time.thread_time() < end:
            pass
        return values + (mark - mark)

    function = F.pandas_udf(spin, "bigint")
    books.note(books.fingerprint(function), nanos=10)
    embedded = books.open(books.ours.Fingerprint("embedded"))
    embedded.opened(MS)  # however long the last one took
    embedded.leave()
    with parity_legs.conf({"spark.ember.lane": "process"}):
        assert chosen(spark, function, rows=100_000) == ({}, 0, 1)
    assert chosen(spark, fresh()) == ({"LaneFree": 1}, 1, 0)


def test_functions_chained_in_a_task_share_its_place_while_nothing_is_known(spark, books):
    frame = spark.range(0, 20, 1, 1).select(busy()(fresh()("id")).alias("v"))
    assert told(frame, 20) == ({"LaneFree": 1, "WithinPlaces": 1}, 2, 0)


def test_a_session_that_waits_for_its_input_holds_nobody_up(spark, books, parity_legs):
    """The upper function has no batch before the lower one has slept; a third runs meanwhile."""
    slow = fresh(seconds=5.0)
    chain = spark.range(0, 20, 1, 1).select(busy()(slow("id")).alias("v"))
    answers = []
    with parity_legs.conf({"spark.ember.embedded.tasks": "2"}):
        waiting = threading.Thread(target=lambda: answers.append(told(chain, 20)))
        waiting.start()
        time.sleep(2.0)
        assert chosen(spark, fresh()) == ({"WithinPlaces": 1}, 1, 0)
        still_waiting = waiting.is_alive()
        waiting.join()
    assert still_waiting
    assert answers == [({"LaneFree": 1, "WithinPlaces": 1}, 2, 0)]


@pytest.mark.parametrize(("named", "apart"), [("embedded", 0), ("process", 1)])
def test_a_session_names_its_own_lane(named, apart, spark):
    other = spark.newSession()
    other.conf.set("spark.ember.lane", named)
    counted, here, there = chosen(other, fresh())
    assert (counted, here, there) == ({}, 1 - apart, apart)


def test_another_session_keeps_its_lane(spark):
    one, other = spark.newSession(), spark.newSession()
    one.conf.set("spark.ember.lane", "process")
    other.conf.set("spark.ember.lane", "embedded")
    assert chosen(one, fresh())[1:] == (0, 1)
    assert chosen(other, fresh())[1:] == (1, 0)


def test_the_figures_of_a_choice_are_metrics(spark, books):
    function, rows = busy(), 200_000
    frame = spark.range(0, rows, 1, 1).select(function("id").alias("v"))
    assert frame.agg(F.sum("v")).collect()[0][0] == rows * (rows - 1) // 2
    frame.collect()
    nodes = [
        node
        for node in evidence.walk(frame._jdf.queryExecution().executedPlan())
        if node.nodeName().startswith("Ember")
    ]
    (node,) = nodes
    spent = {
        key: evidence.metric(node, f"ember{key}") for key in ("FunctionTime", "FunctionCpuTime")
    }
    # Two clocks of the kernel, which it does not advance together.
    assert 1.02 * spent["FunctionTime"] >= spent["FunctionCpuTime"] > 100 * MS, spent
    assert evidence.metric(node, "emberLockWait") >= 0
    assert evidence.metric(node, "emberMoves") in (0, 1)
