"""What ``random`` and ``numpy.random`` draw is the session's own."""

# The functions without a generator of their own are what is tested.
# ruff: noqa: NPY002
from __future__ import annotations

import copy
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from calling import call


def _draws(meeting: threading.Barrier | None, seed: int) -> list[Any]:
    """Set seeds, then draw in every way, each time with the other session."""
    random.seed(seed)
    np.random.seed(seed)
    drawn: list[Any] = []
    for _ in range(20):
        if meeting is not None:
            meeting.wait(10)
        drawn += [random.random(), random.gauss(0, 1), random.sample(range(99), 3)]
        drawn += [np.random.rand(), np.random.normal(), np.random.choice(99, 3).tolist()]
        drawn += [np.random.mtrand._rand.randint(99), np.random.sample(), random.choice("abc")]
    return drawn


def test_two_sessions_at_once_draw_what_their_own_seeds_give() -> None:
    meeting = threading.Barrier(2)
    expected = [_draws(None, 1), _draws(None, 2)]
    with ThreadPoolExecutor(2) as lanes:
        drawn = lanes.map(lambda seed: call(_draws, meeting, seed), (1, 2))
    assert list(drawn) == expected


def test_generators_of_a_session_are_what_libraries_take_them_for() -> None:
    def look() -> Any:
        rand = np.random.mtrand._rand
        assert isinstance(rand, np.random.RandomState)
        assert isinstance(random._inst, random.Random)  # type: ignore[attr-defined]
        np.random.seed(7)
        state = np.random.get_state()
        bits = np.random.RandomState(rand._bit_generator)
        drawn = [rand.rand(), np.random.rand(), bits.rand()]
        np.random.set_state(state)
        return drawn == [np.random.rand() for _ in drawn], copy.deepcopy(rand).rand(), drawn

    again, copied, drawn = call(look)
    assert again
    assert copied not in drawn


def test_what_a_session_draws_without_a_seed_is_drawn_once() -> None:
    def draw() -> Any:
        return random.random(), np.random.rand()

    drawn = {number for _ in range(5) for number in call(draw)}
    assert len(drawn) == 10
