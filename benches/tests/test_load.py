"""The clients of a loaded server and the judge of what it held, on sessions made up for it."""

import random
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest

from suite import load, load_acts


class Session:
    """Counts what is done with it."""

    def __init__(self):
        self.stopped = 0

    def stop(self):
        self.stopped += 1


def held(**more):
    return load.Look(0.0, dict.fromkeys(load.FLAT, 10.0) | more, Counter(lane=2))


@pytest.fixture
def server():
    """A process that holds little and does nothing."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield process
    process.kill()
    process.wait()


def working(act):
    return load.Client(Session(), lambda _: ("work", act), 1)


def right(_session, _dice):
    time.sleep(0.01)


def test_clients_work_until_the_time_is_over_and_their_sessions_end(server):
    leg = load.Leg("ember", 2, seconds=0.5)
    clients = [working(right), working(right)]
    load.under_load(leg, server.pid, clients, 5, lambda _: None)
    assert 0.5 <= leg.seconds < 5.5
    assert len(leg.operations) > 10
    assert leg.wrong == []
    assert [client._session.stopped for client in clients] == [1, 1]
    assert leg.looks[-1].held["processes"] == 0
    assert leg.document()["operations"]["work"]["count"] == len(leg.operations)


def test_a_wrong_answer_and_a_failure_are_told_with_how_often(server):
    said = iter(["a sum of 3 and not 4", "a sum of 3 and not 4"])

    def wrong(_session, _dice):
        time.sleep(0.05)
        if answer := next(said, None):
            return answer
        raise ValueError("gone")

    leg = load.Leg("ember", 1, seconds=0.3)
    load.under_load(leg, server.pid, [working(wrong)], 5, lambda _: None)
    first, second = leg.wrong
    assert first == "work: a sum of 3 and not 4 (2 times)"
    assert second.startswith("work: it failed: gone (")


def test_an_interrupt_ends_the_work_and_keeps_what_there_is(server, monkeypatch):
    def interrupt(_leg):
        raise KeyboardInterrupt

    monkeypatch.setattr(load, "LOOK_S", 0.2)
    leg = load.Leg("ember", 1, seconds=60)
    begun = time.monotonic()
    client = working(right)
    load.under_load(leg, server.pid, [client], 5, interrupt)
    assert time.monotonic() - begun < 30
    assert leg.interrupted
    assert leg.operations
    assert client._session.stopped == 1


def test_a_server_that_ends_is_a_problem_and_nobody_waits_for_it(server, monkeypatch):
    monkeypatch.setattr(load, "LOOK_S", 0.2)
    hold = threading.Event()
    leg = load.Leg("ember", 1, seconds=60)
    server.kill()
    load.under_load(leg, server.pid, [working(lambda *_: hold.wait(60))], 60, lambda _: None)
    hold.set()
    assert leg.wrong == ["the server has ended"]


def test_an_operation_that_does_not_end_is_stuck():
    hold = threading.Event()
    client = working(lambda *_: hold.wait(5) and None)
    client.start()
    time.sleep(0.1)
    assert client.stuck(0.05) == "work: stuck for 0.05 s"
    assert client.stuck(60) is None
    client.stop()
    hold.set()
    client.leave(5)
    assert client.stuck(0.0) is None


def test_what_stays_after_the_sessions_is_named_with_its_figures():
    assert load.grown(held(), held(**{"other MiB": 70.0})) == []
    assert load.grown(held(), held(**{"other MiB": 80.0})) == ["other MiB grew from 10 to 80"]
    assert load.grown(held(), held(processes=40.0)) == ["processes grew from 10 to 40"]
    more = load.Look(0.0, held(threads=30.0).held, Counter(lane=2, left=20))
    assert load.grown(held(), more) == ["threads grew from 10 to 30: 20 left"]


def test_objects_of_ours_that_stay_alive_are_named_by_class():
    before, after = held(), held()
    before.ours.update({"dev.ember.Function": 5, "dev.ember.Session": 5})
    after.ours.update({"dev.ember.Function": 21, "dev.ember.Session": 26})
    assert load.grown(before, after) == ["21 more objects of dev.ember.Session are alive"]
    assert load.grown(before, after, new=2) == []
    assert load.grown(after, before) == []


def test_sessions_and_functions_that_crashed_were_new():
    done = [load.Operation(name, 1.0) for name in ("crashes", "raises", "crashes")]
    assert load.Leg("ember", 4, operations=done).new == 6


def rested(name, jvm_before, jvm_after):
    before, after = (held(**{"JVM MiB": value}) for value in (jvm_before, jvm_after))
    return load.Leg(name, 1, before=before, after=after)


def test_what_the_jvm_takes_is_judged_by_what_it_takes_for_spark_alone():
    alone = rested("spark", 400.0, 500.0)
    assert load.grown_more(rested("ember", 410.0, 600.0), alone) == []
    found = load.grown_more(rested("ember", 410.0, 610.0), alone)
    assert found == ["JVM MiB grew by 200, and with Spark alone by 100"]
    assert load.grown_more(load.Leg("ember", 1), alone) == []


def test_the_most_that_was_held_is_told():
    assert load.peak([held(), held(threads=12.0), held()])["threads"] == 12.0


def test_a_leg_ends_when_it_has_done_enough(server, monkeypatch):
    monkeypatch.setattr(load, "LOOK_S", 0.2)
    leg = load.Leg("ember", 1, seconds=60, enough=5)
    load.under_load(leg, server.pid, [working(right)], 5, lambda _: None)
    assert leg.seconds < 10
    assert len(leg.operations) >= 5


def test_one_operation_in_ten_raises_and_one_in_fifty_crashes():
    dice = random.Random(7)
    names = Counter(load_acts.chosen(3, dice)[0] for _ in range(20_000))
    assert abs(names["raises"] / 20_000 - 0.1) < 0.01
    assert abs(names["crashes"] / 20_000 - 0.02) < 0.005
    assert set(names) == {"raises", "crashes", "own_state", *load_acts.KINDS}
