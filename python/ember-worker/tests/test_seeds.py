"""A function that sets a seed of the whole process's generators needs a worker."""

# The functions without a generator of their own are what is tested.
# ruff: noqa: NPY002
from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from calling import Raised, call

if TYPE_CHECKING:
    from collections.abc import Callable

SEEDS = [
    ("random.seed", lambda: random.seed(1)),
    ("random.seed", lambda: random.seed(a="text")),
    ("random.setstate", lambda: random.setstate(random.getstate())),
    ("numpy.random.seed", lambda: np.random.seed(1)),
    ("numpy.random.seed", lambda: np.random.seed([1, 2])),
    ("numpy.random.set_state", lambda: np.random.set_state(np.random.get_state())),
    ("numpy.random.mtrand.seed", lambda: np.random.mtrand.seed(1)),  # type: ignore[attr-defined]
]


@pytest.mark.parametrize(("name", "seed"), SEEDS)
def test_a_seed_needs_a_process(name: str, seed: Callable[[], None]) -> None:
    with pytest.raises(Raised, match=rf"ember_worker\.signals\.NeedsProcess: {name} works"):
        call(seed)
    seed()  # outside of sessions


@pytest.mark.skipif(not hasattr(np.random, "set_bit_generator"), reason="numpy is too old")
def test_another_generator_for_all_needs_a_process() -> None:
    with pytest.raises(Raised, match=r"NeedsProcess: numpy\.random\.set_bit_generator works"):
        call(lambda: np.random.set_bit_generator(np.random.PCG64(5)))


def test_draws_and_generators_of_its_own_do_not() -> None:
    def draw() -> Any:
        random.seed()
        np.random.seed(None)
        own = random.Random(1).random(), np.random.RandomState(1).rand(), np.random.default_rng(1)
        return random.random(), np.random.rand(), own[:2]

    first, second = call(draw), call(draw)
    assert first[0] != second[0]
    assert first[1] != second[1]
    assert first[2] == second[2]
