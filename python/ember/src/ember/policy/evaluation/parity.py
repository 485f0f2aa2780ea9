"""Parity: six perturbations, all kinds of functions, all lanes, and one signature of each answer.

What is done without a manifest is shown beside it: boundaries, codes and means that are taken from
the rows as they happen to come.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from pyspark.sql import functions as F  # noqa: N812 (its usual name)

from ember.policy.evaluation.ladder import KINDS
from ember.policy.evaluation.lanes import Ran
from ember.policy.evaluation.part import Bench, Finding, Part, Table
from ember.policy.evaluation.rows import KEY, fitted, generated, random_forest, signature
from ember.policy.grow import grow_tree
from ember.policy.lock import changes_since, lock
from ember.policy.score import decide, score
from ember.policy.search import Rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pyspark.sql import DataFrame

    from ember.policy.manifest import Manifest

_BATCH: Final = "spark.sql.execution.arrow.maxRecordsPerBatch"

PERTURBATIONS: Final[dict[str, Callable[[DataFrame], DataFrame]]] = {
    "as it is": lambda df: df,
    "repartitioned to 3": lambda df: df.repartition(3),
    "repartitioned to 7": lambda df: df.repartition(7),
    "coalesced to 1": lambda df: df.coalesce(1),
    "shuffled": lambda df: df.orderBy(F.xxhash64(F.lit(5), F.col(KEY))),
    "rows turned around": lambda df: df.orderBy(F.desc(KEY)),
    "columns turned around": lambda df: df.select(*reversed(df.columns)),
}

#: Rows of a batch, where they are not Spark's own number.
_SMALL: Final = 97


def _run(bench: Bench) -> Finding:
    df = generated(bench, bench.sizes.compared, 8, mixed=True)
    manifest = fitted(df)
    locked = lock(df, manifest)
    rows: list[tuple[str | float, ...]] = []
    ran = {lane: Ran(lane) for lane in bench.lanes}
    for name, change in PERTURBATIONS.items():
        bench.say(f"rows {name}")
        perturbed = change(df)
        changes = changes_since(locked, perturbed, fitted(perturbed))
        rows.append(("lock and fitted manifest", "", name, str(changes or locked.digest[:16])))
        rows += _on_all_lanes(bench, ran, name, perturbed, manifest)
    bench.say(f"batches of {_SMALL} rows")
    with _small_batches(bench):
        rows += _on_all_lanes(bench, ran, f"in batches of {_SMALL}", df, manifest)
    groups: dict[str, set[str]] = {}
    for what, _, _, sign in rows:
        groups.setdefault(str(what).split(",")[0], set()).add(str(sign))
    wrong = [
        f"{what}: {len(signs)} signatures: {', '.join(sorted(signs))}"
        for what, signs in groups.items()
        if len(signs) > 1
    ]
    naive, drifted = _without(df)
    if drifted == 1:
        wrong.append("without a manifest nothing drifted: the perturbations show nothing")
    table = Table("With the lock", ("answer", "lane", "rows", "signature"), rows)
    summary = (
        f"{len(rows)} answers have {len(groups)} signatures, one for each question; "
        f"without a manifest {len(naive)} have {drifted}"
    )
    return Finding(summary, [table, _ran_table(ran), _naive_table(naive)], wrong=wrong)


def _on_all_lanes(
    bench: Bench, ran: Mapping[str, Ran], name: str, df: DataFrame, manifest: Manifest
) -> list[tuple[str | float, ...]]:
    """Return all signatures on each lane, once Spark's record says that they are of that lane."""
    found: list[tuple[str | float, ...]] = []
    for lane in bench.lanes:
        with bench.on(lane) as here:
            found += [(what, lane, name, sign) for what, sign in _signs(df, manifest)]
        here.proven()
        ran[lane].nodes += here.nodes
        ran[lane].sessions += here.sessions
    return found


def _signs(df: DataFrame, manifest: Manifest) -> list[tuple[str, str]]:
    """Return the signatures of the scores by each kind of function, of a tree, of its choices."""
    forest = random_forest(manifest, trees=5, depth=4)
    found = [
        (f"scores, {kind}", signature(score(df, forest, backend=backend), KEY, "scores"))
        for kind, backend in KINDS.items()
    ]
    for in_a_task, how in ((False, "a query for each level"), (True, "in one task")):
        tree = grow_tree(df, manifest, max_depth=3, rules=Rules(min_leaf=5), in_a_task=in_a_task)
        digest = hashlib.sha256(tree.text().encode()).hexdigest()[:16]
        found.append((f"splits, {how}", digest))
    chosen = decide(score(df, tree, backend="arrow"), manifest, out="chosen")
    return [*found, ("choices", signature(chosen, KEY, "chosen"))]


@contextmanager
def _small_batches(bench: Bench) -> Iterator[None]:
    before = bench.spark.conf.get(_BATCH)
    bench.spark.conf.set(_BATCH, str(_SMALL))
    try:
        yield
    finally:
        bench.spark.conf.set(_BATCH, str(before))


def _without(df: DataFrame) -> tuple[list[tuple[str, str]], int]:
    signs = [(name, _unlocked(change(df))) for name, change in PERTURBATIONS.items()]
    return signs, len({sign for _, sign in signs})


def _unlocked(df: DataFrame) -> str:
    """Take boundaries, codes, the order of features and means from the rows as they come."""
    features = [name for name in df.columns if name.startswith("f")]
    numbers = [name for name, of in df.dtypes if name in features and of == "double"]
    quantiles = df.approxQuantile(numbers, [0.25, 0.5, 0.75], 0.05)
    codes = [
        [row[0] for row in df.select(name).distinct().collect()]
        for name in features
        if name not in numbers
    ]
    means = df.groupBy("arm").agg(F.avg(F.col("outcome") / 3)).collect()
    found = (features, quantiles, codes, sorted(map(tuple, means)))
    return hashlib.sha256(repr(found).encode()).hexdigest()[:16]


def _ran_table(ran: Mapping[str, Ran]) -> Table:
    """Show what ran on which lane."""
    rows: list[tuple[str | float, ...]] = [
        (lane, each.nodes, each.sessions) for lane, each in ran.items()
    ]
    return Table(
        "Where it ran", ("lane", "nodes with Python functions", "sessions of Ember's"), rows
    )


def _naive_table(signs: list[tuple[str, str]]) -> Table:
    """Show what drifted."""
    title = "Without it: quantiles, codes and means of the rows as they come"
    return Table(title, ("rows", "signature"), [*signs])


PART: Final = Part("parity", "Is every answer the same bits, however rows are cut up?", _run)
