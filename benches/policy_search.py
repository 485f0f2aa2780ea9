"""Compare the search of splits on executors with collecting all that was counted to the driver.

``python benches/policy_search.py --rows 4000 16000 64000`` prints a line for each number of
features and of rows: how many candidates there are, wall and CPU seconds of both ways, what came to
the driver in rows and bytes of task results, and by how much the memory of the driver's JVM and of
its Python grew at most. (In ``local`` masters the JVM is the executor's, too; ``--master
local-cluster[2,1,4096]`` tells them apart.) The collecting way counts by SQL in one job (features
unpivoted, grouped by node, feature, code and arm) and searches on the driver, by the same code;
both must find the same splits. Both run in turn ``--rounds`` times, or fewer when ``--seconds`` are
over, and at least twice; the least wall and CPU time of each counts: in the first rounds of a shape
most of it is the JVM's compilers. It judges that 1,000 features are searched at least five times
faster on executors, that time grows no faster than features and rows, and that what comes to the
driver does not grow with them. ``--save NAME`` keeps the table.
"""

import argparse
import os
import sys
import time
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Self

import numpy as np
import pyarrow as pa
from pyarrow import parquet
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as sf

from suite.application import application
from suite.cpu import cpu_of
from suite.kept import facts, keep

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "python" / "ember" / "src"))
from ember.policy import (  # noqa: E402 (not installed)
    Best,
    Counting,
    Leaf,
    Manifest,
    Numeric,
    Outcome,
    Rules,
    Split,
    Treatment,
    best_splits,
)
from ember.policy.draws import Draw  # noqa: E402
from ember.policy.search import Search  # noqa: E402
from ember.policy.trees import FlatTree  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

ARMS = ("control", "treated")
BOUNDARIES = tuple(at / 62 for at in range(1, 62))
CANDIDATES = 2 * (len(BOUNDARIES) + 1)
RULES = Rules(min_leaf=1)

#: Levels of the tree whose leaves are split, so that no number of features has few candidates.
DEPTHS = {10: 7, 100: 4, 500: 1, 1000: 0, 5000: 0}


COLUMNS = (
    *("features", "rows", "nodes", "candidates", "on executors s", "collected s", "ratio"),
    *("on executors CPU s", "collected CPU s", "CPU ratio"),
    *("rows, bytes to the driver, tasks: on executors", "collected"),
    *("driver's JVM and Python grew by MiB: on executors", "collected"),
)

#: Time may grow by so much more than features or rows do.
NOISE = 1.2


@dataclass(frozen=True)
class Taken:
    """What one search took, and what came to the driver."""

    seconds: float
    cpu: float
    rows: int
    bytes: int
    tasks: int
    jvm_grown: int
    grown: int
    best: list[tuple[int, str, tuple[int, ...]]]


@dataclass(frozen=True)
class Pair:
    """Both ways to search so many features of so many rows; the collecting one may be left out."""

    features: int
    rows: int
    ours: Taken
    theirs: Taken | None

    @property
    def ratio(self) -> float | None:
        """How often faster the search on executors is."""
        return None if self.theirs is None else self.theirs.seconds / self.ours.seconds

    @property
    def cpu_ratio(self) -> float | None:
        """How often less CPU time it takes."""
        return None if self.theirs is None else self.theirs.cpu / self.ours.cpu


def main() -> int:
    """Print a line for each number of features, and whether the promises are held."""
    wanted = arguments()
    about = facts()
    spark = started(wanted)
    lines = [f"| {' | '.join(COLUMNS)} |", "|" + "---|" * len(COLUMNS)]
    print(*lines, sep="\n", flush=True)
    pairs = []
    try:
        for features, many in [(each, many) for each in wanted.features for many in wanted.rows]:
            with TemporaryDirectory(dir=wanted.folder) as folder:
                df = rows(spark, folder, features, many)
                pairs.append(compared(spark, df, (features, many), wanted))
            lines.append(line(pairs[-1]))
            print(lines[-1], flush=True)
            verdicts = judged(pairs)
            told = [f"{'held  ' if held else 'BROKEN'} {words}" for held, words in verdicts]
            if wanted.save:  # a run that is cut off loses nothing
                found = [asdict(each) for each in pairs]
                keep(wanted.save, about, [*lines, "", *told], found)
    finally:
        spark.stop()
    print(*told, sep="\n")
    return 0 if all(held for held, _ in verdicts) else 1


