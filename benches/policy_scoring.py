"""Compare the ways by which a policy's scores come to rows, with Ember and without it.

``python benches/policy_scoring.py --rows 10000000`` prints wall and CPU seconds of each rung of the
ladder (row function, pandas function, Arrow function, mapInPandas, mapInArrow), on Spark's workers
and embedded, and how often faster than Spark's row function each is: medians of rounds in which the
rungs take turns, in one application of ``local[2]``. Row functions get a tenth of the rows, and
their time is told for all. ``scan`` is the same rows and sink without a function, which is in every
rung. Before that every rung's scores are compared, bit by bit. Then it judges what is promised; the
exit code is 1 when a promise is broken, or when scores differ. ``--rungs`` runs some of them,
``--save NAME`` keeps the table.
"""

import argparse
import random
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sf

from suite.application import WITH_EMBER, application
from suite.cpu import cpu_of
from suite.kept import facts, keep

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "python" / "ember" / "src"))
from ember.policy import (  # noqa: E402 (not installed)
    Categorical,
    Forest,
    Leaf,
    Manifest,
    Numeric,
    Outcome,
    Split,
    Treatment,
    score,
)

RUNGS = ("row", "pandas", "arrow", "map_pandas", "map_arrow")
SCAN = ("scan", "Spark")
SIDES = {"Spark": "false", "embedded": "true"}
COLUMNS = (
    *("rung", "where", "million rows/s", "wall s", "CPU s", "CPU ns a row beyond the scan"),
    *("by the row function: wall", "CPU"),
)
ROW_SHARE = 10
COMPARED = 20_000
ARMS = ("none", "mens", "womens")
PROMISES = (
    (("arrow", "Spark"), ("row", "Spark"), 10.0),
    (("arrow", "embedded"), ("map_arrow", "Spark"), 2.0),
)


@dataclass(frozen=True)
class Taken:
    """Seconds of one run, for all rows."""

    wall: float
    cpu: float


def main() -> int:
    """Print the signatures, the ladder, and one line for each promise."""
    wanted = arguments()
    about = facts()
    policy = forest(wanted.trees, wanted.depth)
    spark = started(wanted.slots)
    try:
        signatures = {each: signature(spark, policy, each) for each in rungs(wanted)}
        for (rung, side), found in signatures.items():
            print(f"{rung:10} | {side:8} | {found}", flush=True)
        taken = measured(spark, policy, wanted)
    finally:
        spark.stop()
    lines = report(taken, wanted.rows)
    verdicts = [verdict(taken, promise) for promise in PROMISES if {*promise[:2]} <= {*taken}]
    same = len(set(signatures.values())) == 1
    told = [words for _, words in verdicts]
    told.append("the scores are the same bits" if same else "DIFFERENT scores")
    print(*lines, *told, sep="\n")
    if wanted.save:
        figures = [[*each, [asdict(run) for run in runs]] for each, runs in taken.items()]
        print(f"saved in {keep(wanted.save, about, [*lines, '', *told], figures)}")
    return 0 if same and all(held for held, _ in verdicts) else 1


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3, help="that are counted")
    parser.add_argument("--slots", type=int, default=2)
    parser.add_argument("--trees", type=int, default=3)
    parser.add_argument("--depth", type=int, default=3)
    parser.add_argument("--rungs", nargs="+", choices=RUNGS, default=RUNGS)
    parser.add_argument("--save", metavar="NAME", help="keep the table in benches/runs/DATE-NAME")
    return parser.parse_args()


def rungs(wanted: argparse.Namespace) -> list[tuple[str, str]]:
    """Name every rung and where it runs."""
    return [(rung, side) for rung in wanted.rungs for side in SIDES]


def customers(spark: SparkSession, rows: int, slots: int) -> DataFrame:
    """Generate rows: four numbers, one of them sometimes missing, and two texts."""
    hashed = [f"pmod(hash(id, {at}), 1000)" for at in range(6)]
    return spark.range(0, rows, 1, 2 * slots).selectExpr(
        "id",
        *(f"{each} / 10D AS n{at}" for at, each in enumerate(hashed[:3])),
        f"IF({hashed[3]} > 50, {hashed[3]} / 10D, NULL) AS n3",
        f"element_at(array('a', 'b', 'c', 'd'), {hashed[4]} % 4 + 1) AS t0",
        f"element_at(array('web', 'phone', 'many'), {hashed[5]} % 3 + 1) AS t1",
    )


