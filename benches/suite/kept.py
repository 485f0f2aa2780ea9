"""Figures of a bench that makes its table itself, kept beside those of the others."""

import json
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from suite.machine import commit, machine

RUNS: Final = Path(__file__).resolve().parents[1] / "runs"


def facts() -> dict[str, str]:
    """Say what a reader needs to know of the run beside its figures; to be asked before it."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "commit": commit(),
        "machine": machine(),
        "command": shlex.join([f"benches/{Path(sys.argv[0]).name}", *sys.argv[1:]]),
    }


def keep(name: str, about: dict[str, str], lines: list[str], figures: Any) -> Path:
    """Write ``table.md`` and ``result.json`` into ``benches/runs/DATE-NAME``."""
    folder = RUNS / f"{about['date'][:10]}-{name}"
    folder.mkdir(parents=True, exist_ok=True)
    heading = [f"# {name}, {about['date']}", ""]
    heading += [f"- {each}: {about[each]}" for each in ("commit", "machine", "command")]
    (folder / "table.md").write_text("\n".join([*heading, "", *lines]) + "\n")
    (folder / "result.json").write_text(json.dumps(about | {"figures": figures}, indent=1) + "\n")
    return folder
