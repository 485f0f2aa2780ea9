"""The judge of a soak, on made-up measurements."""

import random

from suite import soak_streams, soaking
from suite.evidence import Node


def watched(values, name="JVM MiB"):
    watch = soaking.Watch(1, "jcmd")
    for second, value in enumerate(values):
        held = dict.fromkeys(soaking.MORE, 10.0) | {name: float(value)}
        watch.looks.append(soaking.Look(float(second), held))
    return watch


def test_what_stays_flat_is_no_problem():
    assert watched([1000, 1030, 990] * 20).verdict() == []


def test_what_grows_is_named_with_its_figures():
    assert watched(range(1000, 1300, 3)).verdict() == ["JVM MiB grew from 1021 to 1276"]
    assert watched(range(80, 180), name="other MiB").verdict() == ["other MiB grew from 87 to 172"]
    assert watched(range(60), name="descriptors").verdict() == ["descriptors grew from 7 to 52"]


def test_what_holds_more_at_the_end_is_told_by_its_owner():
    watch = watched([1000, 1000])
    watch.looks[0].owners.update({"JVM's Code": 30.0, "main heap": 9.0})
    watch.looks[1].owners.update({"JVM's Code": 50.0, "main heap": 8.0})
    assert watch.table()[-1] == "MiB by owner: JVM's Code 30 to 50, main heap 9 to 8"


def test_a_round_that_does_not_end_is_stuck():
    hold = soaking.threading.Event()
    said = soaking.within(lambda *_: str(hold.wait(5)), None, "auto", random.Random(1), 0.05)
    hold.set()
    assert said == "stuck for 0.05 s"


def test_a_round_that_fails_is_a_problem():
    def fail(*_):
        raise ValueError("a wrong answer")

    assert soaking.within(fail, None, "auto", random.Random(1)) == "it failed: a wrong answer"


def test_sessions_are_counted_by_the_lanes_they_ran_on():
    nodes = [Node("EmberMapInArrow", 2, 1), Node("EmberArrowEvalPython", 1, 3, moved=1)]
    found = soaking.ways(nodes)
    assert found == {"in the executor": 3, "in workers": 4, "from one to the other": 1}
    assert soaking.ways([]) == {}


def test_the_totals_of_a_stream_are_those_of_all_batches_up_to_one():
    assert soak_streams.expected(0) == {0: 100, 1: 110}
    assert sum(soak_streams.expected(2).values()) == sum(range(1, 61))
