"""The page that a comparison prints."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Final

from ember.compare.differences import DIFFERENT, SAME, SILENT, UNSTABLE
from ember.compare.runs import EMBER, SPARK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ember.compare.differences import Judged
    from ember.compare.plans import Node
    from ember.compare.runs import Run

NAMES: Final = {SPARK: "Spark alone", EMBER: "with Ember"}
_MEBI: Final = 1 << 20


def lines(spark: Sequence[Run], ember: Sequence[Run], judged: Sequence[Judged]) -> Iterator[str]:
    """Yield the page: the whole, the answers, the actions, the functions."""
    yield from _troubles([*spark, *ember])
    yield f"\n{len(spark)} + {len(ember)} runs in turn: median (least to most)"
    yield from table(_whole(spark, ember))
    yield ""
    yield from _answers(judged, len(spark))
    if judged:
        yield "\nactions, in seconds: median of the runs"
        yield from table(_actions(spark, ember, judged))
    if rows := _functions(spark[-1], ember[-1]):
        yield "\nfunctions, in the last run of each way"
        yield from table([_FUNCTION_HEADS, *rows])
    yield from _stays(ember[-1])


def spread(values: Sequence[float]) -> str:
    """Write the median, and beside it how far the values lie apart."""
    if len(values) == 1:
        return f"{values[0]:,.2f}"
    return f"{median(values):,.2f} ({min(values):,.2f} to {max(values):,.2f})"


def _troubles(runs: Sequence[Run]) -> Iterator[str]:
    for run in runs:
        if run.status:
            yield f"{NAMES[run.leg]}: ended with {run.status}; its log is {run.log}"
    if not any(run.contexts for run in runs):
        yield (
            "The application made no SparkContext: there is nothing to compare. Functions of Spark "
            "Connect run in its server"
        )


def _whole(spark: Sequence[Run], ember: Sequence[Run]) -> list[tuple[str, ...]]:
    heads = ("", NAMES[SPARK], NAMES[EMBER], "ratio")
    figures: list[tuple[str, Callable[[Run], float]]] = [
        ("whole run, s", lambda run: run.seconds),
        ("in its actions, s", lambda run: run.in_actions),
        ("peak memory, MiB", lambda run: run.peak_bytes / _MEBI),
    ]
    rows: list[tuple[str, ...]] = [heads]
    for name, figure in figures:
        alone, beside = [figure(run) for run in spark], [figure(run) for run in ember]
        rows.append((name, spread(alone), spread(beside), _ratio(alone, beside)))
    return rows


def _ratio(alone: Sequence[float], beside: Sequence[float]) -> str:
    return f"{median(alone) / median(beside):.2f}" if median(beside) > 0 else ""


def _answers(judged: Sequence[Judged], runs: int) -> Iterator[str]:
    """Say how many answers agree, and show those that do not."""
    of = {verdict: [each for each in judged if each.verdict == verdict] for verdict in _VERDICTS}
    compared = len(of[SAME]) + len(of[DIFFERENT])
    yield f"answers: {len(of[SAME])} of {compared} that can be compared are the same"
    for each in of[DIFFERENT]:
        yield f"  {each.number}. {each.name} at {each.where} is DIFFERENT: - Spark, + Ember"
        yield from (f"     {line}" for line in each.words)
    for each in of[UNSTABLE]:
        yield f"  {each.number}. {each.name} at {each.where}: {'; '.join(each.words)}"
    if of[SILENT]:
        yield f"  {len(of[SILENT])} actions have no answer, and were only timed"
    if of[DIFFERENT] and runs == 1:
        yield "  With --runs 2 or more, answers that Spark does not repeat itself are told apart"


_VERDICTS: Final = (SAME, DIFFERENT, UNSTABLE, SILENT)


def _actions(
    spark: Sequence[Run], ember: Sequence[Run], judged: Sequence[Judged]
) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]]
    rows = [("", "action", "at", NAMES[SPARK], NAMES[EMBER], "ratio", "answer")]
    for each in judged:
        alone, beside = _seconds(spark, each.number), _seconds(ember, each.number)
        ratio = _ratio(alone, beside) if alone and beside else ""
        shown = [spread(times) if times else "" for times in (alone, beside)]
        rows.append((f"{each.number}.", each.name, each.where, *shown, ratio, each.verdict))
    return rows


def _seconds(runs: Sequence[Run], number: int) -> list[float]:
    return [run.actions[number - 1].seconds for run in runs if number <= len(run.actions)]


_FUNCTION_HEADS: Final = (
    *("functions", "s in Python, Spark", "s in Python, Ember"),
    *("sessions in executors", "in workers", "on Spark", "why there"),
)


def _functions(spark: Run, ember: Run) -> list[tuple[str, ...]]:
    """Sum the Python nodes up by their functions."""
    alone, beside = _by_functions(spark), _by_functions(ember)
    rows = []
    for functions in dict.fromkeys([*beside, *alone]):
        theirs, ours = alone.get(functions, []), beside.get(functions, [])
        reasons = sorted({reason for node in ours for reason in node.reasons})
        places = [sum(getattr(n, p) for n in ours) for p in ("in_executor", "in_workers")]
        stayed = sum(node.on_spark for node in ours)
        if any(not node.name.startswith("Ember") for node in ours):
            reasons.append("the plan left it to Spark")
        texts = [_total(theirs), _total(ours), *map(str, places), str(stayed)]
        rows.append((functions, *texts, ", ".join(reasons)))
    return rows


def _by_functions(run: Run) -> dict[str, list[Node]]:
    found: dict[str, list[Node]] = {}
    for query in run.queries:
        for node in query.nodes:
            found.setdefault(node.functions, []).append(node)
    return found


def _total(nodes: Iterable[Node]) -> str:
    known = [node.seconds for node in nodes if node.seconds is not None]
    return f"{sum(known):,.2f}" if known else ""


def _stays(ember: Run) -> Iterator[str]:
    """Say once why nodes of the plans were left to Spark."""
    reasons = dict.fromkeys(stays for query in ember.queries for stays in query.stays)
    if reasons:
        yield "\nleft to Spark's own runner by the plan:"
        yield from (f"  {reason}" for reason in reasons)


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table, whose first row are its heads."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  " + "  ".join(cells).rstrip()
