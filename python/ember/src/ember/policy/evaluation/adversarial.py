"""The adversarial catalogue: each wrong input has an error that names it; nothing is written."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

from pyspark.errors import PySparkException

from ember.policy.errors import PolicyError
from ember.policy.evaluation.attacks import documents, drifts, forests, values
from ember.policy.evaluation.attacks.attack import Attack, Given, learn, prepare, serve, write
from ember.policy.evaluation.part import Bench, Finding, Part, Table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ATTACKS: Final[tuple[Attack, ...]] = (
    *documents.ATTACKS,
    *drifts.ATTACKS,
    *forests.ATTACKS,
    *values.ATTACKS,
)

_SHOWN: Final = 160


def _run(bench: Bench) -> Finding:
    given = Given.sound(bench)
    wrong = [
        f"sound inputs: {act.__name__} wrote nothing"
        for act in (serve, write, learn, prepare)
        if not _written(bench, act, given)
    ]
    rows: list[tuple[str | float, ...]] = []
    for at, attack in enumerate(ATTACKS, 1):
        if at % 10 == 1:
            bench.say(f"input {at} of {len(ATTACKS)}: {attack.name}")
        answer, trouble = attacked(bench, given, attack)
        rows.append((attack.name, attack.act.__name__, answer[:_SHOWN], trouble or "refused"))
        if trouble:
            wrong.append(f"{attack.name}: {trouble}: {answer[:_SHOWN]}")
    table = Table("Wrong inputs and their errors", ("input", "given to", "error", "verdict"), rows)
    refused = sum(row[3] == "refused" for row in rows)
    summary = f"{refused} of {len(rows)} wrong inputs are refused by name, and nothing is written"
    return Finding(summary, [table], wrong=wrong)


def attacked(bench: Bench, given: Given, attack: Attack) -> tuple[str, str]:
    """Return the error, and what is wrong with it if anything is."""
    out = _fresh(bench)
    try:
        attack.act(attack.change(given), out)
    except (PolicyError, PySparkException) as error:
        answer = _line(str(error), attack.words)
        missing = [word for word in attack.words if word not in str(error)]
        trouble = f"does not say {', '.join(missing)}" if missing else ""
    except Exception as error:  # noqa: BLE001 (any other is no answer, whatever it is)
        answer, trouble = f"{type(error).__name__}: {error}", "is no error of the toolkit's"
    else:
        answer, trouble = "no error", "was taken"
    written = _files(out)
    return answer, trouble or (f"wrote {written[0].name}" if written else "")


def _written(bench: Bench, act: Callable[[Given, Path], None], given: Given) -> bool:
    out = _fresh(bench)
    act(given, out)
    return bool(_files(out))


def _fresh(bench: Bench) -> Path:
    out = bench.scratch / "adversarial"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    return out


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _line(text: str, words: tuple[str, ...]) -> str:
    """Return the line of an error that has the words: tasks' errors have tracebacks around it."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return next((line for line in lines if any(word in line for word in words)), text[:_SHOWN])


PART: Final = Part(
    "adversarial", "Is whatever is wrong refused by name, with nothing written?", _run
)