def compared(
    spark: SparkSession, df: DataFrame, size: tuple[int, int], wanted: argparse.Namespace
) -> Pair:
    """Search both ways, in turn; the fastest of each counts."""
    features, many = size
    case = Case.of(features, many)
    ways = [on_executors, collected][: 2 if features * many <= wanted.collect_up_to else 1]
    taken: dict[Callable[..., Taken], list[Taken]] = {way: [] for way in ways}
    end = time.monotonic() + wanted.seconds
    for turn in range(wanted.rounds):
        if turn >= 2 and time.monotonic() > end:
            break
        for way, runs in taken.items():
            runs.append(way(spark, df, case))
            told = f"  {features:,} features, {many:,} rows, {turn} {way.__name__}"
            print(f"{told}: {runs[-1].seconds:.2f} s", file=sys.stderr, flush=True)
    best = [
        replace(min(runs, key=lambda run: run.seconds), cpu=min(run.cpu for run in runs))
        for runs in taken.values()
    ]
    return Pair(features, many, best[0], best[1] if len(best) > 1 else None)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[20_000])
    parser.add_argument("--features", type=int, nargs="+", default=list(DEPTHS))
    parser.add_argument("--collect-up-to", type=int, default=64_000_000, help="values")
    parser.add_argument("--rounds", type=int, default=8, help="at most, of which the best counts")
    parser.add_argument("--seconds", type=float, default=60, help="after which a shape is done")
    parser.add_argument("--slots", type=int, default=2)
    parser.add_argument("--master", help="such as local-cluster[2,1,2048]; else local[slots]")
    parser.add_argument("--memory", default="4g", help="the heap of the driver")
    parser.add_argument("--folder", help="where the rows are written for a while")
    parser.add_argument("--save", metavar="NAME", help="keep the table in benches/runs/DATE-NAME")
    return parser.parse_args()


@dataclass(frozen=True)
class Case:
    """A manifest of so many features, and the open nodes of a tree over it."""

    manifest: Manifest
    counting: Counting

    @staticmethod
    def of(features: int, many: int) -> "Case":
        """Make a tree whose leaves are to be split, over so many rows."""
        numbers = tuple(Numeric(f"f{at}", BOUNDARIES) for at in range(features))
        manifest = Manifest(
            many, numbers, Treatment("arm", ARMS, ARMS[0]), Outcome("outcome", 2), {}
        )

        def node(depth: int) -> Split | Leaf:
            if depth == 0:
                return Leaf((0.0, 0.0))
            half = tuple(range(31))
            return Split(numbers[depth].name, half, node(depth - 1), node(depth - 1))

        flat = FlatTree.of(node(DEPTHS.get(features, 0)), numbers)
        leaves = [(0, at) for at, left in enumerate(flat.left.tolist()) if at == left]
        return Case(manifest, Counting(numbers, ARMS, (flat,), (Draw(),), tuple(leaves)))


def rows(spark: SparkSession, folder: str, features: int, many: int) -> DataFrame:
    """Write random rows to four files, of which some features matter, and read them with Spark."""
    names = [f"f{at}" for at in range(features)]
    for part, ids in enumerate(np.array_split(np.arange(many), 4)):
        draw = np.random.default_rng(part)
        values = draw.random((features, len(ids)))
        arm = draw.integers(0, 2, len(ids))
        outcome = draw.random(len(ids)) + arm * (values[3] > 0.5)
        columns = [pa.array(np.array(ARMS)[arm]), pa.array(np.round(outcome, 2))]
        columns += [pa.array(line) for line in values]
        table = pa.table(columns, ["arm", "outcome", *names])
        parquet.write_table(table, f"{folder}/{part}.parquet", use_dictionary=False)
    schema = "arm string, outcome double, " + ", ".join(f"{name} double" for name in names)
    return spark.read.schema(schema).parquet(folder)


def on_executors(spark: SparkSession, df: DataFrame, case: Case) -> Taken:
    """Search as the toolkit does."""
    with Watch(spark) as watch:
        best = best_splits(df, case.manifest, case.counting, RULES)
    return watch.taken(len(best), found(best))