def forest(trees: int, depth: int) -> Forest:
    """Draw a policy of so many trees."""
    bins = tuple(at * 100 / 32 for at in range(1, 32))
    features = (
        *(Numeric(f"n{at}", bins) for at in range(4)),
        Categorical("t0", ("a", "b", "c")),
        Categorical("t1", ("many", "phone", "web")),
    )
    manifest = Manifest(0, features, Treatment("arm", ARMS, "none"), Outcome("y", 2), {})
    draw = random.Random(1)

    def node(depth: int) -> Split | Leaf:
        if depth == 0:
            return Leaf(tuple(draw.random() for _ in ARMS))
        feature = draw.choice(features)
        numeric = isinstance(feature, Numeric)
        codes = range(draw.randrange(8, 24)) if numeric else (0, 2)
        return Split(feature.name, tuple(codes), node(depth - 1), node(depth - 1))

    return Forest(manifest, tuple(node(depth) for _ in range(trees)))


def scored(spark: SparkSession, policy: Forest, rung: str, rows: int) -> DataFrame:
    """Score generated rows by a rung."""
    frame = customers(spark, rows, spark.sparkContext.defaultParallelism)
    return frame if rung == SCAN[0] else score(frame, policy, backend=rung)


def signature(spark: SparkSession, policy: Forest, each: tuple[str, str]) -> str:
    """Add hashes of each row's key and scores, in parts that no order of adding shows."""
    rung, side = each
    spark.conf.set("spark.ember.enabled", SIDES[side])
    hashed = sf.xxhash64("id", "scores")
    parts = [sf.sum(hashed.bitwiseAND(2**32 - 1)), sf.sum(sf.shiftrightunsigned(hashed, 32))]
    low, high = scored(spark, policy, rung, COMPARED).agg(*parts).collect()[0]
    return f"{(low + (high << 32)) % 2**64:016x}"


def measured(
    spark: SparkSession, policy: Forest, wanted: argparse.Namespace
) -> dict[tuple[str, str], list[Taken]]:
    """Run the rungs in turn; the first round warms up."""
    jvm = int(spark._jvm.java.lang.ProcessHandle.current().pid())  # noqa: SLF001 (no other way)
    taken: dict[tuple[str, str], list[Taken]] = {each: [] for each in [SCAN, *rungs(wanted)]}
    for turn in range(1 + wanted.rounds):
        for (rung, side), runs in taken.items():
            share = ROW_SHARE if rung == "row" else 1
            rows = wanted.rows // share if turn else wanted.rows // 20 // share
            spark.conf.set("spark.ember.enabled", SIDES[side])
            frame = scored(spark, policy, rung, rows)
            before, start = cpu_of(jvm), time.perf_counter()
            frame.write.format("noop").mode("overwrite").save()
            wall, used = time.perf_counter() - start, cpu_of(jvm) - before
            if turn:
                each = Taken(wall * share, (used.jvm + used.python) * share)
                runs.append(each)
                print(f"  {turn} {rung} {side}: {each.wall:.1f} s", file=sys.stderr, flush=True)
    return taken


def report(taken: dict[tuple[str, str], list[Taken]], rows: int) -> list[str]:
    """Write the ladder."""
    base = middle(taken["row", "Spark"]) if ("row", "Spark") in taken else None
    scan = middle(taken[SCAN])[1]
    lines = [f"| {' | '.join(COLUMNS)} |", "|" + "---|" * len(COLUMNS)]
    for (rung, side), runs in taken.items():
        wall, cpu = middle(runs)
        spread = f"{min(run.wall for run in runs):.2f} to {max(run.wall for run in runs):.2f}"
        ratios = f"{base[0] / wall:.2f} | {base[1] / cpu:.2f}" if base else "- | -"
        lines.append(
            f"| {rung} | {side} | {rows / wall / 1e6:.2f} | {wall:.2f} ({spread}) | {cpu:.2f} "
            f"| {(cpu - scan) / rows * 1e9:.0f} | {ratios} |"
        )
    return lines


def middle(runs: list[Taken]) -> tuple[float, float]:
    """Return the medians of wall and CPU seconds."""
    return median(run.wall for run in runs), median(run.cpu for run in runs)


def verdict(
    taken: dict[tuple[str, str], list[Taken]],
    promise: tuple[tuple[str, str], tuple[str, str], float],
) -> tuple[bool, str]:
    """Say whether one way is so many times as fast as another, and what of it is the scan."""
    ours, theirs, least = promise
    (mine, cpu), (other, more) = middle(taken[ours]), middle(taken[theirs])
    scan = middle(taken[SCAN])
    ratio, word = other / mine, "held  " if other / mine >= least else "BROKEN"
    words = f"{word} {' '.join(ours)} by {' '.join(theirs)}: {ratio:.2f}, at least {least:g}"
    beyond = (
        f"{(other - scan[0]) / (mine - scan[0]):.2f}, CPU {(more - scan[1]) / (cpu - scan[1]):.2f}"
    )
    return ratio >= least, f"{words}; CPU {more / cpu:.2f}; beyond the scan {beyond}"


def started(slots: int) -> SparkSession:
    """Start Spark with Ember, which a session may turn off."""
    return application("policy scoring", slots, "2g", WITH_EMBER)


if __name__ == "__main__":
    sys.exit(main())
