"""Ask whether Ember as it chooses by itself is anywhere slower than Spark's best setting.

``python benches/never_slower.py --slots 1,2,4 --minutes 15`` runs the workloads in ``local[1]``,
``local[2]`` and ``local[4]``; ``--check`` judges, ``--save NAME`` keeps the figures. The exit code
is 1 when Ember is slower, when something proves nothing, and when the run was cut short, which
keeps what was measured until then.
"""

import argparse
import json
import shlex
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from run import RUNS, _names, facts_of, say
from suite.driver import ChildFailedError, OrderFailedError
from suite.legs import ARROW_LEGS, EMBER, JAR
from suite.measure import started
from suite.records import write_tables
from suite.slots import Row, document, failures_of, judge, measure_row, noise_of, table
from suite.workloads import GROUPS, WORKLOADS

#: Every workload but those over groups, of which one run may take minutes. Of the light ones those
#: of a million rows: five million tell the same, and take their time.
CHOSEN = tuple(
    name
    for group in ("ten", "light", "parts", "fixed", "lanes")
    for name in GROUPS[group]
    if not name.endswith("_5m")
)


def main() -> int:
    """Run what the command line asks for."""
    wanted = arguments()
    if not JAR.is_file():
        print(f"no jar at {JAR}: run ci/build", file=sys.stderr)
        return 1
    rows, cut_short = all_that_ran(run_all(wanted))
    facts = facts_of(wanted)
    facts["command"] = shlex.join(["benches/never_slower.py", *sys.argv[1:]])
    verdicts = judge(rows)
    broken = [verdict for verdict in verdicts if not verdict.held]
    lines = [
        f"# Never slower, {facts['date']}",
        "",
        *(f"- {name}: {facts[name]}" for name in ("commit", "machine", "command")),
        f"- Noise: {noise_of(rows)}",
        "- Promise: no ratio is below 1 by more than half its interval, nor by more than 0.1",
        "- Ratio: median of Spark's best setting by Ember's, then the interval of 95 in 100 ratios",
        "  of rounds drawn again; Ember with its default settings, rounds alternate between legs",
        "",
        *table(rows),
        *failures_of(rows),
        *map(str, broken),
        *cut_short,
        f"{len(verdicts) - len(broken)} held, {len(broken)} broken",
    ]
    print(*lines, sep="\n")
    if wanted.save:
        folder = RUNS / f"{facts['date'][:10]}-{wanted.save}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "table.md").write_text("\n".join(lines) + "\n")
        found = facts | {"rows": document(rows)}
        (folder / "result.json").write_text(json.dumps(found, indent=1) + "\n")
        say(f"saved in {folder}")
    proved = bool(rows) and not any(row.unsound for row in rows)
    return 1 if not proved or cut_short or (wanted.check and broken) else 0


def all_that_ran(rows: Iterator[Row]) -> tuple[list[Row], list[str]]:
    """Give the rows, and what ended them early."""
    measured: list[Row] = []
    try:
        for row in rows:
            measured.append(row)  # noqa: PERF402 - those before an error are wanted too
    except (ChildFailedError, OrderFailedError, KeyboardInterrupt) as error:
        say(f"{error}")
        return measured, [f"CUT SHORT: {type(error).__name__} {error}".splitlines()[0]]
    return measured, []


def run_all(wanted: argparse.Namespace) -> Iterator[Row]:
    """Measure each number of slots in drivers of its own, in equal parts of the time."""
    deadline = wanted.started + 60 * wanted.minutes
    with TemporaryDirectory(prefix="ember-bench-") as name:
        folder = Path(name)
        tables = write_tables(folder, wanted.scale)
        for at, slots in enumerate(wanted.slots):
            left = deadline - time.monotonic()
            yield from run_slots(wanted, slots, tables, folder, left / (len(wanted.slots) - at))


def run_slots(
    wanted: argparse.Namespace, slots: int, tables: dict[str, str], folder: Path, seconds: float
) -> Iterator[Row]:
    """Measure the workloads in ``local[slots]``."""
    end = time.monotonic() + seconds
    legs = [EMBER.name, *ARROW_LEGS]
    with started(legs, tables, slots, wanted.scale, folder) as bench:
        for at, name in enumerate(wanted.workloads):
            workload = WORKLOADS[name]
            now = time.monotonic()
            share = max(0.0, end - now) / (len(wanted.workloads) - at)
            row = measure_row(bench, workload, slots, now + share)
            ratios = ", ".join(f"{clock} {one.medians:.2f}" for clock, one in row.ratios().items())
            rounds = len(row.result.series[EMBER.name].walls)
            say(f"{slots} slots, {name}: {rounds} rounds, {ratios} {row.lanes} {row.unsound}")
            yield row


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slots", type=_numbers, default=[1, 2, 4], help="1,2,4")
    parser.add_argument("--minutes", type=float, default=15.0, help="about so long in all")
    parser.add_argument("--scale", type=float, default=0.4, help="part of every input")
    parser.add_argument(
        "--workloads",
        type=_names(WORKLOADS, GROUPS),
        default=list(CHOSEN),
        help=f"comma-separated; groups: {', '.join(GROUPS)}",
    )
    parser.add_argument("--save", metavar="NAME", help="keep the figures in benches/runs/DATE-NAME")
    parser.add_argument("--check", action="store_true", help="exit with 1 where Ember is slower")
    wanted = parser.parse_args()
    wanted.started = time.monotonic()
    wanted.warmups, wanted.memory_runs = 2, 0
    return wanted


def _numbers(text: str) -> list[int]:
    return [int(word) for word in text.split(",")]


if __name__ == "__main__":
    sys.exit(main())