def collected(spark: SparkSession, df: DataFrame, case: Case) -> Taken:
    """Count by SQL, collect what was counted, and search on the driver."""
    names = [feature.name for feature in case.manifest.features]
    with Watch(spark) as watch:
        pairs = ", ".join(f"{at}, {name}" for at, name in enumerate(names))
        long = df.select(
            node_of(case).alias("node"),
            sf.col("arm"),
            sf.round(sf.col("outcome") * 100).cast("bigint").alias("units"),
            sf.expr(f"stack({len(names)}, {pairs}) AS (feature, value)"),
        )
        code = sf.greatest(sf.ceil(sf.col("value") * 62).cast("int") - 1, sf.lit(0))
        cells = (
            long.withColumn("code", code)
            .groupBy("node", "feature", "code", "arm")
            .agg(sf.count("*").alias("rows"), sf.sum("units").alias("units"))
            .toArrow()
        )
        best = searched(cells, case)
    return watch.taken(cells.num_rows, best)


def node_of(case: Case) -> Column:
    """Say in SQL which open node a row is in."""
    flat = case.counting.trees[0]
    places = {node: at for at, (_, node) in enumerate(case.counting.opened)}

    def at(node: int) -> Column:
        if node in places:
            return sf.lit(places[node])
        name = case.manifest.features[int(flat.feature[node])].name
        left = sf.col(name) <= sf.lit(BOUNDARIES[30])
        return sf.when(left, at(int(flat.left[node]))).otherwise(at(int(flat.right[node])))

    return at(0)


def searched(cells: pa.Table, case: Case) -> list[tuple[int, str, tuple[int, ...]]]:
    """Search on the driver in what was collected."""
    counting = case.counting
    whole = np.zeros((len(counting.features), *counting.shape(0)), np.int64)
    arm = np.array([ARMS.index(each) for each in cells.column("arm").to_pylist()])
    place = tuple(cells.column(name).to_numpy() for name in ("feature", "node", "code"))
    whole[(*place, arm, 0)] = cells.column("rows").to_numpy()
    whole[(*place, arm, 1)] = cells.column("units").to_numpy()
    rows = Search(counting, 0, 2, RULES).best(dict(enumerate(whole))).to_pylist()
    return [
        (row["node"], case.manifest.features[row["feature"]].name, tuple(row["left_codes"]))
        for row in rows
    ]


def found(best: list[Best]) -> list[tuple[int, str, tuple[int, ...]]]:
    """Return what both ways must agree in."""
    return [(each.opened, each.feature, each.left_codes) for each in best]


class Watch:
    """What a search takes, and what comes to the driver meanwhile."""

    def __init__(self, spark: SparkSession) -> None:
        self._jvm = int(spark._jvm.java.lang.ProcessHandle.current().pid())  # noqa: SLF001
        self._results, self._growth = Results(spark), (Growth(self._jvm), Growth(os.getpid()))
        self._seconds = self._cpu = 0.0

    def __enter__(self) -> Self:
        """Start."""
        for each in (self._results, *self._growth):
            each.start()
        self._before = cpu_of(self._jvm), time.process_time(), time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        """Take the differences; CPU time is that of the driver's Python, too."""
        reading, own, start = self._before
        self._seconds = time.perf_counter() - start
        used = cpu_of(self._jvm) - reading
        self._cpu = used.jvm + used.python + time.process_time() - own

    def taken(self, rows: int, best: list[tuple[int, str, tuple[int, ...]]]) -> Taken:
        """Return it all, once it is over."""
        jvm, grown = (each.bytes() for each in self._growth)
        bytes_, tasks = self._results.since()
        return Taken(self._seconds, self._cpu, rows, bytes_, tasks, jvm, grown, best)


class Results:
    """The bytes of task results that came to the driver meanwhile, and the tasks they are of."""

    def __init__(self, spark: SparkSession) -> None:
        self._store = spark.sparkContext._jsc.sc().statusStore()  # noqa: SLF001 (no other way)
        self._bus = spark.sparkContext._jsc.sc().listenerBus()  # noqa: SLF001

    def start(self) -> None:
        """Remember what came before."""
        self._before = self._sums()

    def since(self) -> tuple[int, int]:
        """Return the bytes and tasks that came since."""
        bytes_, tasks = self._sums()
        return bytes_ - self._before[0], tasks - self._before[1]

    def _sums(self) -> tuple[int, int]:
        self._bus.waitUntilEmpty()
        defaults = [getattr(self._store, f"stageList$default${at}")() for at in range(2, 6)]
        stages = self._store.stageList(None, *defaults)
        every = [stages.apply(at) for at in range(stages.size())]
        sizes = sum(each.resultSize() for each in every)
        return sizes, sum(each.numCompleteTasks() for each in every)


