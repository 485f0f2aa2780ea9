"""CPU nanoseconds a row of the policy kernel, native and by numpy, in turns, without Spark.

``python python/ember/benchmarks/policy_kernel.py`` prints a line for scores and one for statistics;
``--only native`` or ``--only numpy`` runs one of them, for ``perf stat -e instructions:u``.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))
from ember.policy import (
    Categorical,
    Counting,
    Forest,
    Leaf,
    Manifest,
    Numeric,
    Outcome,
    Split,
    Treatment,
)
from ember.policy.draws import Draw
from ember.policy.kernel import library
from ember.policy.statistics import Statistics, kernel_of
from ember.policy.trees import FlatTree

ARMS = ("none", "mens", "womens")
ROWS = 10_000
BATCHES = 20


def main() -> None:
    """Print what both take."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=["native", "numpy"])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--trees", type=int, default=3)
    parser.add_argument("--depth", type=int, default=3)
    wanted = parser.parse_args()
    for name, ways in works(wanted.trees, wanted.depth).items():
        taken: dict[str, list[float]] = {way: [] for way in ways if wanted.only in (None, way)}
        for _ in range(wanted.rounds):
            for way, times in taken.items():
                times.append(cpu_of(ways[way]) / (ROWS * BATCHES) * 1e9)
        each = (
            f"{way} {median(times):.1f} ns ({min(times):.1f} to {max(times):.1f})"
            for way, times in taken.items()
        )
        print(f"{name}, a row: {'; '.join(each)}")


def works(trees: int, depth: int) -> dict[str, dict[str, Callable[[], object]]]:
    """Give each way of each question as a function to call."""
    forest = policy(trees, depth)
    features = forest.manifest.features
    given = [columns(features, at) for at in range(BATCHES)]
    path = str(library())
    scorers = {"native": forest.scorer(path), "numpy": forest.scorer(None)}
    flat = tuple(FlatTree.of(tree, features) for tree in forest.trees)
    leaves = tuple((0, at) for at, left in enumerate(flat[0].left.tolist()) if at == left)
    counting = Counting(features, ARMS, flat, (Draw(),) * trees, leaves)
    counters = {
        "native": Statistics(counting, kernel_of(counting, path)),
        "numpy": Statistics(counting),
    }
    rows = [counted(given[at], features, at) for at in range(BATCHES)]
    return {
        "scores": {
            way: lambda scorer=scorer: [scorer(each) for each in given]
            for way, scorer in scorers.items()
        },
        "statistics": {
            way: lambda counter=counter: [counter.add(each) for each in rows]
            for way, counter in counters.items()
        },
    }


def cpu_of(work: Callable[[], object]) -> float:
    """Return the CPU seconds that it takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def policy(trees: int, depth: int) -> Forest:
    """Draw a forest over eight numbers and two texts."""
    bins = tuple(at / 32 for at in range(1, 32))
    features = (
        *(Numeric(f"n{at}", bins) for at in range(8)),
        *(Categorical(f"t{at}", ("Rural", "Surburban", "Urban")) for at in range(2)),
    )
    manifest = Manifest(0, features, Treatment("arm", ARMS, "none"), Outcome("y", 2), {})
    draw = random.Random(1)

    def node(depth: int) -> Split | Leaf:
        if depth == 0:
            return Leaf(tuple(draw.random() for _ in ARMS))
        feature = draw.choice(features)
        codes = range(draw.randrange(8, 24)) if isinstance(feature, Numeric) else (0, 2)
        return Split(feature.name, tuple(codes), node(depth - 1), node(depth - 1))

    return Forest(manifest, tuple(node(depth) for _ in range(trees)))


def columns(features: tuple[Numeric | Categorical, ...], seed: int) -> list[pa.Array]:
    """Draw a batch."""
    draw = np.random.default_rng(seed)
    words = np.array(["Rural", "Surburban", "Urban", "elsewhere"])
    return [
        pa.array(draw.random(ROWS))
        if isinstance(each, Numeric)
        else pa.array(words[draw.integers(0, 4, ROWS)])
        for each in features
    ]


def counted(
    given: list[pa.Array], features: tuple[Numeric | Categorical, ...], seed: int
) -> pa.RecordBatch:
    """Put arms, hashes and outcomes before the features: lists of numbers, and lists of texts."""
    draw = np.random.default_rng(seed)
    arms = pa.array(np.array(ARMS)[draw.integers(0, 3, ROWS)])
    hashes = pa.array(draw.integers(-(2**63), 2**63 - 1, ROWS))
    every = [arms, hashes, pa.array(draw.integers(0, 10_000, ROWS))]
    for numeric in (True, False):
        pairs = zip(given, features, strict=True)
        some = [column for column, of in pairs if isinstance(of, Numeric) == numeric]
        values = np.stack([column.to_numpy(zero_copy_only=False) for column in some], axis=1)
        ends = pa.array(np.arange(ROWS + 1, dtype=np.int32) * len(some))
        every.append(pa.ListArray.from_arrays(ends, pa.array(values.ravel(), some[0].type)))
    return pa.RecordBatch.from_arrays(every, [str(at) for at in range(len(every))])


if __name__ == "__main__":
    main()
