"""Which answers of two legs differ, and which cannot be judged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ember.compare.answers import Action
    from ember.compare.runs import Run

SAME: Final = "same"
DIFFERENT: Final = "different"
#: Spark alone does not answer it the same way twice.
UNSTABLE: Final = "unstable"
#: It has no answer: it was only timed.
SILENT: Final = "silent"

_SHOWN_ROWS: Final = 3


@dataclass
class Judged:
    """The actions of all runs at one place of the order, and the verdict on them."""

    number: int
    name: str
    where: str
    verdict: str
    words: list[str] = field(default_factory=list)


def judge(spark: Sequence[Run], ember: Sequence[Run]) -> list[Judged]:
    """Judge every action by its place in the order."""
    longest = max((len(run.actions) for run in (*spark, *ember)), default=0)
    return [_at(number, spark, ember) for number in range(longest)]


def _at(number: int, spark: Sequence[Run], ember: Sequence[Run]) -> Judged:
    alone, beside = _actions(number, spark), _actions(number, ember)
    first = next(action for action in (*alone, *beside) if action is not None)
    verdict, words = _verdict(alone, beside)
    return Judged(number + 1, first.name, first.where, verdict, words)


def _actions(number: int, runs: Sequence[Run]) -> list[Action | None]:
    return [run.actions[number] if number < len(run.actions) else None for run in runs]


def _verdict(
    alone: Sequence[Action | None], beside: Sequence[Action | None]
) -> tuple[str, list[str]]:
    without, with_ember = ({_outcome(action) for action in leg} for leg in (alone, beside))
    if len(without) > 1:
        return UNSTABLE, ["differs between runs of Spark alone, too"]
    if without == with_ember:
        action = next(iter(alone), None)
        silent = action is not None and action.answer is None and action.error is None
        return (SILENT if silent else SAME), []
    other = next(action for action in beside if _outcome(action) not in without)
    return DIFFERENT, _shown(alone[0], other)


def _outcome(action: Action | None) -> tuple[str, ...]:
    """Reduce an action to what must be the same."""
    if action is None:
        return ("absent",)
    if action.error is not None:
        return (action.name, "error", action.error)
    if action.answer is None:
        return (action.name, "silent")
    return (action.name, str(action.answer.rows), action.answer.digest)


def _shown(alone: Action | None, beside: Action | None) -> list[str]:
    """Say in a few lines how they differ: Spark's with a minus, Ember's with a plus."""
    lines = [f"- {_in_short(alone)}", f"+ {_in_short(beside)}"]
    if alone is None or beside is None or alone.answer is None or beside.answer is None:
        return lines
    if alone.answer.kept is None or beside.answer.kept is None:
        return lines
    missing = _left(alone.answer.kept, beside.answer.kept)
    added = _left(beside.answer.kept, alone.answer.kept)
    lines += [f"  - {row}" for row in missing[:_SHOWN_ROWS]]
    return lines + [f"  + {row}" for row in added[:_SHOWN_ROWS]]


def _in_short(action: Action | None) -> str:
    if action is None:
        return "the application did not come this far"
    if action.error is not None:
        return action.error
    if action.answer is None:
        return f"{action.name} without an answer"
    return f"{action.answer.rows:,} rows, digest {action.answer.digest[:12]}"


def _left(rows: list[str], others: list[str]) -> list[str]:
    """Give the rows that are not among the others, each as often as it is more."""
    rest = list(others)
    left = []
    for row in rows:
        if row in rest:
            rest.remove(row)
        else:
            left.append(row)
    return left