class Growth:
    """By how much the memory of a process grew at most, in bytes."""

    def __init__(self, pid: int) -> None:
        self._proc = Path("/proc") / str(pid)

    def start(self) -> None:
        """Forget the most that there was."""
        (self._proc / "clear_refs").write_text("5")
        self._before = self._most()

    def bytes(self) -> int:
        """Return by how much the most since is more than what there was."""
        return self._most() - self._before

    def _most(self) -> int:
        lines = (self._proc / "status").read_text().splitlines()
        return next(int(each.split()[1]) for each in lines if each.startswith("VmHWM:")) * 1024


def line(pair: Pair) -> str:
    """Write what a number of features took."""
    ours, theirs = pair.ours, pair.theirs
    nodes = len(ours.best)
    other, ratio, more, cpu_ratio, came, grew = ["-"] * 6
    if theirs is not None:
        other, ratio = f"{theirs.seconds:.2f}", f"{pair.ratio:.1f}"
        more, cpu_ratio = f"{theirs.cpu:.2f}", f"{pair.cpu_ratio:.1f}"
        came, grew = results(theirs), grown(theirs)
        if theirs.best != ours.best:
            came += " (DIFFERENT splits)"
    return (
        f"| {pair.features:,} | {pair.rows:,} | {nodes} | {pair.features * nodes * CANDIDATES:,} "
        f"| {ours.seconds:.2f} | {other} | {ratio} "
        f"| {ours.cpu:.2f} | {more} | {cpu_ratio} | {results(ours)} | {came} "
        f"| {grown(ours)} | {grew} |"
    )


def results(taken: Taken) -> str:
    """Write what came to the driver."""
    return f"{taken.rows:,}, {taken.bytes:,}, {taken.tasks}"


def grown(taken: Taken) -> str:
    """Write by how much the driver grew."""
    return f"{taken.jvm_grown / 2**20:.0f}, {taken.grown / 2**20:.0f}"


def judged(pairs: list[Pair]) -> list[tuple[bool, str]]:
    """Say of each promise whether it is held."""
    found = []
    for pair in pairs:
        if pair.features == 1000 and pair.ratio is not None:
            words = f"1,000 features, {pair.rows:,} rows: {pair.ratio:.1f} times faster, at least 5"
            found.append((pair.ratio >= 5, f"{words}; CPU {pair.cpu_ratio:.1f}"))
    by_rows = sorted(pairs, key=lambda pair: (pair.features, pair.rows))
    by_features = sorted(pairs, key=lambda pair: (pair.rows, pair.features))
    beside = [each for each in pairwise(by_rows) if each[0].features == each[1].features]
    beside += [each for each in pairwise(by_features) if each[0].rows == each[1].rows]
    for one, more in beside:
        larger = more.features * more.rows / (one.features * one.rows)
        if len(one.ours.best) == len(more.ours.best) and larger > 1:
            slower = more.ours.seconds / one.ours.seconds
            words = f"{larger:.1f} times the values, from {one.features:,} features of {one.rows:,}"
            found.append((slower <= larger * NOISE, f"{words} rows: {slower:.1f} times the time"))
    same = all(pair.theirs is None or pair.ours.best == pair.theirs.best for pair in pairs)
    found.append((same, "both ways find the same splits"))
    a_task = [
        pair.ours.bytes / (pair.ours.tasks + len(pair.ours.best))  # which each have some
        for pair in pairs
    ]
    words = f"bytes to the driver for a task and a node: {min(a_task):,.0f} to {max(a_task):,.0f}"
    found.append((max(a_task) < 8_192, words))
    return found


def started(wanted: argparse.Namespace) -> SparkSession:
    """Start Spark without Ember."""
    settings = {
        "spark.sql.shuffle.partitions": str(2 * wanted.slots),
        "spark.driver.maxResultSize": "0",
    }
    if wanted.master:
        settings["spark.master"] = wanted.master
    spark = application("policy search", wanted.slots, wanted.memory, settings)
    spark.sparkContext.setLogLevel("ERROR")
    return spark


if __name__ == "__main__":
    sys.exit(main())
