"""The judge of a soak, on made-up measurements."""

import random

from suite import soaking


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


def test_a_round_that_does_not_end_is_stuck(monkeypatch):
    monkeypatch.setattr(soaking, "LIMIT_S", 0.05)
    hold = soaking.threading.Event()
    said = soaking.within(lambda *_: str(hold.wait(5)), None, "auto", random.Random(1))
    hold.set()
    assert said == "stuck for 0.05 s"


def test_a_round_that_fails_is_a_problem():
    def fail(*_):
        raise ValueError("a wrong answer")

    assert soaking.within(fail, None, "auto", random.Random(1)) == "it failed: a wrong answer"
