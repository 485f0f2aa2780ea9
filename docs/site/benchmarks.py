"""Draw the kept benchmark runs, and write the page that shows them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
import matplotlib.pyplot as plt

ROOT = Path(__file__).resolve().parents[2]
RUNS = ROOT / "benches" / "runs"
WORDS = (
    "Made from the newest kept runs. Right of the line Ember takes less than the best of Spark's "
    "settings in the same run; a bar is the median of the rounds, the thin line the interval of 95 "
    "in 100 ratios with the rounds drawn again. Absolute times are those of one small machine, and "
    "stand in the tables."
)
BETTER, WORSE, SPREAD = "#d84315", "#757575", "#21212180"


@dataclass(frozen=True)
class Ratio:
    """Of Spark's best setting by Ember's, for one workload: a median and its interval."""

    workload: str
    middle: float
    low: float
    high: float


def write(folder: Path) -> None:
    """Write ``benchmarks.md`` and its pictures into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    one_slot = newest("*-version-*")
    draw(of_table(one_slot), "CPU time, Spark's best setting by Ember", folder / "one-slot.svg")
    several = newest("*-never-slower*")
    for slots, ratios in of_slots(several).items():
        title = f"time, Spark's best setting by Ember, {slots} slots"
        draw(ratios, title, folder / f"slots-{slots}.svg")
    pictures = [f"![{slots} slots](slots-{slots}.svg)" for slots in of_slots(several)]
    text = "\n\n".join(
        [
            f"# Benchmarks\n{WORDS}",
            f"## One task slot, CPU time\n{told(one_slot)}",
            "![One slot](one-slot.svg)",
            f"## By the clock, where Ember chooses the lane\n{told(several)}",
            *pictures,
        ]
    )
    (folder / "benchmarks.md").write_text(f"{text}\n", encoding="utf-8")


def newest(pattern: str) -> Path:
    """Return the folder of the newest run with a result."""
    return max(
        (path.parent for path in RUNS.glob(f"{pattern}/result.json")),
        key=lambda run: str(read(run)["date"]),
    )


def read(run: Path) -> dict[str, Any]:
    """Return what a run kept."""
    result: dict[str, Any] = json.loads((run / "result.json").read_text(encoding="utf-8"))
    return result


def told(run: Path) -> str:
    """Say which run it is."""
    kept = read(run)
    return (
        f"[{run.name}](../../benches/runs/{run.name}/table.md), {kept['date']}, commit "
        f"{kept['commit']}: `{kept['command']}` on {kept['machine']}"
    )


def of_table(run: Path) -> list[Ratio]:
    """Return the CPU ratios of a run of ``benches/run.py``."""
    rows = read(run)["results"]
    best = {row["workload"]: row["cpu_ratios"].get("best") for row in rows}
    return [ratio(name, figures) for name, figures in best.items() if figures]


def of_slots(run: Path) -> dict[int, list[Ratio]]:
    """Return the ratios by the clock of a run of ``benches/never_slower.py``, by slots."""
    ratios: dict[int, list[Ratio]] = {}
    for row in read(run)["rows"]:
        if "wall" in row["ratios"] and not row["unsound"]:
            here = ratios.setdefault(row["slots"], [])
            here.append(ratio(row["workload"], row["ratios"]["wall"]))
    return ratios


def ratio(workload: str, figures: dict[str, float]) -> Ratio:
    """Return a ratio as a run kept it."""
    return Ratio(workload, figures["medians"], figures["low"], figures["high"])


def draw(ratios: list[Ratio], title: str, to: Path) -> None:
    """Draw a bar for each workload on a scale of factors."""
    rows = sorted(ratios, key=lambda it: it.middle)
    figure, axes = plt.subplots(figsize=(8, 1.2 + 0.24 * len(rows)), layout="constrained")
    at = range(len(rows))
    middles = [row.middle for row in rows]
    spread = [[row.middle - row.low for row in rows], [row.high - row.middle for row in rows]]
    colours = [BETTER if row.middle >= 1 else WORSE for row in rows]
    axes.barh(at, [middle - 1 for middle in middles], left=1, color=colours, height=0.7)
    axes.errorbar(middles, at, xerr=spread, fmt="none", ecolor=SPREAD, elinewidth=1)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xscale("log")
    ticks = [0.5, 1, 2, 3, 5, 10]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks], minor=False)
    axes.minorticks_off()
    axes.set_yticks(at, [row.workload for row in rows], fontsize=8)
    axes.set_title(title, fontsize=10)
    axes.margins(y=0.01)
    figure.savefig(to)
    plt.close(figure)
