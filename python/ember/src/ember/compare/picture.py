"""The picture of a comparison: time, memory, and the actions that took longest."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any, Final

from ember.compare.page import NAMES
from ember.compare.runs import EMBER, SPARK, of_leg

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ember.compare.runs import Run

_COLOURS: Final = {SPARK: "#9a9a9a", EMBER: "#d9541e"}
_MOST_ACTIONS: Final = 12


def draw(path: Path, runs: Sequence[Run]) -> str:
    """Draw it to ``path``; return its name, or why there is none."""
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - users need not have it
    except ImportError:
        return "none, for want of matplotlib: pip install matplotlib"
    legs = {leg: of_leg(runs, leg) for leg in (SPARK, EMBER)}
    figure = Figure(figsize=(10, 7), layout="constrained")
    grid = figure.add_gridspec(2, 2, height_ratios=[1, 1.6])
    _bars(figure.add_subplot(grid[0, 0]), "whole run, s", _of(legs, lambda run: run.seconds))
    memory = _of(legs, lambda run: run.peak_bytes / (1 << 20))
    _bars(figure.add_subplot(grid[0, 1]), "peak memory, MiB", memory)
    _actions(figure.add_subplot(grid[1, :]), legs)
    figure.savefig(path, dpi=110)
    return str(path)


def _of(legs: dict[str, list[Run]], figure: Any) -> dict[str, list[float]]:
    return {leg: [figure(run) for run in runs] for leg, runs in legs.items()}


def _bars(axes: Any, title: str, values: dict[str, list[float]]) -> None:
    """Draw the medians as bars, and each run as a dot on them."""
    for at, (leg, each) in enumerate(values.items()):
        axes.barh(at, median(each), color=_COLOURS[leg], height=0.6)
        axes.plot(each, [at] * len(each), "o", color="black", markersize=3)
    axes.set_yticks(range(len(values)), [NAMES[leg] for leg in values])
    axes.invert_yaxis()
    axes.set_title(title, loc="left", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)


def _actions(axes: Any, legs: dict[str, list[Run]]) -> None:
    """Draw the actions that took longest on either way, in their order."""
    shared = min(len(run.actions) for runs in legs.values() for run in runs)
    seconds = {
        leg: [median(run.actions[at].seconds for run in runs) for at in range(shared)]
        for leg, runs in legs.items()
    }
    longest = sorted(range(shared), key=lambda at: -max(each[at] for each in seconds.values()))
    chosen = sorted(longest[:_MOST_ACTIONS])
    for offset, (leg, each) in zip((-0.2, 0.2), seconds.items(), strict=True):
        places = [at + offset for at in range(len(chosen))]
        values = [each[at] for at in chosen]
        axes.barh(places, values, height=0.4, color=_COLOURS[leg], label=NAMES[leg])
    actions = legs[SPARK][0].actions
    names = [f"{at + 1}. {actions[at].name} at {actions[at].where}" for at in chosen]
    axes.set_yticks(range(len(chosen)), names, fontsize=8)
    axes.invert_yaxis()
    axes.set_title("actions, s", loc="left", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    if chosen:
        axes.legend(frameon=False)
