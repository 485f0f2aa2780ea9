"""Figures as PNG, for light pages and dark ones. Without matplotlib there are none."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pathlib import Path

#: Suffix of a file, and its colours: of the page, of text, of the grid.
THEMES: Final = {"": ("#ffffff", "#1c1e21", "#d9dce1"), "-dark": ("#16181c", "#e4e6ea", "#3a3e46")}

_LINES: Final = ("#3b7dd8", "#e07b39", "#3fa45b", "#b657c9", "#c9a227")


def there_is_matplotlib() -> bool:
    """Say whether figures can be drawn."""
    return find_spec("matplotlib") is not None


def draw(figure: dict[str, Any], folder: Path) -> list[Path]:
    """Write the files of a figure, as :class:`ember.policy.evaluation.part.Figure` has it in JSON.

    Nothing is written, and nothing returned, without matplotlib.
    """
    if not there_is_matplotlib():
        return []
    return [_themed(figure, folder / f"{figure['name']}{theme}.png", theme) for theme in THEMES]


def _themed(figure: dict[str, Any], path: Path, theme: str) -> Path:
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 (not always there)
    from matplotlib.figure import Figure  # noqa: PLC0415

    page, text, grid = THEMES[theme]
    drawn = Figure(figsize=(8, 4.5), dpi=120, facecolor=page, layout="constrained")
    FigureCanvasAgg(drawn)
    axes = drawn.add_subplot(facecolor=page)
    if figure["names"]:
        _bars(axes, figure, text)
    else:
        _lines(axes, figure)
    axes.set_title(figure["title"], color=text)
    axes.set_xlabel(figure["x"], color=text)
    axes.set_ylabel(figure["y"], color=text)
    axes.tick_params(colors=text)
    axes.grid(visible=True, axis="both" if not figure["names"] else "y", color=grid, linewidth=0.6)
    axes.set_axisbelow(True)
    for spine in axes.spines.values():
        spine.set_color(grid)
    axes.legend(facecolor=page, edgecolor=grid, labelcolor=text)
    drawn.savefig(path)
    return path


def _lines(axes: Any, figure: dict[str, Any]) -> None:
    """Draw lines; those of two points are what another is compared with, in its colour."""
    colours = iter(_LINES * len(figure["lines"]))
    colour = _LINES[0]
    for line in figure["lines"]:
        if len(line["x"]) == 2:
            axes.plot(line["x"], line["y"], "--", color=colour, linewidth=1, label=line["label"])
        else:
            colour = next(colours)
            marker = "o" if len(line["x"]) < 20 else ""
            axes.plot(line["x"], line["y"], marker=marker, color=colour, label=line["label"])


def _bars(axes: Any, figure: dict[str, Any], text: str) -> None:
    width = 0.8 / len(figure["lines"])
    for at, line in enumerate(figure["lines"]):
        places = [place + (at + 0.5) * width - 0.4 for place in range(len(line["y"]))]
        bars = axes.bar(places, line["y"], width, color=_LINES[at], label=line["label"])
        axes.bar_label(bars, fmt="%.1f", color=text, fontsize=8)
    axes.set_xticks(range(len(figure["names"])), figure["names"])
