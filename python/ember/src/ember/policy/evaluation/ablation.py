"""Which kind of function is the fastest, over 24 settings of rows, features and types."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import product
from statistics import median
from typing import TYPE_CHECKING, Final

from ember.policy.evaluation.ladder import rungs, seconds, stored
from ember.policy.evaluation.part import Bench, Finding, Part, Table
from ember.policy.evaluation.rows import fitted, generated, random_forest

if TYPE_CHECKING:
    from ember.policy.evaluation.ladder import Rung

#: Rows are these parts of what is timed elsewhere.
_PARTS: Final = (40, 10, 4)
_FEATURES: Final = (2, 8, 32, 64)
_TYPES: Final = {"numbers": False, "mixed": True}
_FITTED_ON: Final = 20_000


@dataclass(frozen=True)
class _Setting:
    rows: int
    features: int
    types: str


def _run(bench: Bench) -> Finding:
    settings = [
        _Setting(bench.sizes.timed // part, features, types)
        for types, features, part in product(_TYPES, _FEATURES, _PARTS)
    ]
    vectors = [rung for rung in rungs(bench) if not rung.by_rows]
    lines: list[tuple[str | float, ...]] = []
    wins: Counter[Rung] = Counter()
    alone: Counter[Rung] = Counter()
    for at, setting in enumerate(settings, 1):
        bench.say(f"setting {at} of {len(settings)}: {setting}")
        rates = _rates(bench, setting, vectors)
        best = max(rates, key=lambda rung: rates[rung])
        wins[best] += 1
        alone[max((r for r in rates if r.lane == "Spark"), key=lambda rung: rates[rung])] += 1
        shown = [round(rates[rung] / 1000) for rung in vectors]
        lines.append((setting.rows, setting.features, setting.types, *shown, str(best)))
    tables = [
        Table(
            "Settings in which a function is the fastest",
            ("function", "of all", "of those on Spark's runner"),
            [(str(rung), wins[rung], alone[rung]) for rung in vectors],
        ),
        Table(
            "Thousands of rows scored in a second",
            ("rows", "features", "types", *map(str, vectors), "fastest"),
            lines,
        ),
    ]
    best, count = wins.most_common(1)[0]
    return Finding(f"{best} is the fastest in {count} of {len(settings)} settings", tables)


def _rates(bench: Bench, setting: _Setting, vectors: list[Rung]) -> dict[Rung, float]:
    folder = bench.scratch / "ablation"
    made = generated(bench, setting.rows, setting.features, mixed=_TYPES[setting.types])
    rows = stored(made, folder)
    forest = random_forest(fitted(rows.limit(_FITTED_ON)), trees=5, depth=4)
    taken = seconds(bench, forest, dict.fromkeys(vectors, rows))
    return {rung: setting.rows / median(spent) for rung, spent in taken.items()}


PART: Final = Part(
    "ablation", "Which function is the fastest, for how many rows, features and which types?", _run
)
