"""Each kind of function with a node of its own in the same circumstances, and the table of that."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import test_stateful
from parity.case import Case
from parity.nodes import EVERY, Node
from parity.session import REPOSITORY
from parity.streams import Stream
from pyspark import cloudpickle
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from test_node_types import TYPED
from test_stateful import GROUP_STATE, counting

from parity import witness

# Its functions are sent to workers from here.
cloudpickle.register_pickle_by_value(test_stateful)

ADAPTIVE = "spark.sql.adaptive.enabled"
PARTITIONS = "spark.sql.shuffle.partitions"
TABLE = REPOSITORY / "docs" / "nodes.md"


def rows(count: int, groups: str, partitions: int = 2) -> Callable[[Any], DataFrame]:
    """Numbers, by a key that is said of ``id``."""
    return lambda spark: spark.range(0, count, 1, partitions).select(
        F.expr(groups).alias("k"), F.col("id").alias("v")
    )


def total(values: list[int]) -> int:
    """A number that depends on every value and on how many there are."""
    return sum(values) * 31 + len(values)


@dataclass(frozen=True)
class Circumstance:
    """A circumstance: the rows, the settings, and how it ends."""

    name: str
    rows: Callable[[Any], DataFrame]
    conf: dict[str, str] = field(default_factory=dict)
    fails: bool = False
    sessions: bool = True

    def case(self, node: Node) -> Case:
        """A kind in this circumstance."""

        def build(spark):
            return node.through(self.rows(spark), failing() if self.fails else total)

        return Case(
            f"{self.name}-{node.name}",
            build,
            frozenset({node.node}),
            conf={PARTITIONS: "5", **self.conf, **dict(node.conf)},
            fails=self.fails,
            ordered=False,
            sessions=self.sessions,
        )


def failing() -> Callable[[list[int]], int]:
    """Fails at a value, after some groups that did not."""
    sign = witness.signer()

    def fail(values):
        sign()
        if any(value > 60 for value in values):
            raise ValueError("no luck from here on")
        return total(values)

    return fail


CIRCUMSTANCES = (
    Circumstance("an error", rows(90, "cast(id / 10 as bigint)", 1), {PARTITIONS: "1"}, fails=True),
    Circumstance("no rows", rows(0, "id"), {ADAPTIVE: "false"}, sessions=False),
    Circumstance("empty partitions", rows(3, "1L"), {ADAPTIVE: "false"}),
    Circumstance("a skewed group", rows(11_500, "if(id % 1000 = 0, id, 7)")),
    Circumstance("null keys", rows(120, "if(id % 2 = 0, null, id % 7)")),
    Circumstance("adaptive", rows(1_000, "id % 90"), {ADAPTIVE: "true"}),
    Circumstance("not adaptive", rows(1_000, "id % 90"), {ADAPTIVE: "false"}),
)
GRID = [one.case(node) for one in CIRCUMSTANCES for node in EVERY]


@pytest.mark.parametrize("case", GRID, ids=lambda case: case.name)
def test_a_node_is_sparks_in_this_circumstance(case, parity_legs):
    parity_legs.check(case)


def at(second: int) -> str:
    return f"2024-01-01 00:{second // 60:02d}:{second % 60:02d}"


# What `applyInPandasWithState` has instead: only streams can use it, and they are not adapted.
FILES = {
    "an error": [[("a", 4, at(0)), ("b", 1, at(1))]],
    "no rows": [[]],
    "empty partitions": [[("a", 1, at(0))]],
    "a skewed group": [[("z" if n % 1000 else f"k{n}", 1, at(n % 600)) for n in range(12_000)]],
    "null keys": [[(None if n % 2 else f"k{n % 7}", 1, at(n)) for n in range(60)]],
    "not adaptive": [[(f"k{n % 40}", n % 3, at(n % 600)) for n in range(500)]] * 2,
}


@pytest.mark.parametrize("name", FILES)
def test_groups_with_state_are_sparks_in_this_circumstance(name, both):
    fails = name == "an error"
    stream = Stream(
        f"grid_{name.replace(' ', '_')}",
        lambda frame: counting(frame, fails_at=4 if fails else None),
        GROUP_STATE,
        mode="update",
        fails=fails,
        conf={PARTITIONS: "1" if fails else "3"},
    )
    both.check(stream, both.files(stream.name, *FILES[name]))


def table() -> str:
    """What is compared with Spark in each circumstance, as the docs show it."""
    names = ["types", *(one.name for one in CIRCUMSTANCES)]
    lines = [f"| eval type | function | {' | '.join(names)} |", f"|{'---|' * (len(names) + 2)}"]
    asked = {case.name for case in GRID}
    for node in EVERY:
        cells = [TYPED[node.number, node.name]]
        cells += ["yes" if f"{name}-{node.name}" in asked else "" for name in names[1:]]
        lines.append(f"| {node.number} | {node.name} | {' | '.join(cells)} |")
    cells = [TYPED[208, "`applyInPandasWithState`"]]
    cells += ["yes" if name in FILES else "streams are not adapted" for name in names[1:]]
    lines.append(f"| 208 | `applyInPandasWithState` | {' | '.join(cells)} |")
    return "\n".join(lines)


def test_the_table_in_the_docs_is_what_is_asked_here():
    written = Path(TABLE).read_text(encoding="utf-8")
    assert table() in written, f"{TABLE.relative_to(REPOSITORY)} should have:\n{table()}"
