"""Measure Ember against every setting of Spark's own Python runner.

``python benches/run.py`` runs all workloads; ``--quick`` a few; ``--save NAME`` keeps the figures.
It exits with 1 when answers differ, a row proves nothing or, with ``--check``, a promise is broken.
"""

import argparse
import json
import shlex
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from suite.legs import EMBER, JAR, LEGS
from suite.machine import commit, machine
from suite.measure import PLANS, Bench, Effort, measure, started, warm_all
from suite.profile import profile
from suite.promises import judge, load, promised
from suite.records import write_tables
from suite.report import document, problems, report, save, slower, sound
from suite.result import Result
from suite.workloads import GROUPS, QUICK, WORKLOADS, named

RUNS = Path(__file__).resolve().parent / "runs"
QUICK_SCALE = 0.02


def main() -> int:
    """Run what the command line asks for."""
    wanted = arguments()
    if wanted.check:
        return check(json.loads((Path(wanted.check) / "result.json").read_text()))
    if EMBER.name in wanted.legs and not JAR.is_file():
        print(f"no jar at {JAR}: run ci/build, or leave the leg out with --legs", file=sys.stderr)
        return 1
    facts = facts_of(wanted)
    with TemporaryDirectory(prefix="ember-bench-") as name:
        folder = Path(name)
        tables = write_tables(folder, wanted.scale)
        with started(wanted.legs, tables, wanted.slots, wanted.scale, folder) as bench:
            if wanted.profile:
                print(profile(bench, WORKLOADS[wanted.profile], folder, wanted.legs))
                return 0
            results = run_all(bench, wanted)
            print(report(results, facts))
            kept = None
            if wanted.save:
                kept = save(results, facts, RUNS, wanted.save)
                if not wanted.quick:
                    keep_profiles(bench, results, kept, folder, wanted)
                print(f"saved in {kept}")
    broken = check(document(results, facts), kept) if wanted.check is not None else 0
    return broken or (0 if sound(results) else 1)


def check(run: dict[str, Any], kept: Path | None = None) -> int:
    """Judge a run by the promises, put the verdicts beside it if it is kept, give the exit code."""
    verdicts = judge(run, load())
    broken = [verdict for verdict in verdicts if not verdict.held]
    lines = [*map(str, verdicts), f"{len(verdicts) - len(broken)} held, {len(broken)} broken"]
    print(*lines, sep="\n")
    if kept is not None:
        (kept / "promises.txt").write_text("\n".join(lines) + "\n")
    return 1 if broken else 0


def run_all(bench: Bench, wanted: argparse.Namespace) -> list[Result]:
    """Measure the wanted workloads, telling on standard error how each went."""
    workloads = [WORKLOADS[name] for name in wanted.workloads]
    deadline = wanted.started + 60 * wanted.minutes if wanted.minutes else None
    effort = Effort(wanted.warmups, wanted.runs, wanted.memory_runs, deadline)
    say("warm-up of all workloads")
    cold = warm_all(bench, workloads, PLANS if wanted.warmups > 1 else 0)
    took = (time.monotonic() - wanted.started) / 60
    say(f"{took:5.1f} min  {len(workloads)} workloads ran once")
    results = []
    # The short ones first: what they leave of their share, the long ones have.
    for at, workload in enumerate(sorted(workloads, key=lambda one: cold[one.name].seconds)):
        result = measure(bench, workload, effort, cold[workload.name], len(workloads) - at)
        figures = ", ".join(f"{leg} {one.cpu:.3f}" for leg, one in result.series.items())
        runs = len(next(iter(result.series.values())).cpus)
        minutes = (time.monotonic() - wanted.started) / 60
        say(f"{minutes:5.1f} min  {workload.name}, {runs} runs, CPU s: {figures}")
        say(*problems([result]))
        results.append(result)
    return sorted(results, key=lambda result: wanted.workloads.index(result.workload.name))


def keep_profiles(
    bench: Bench, results: list[Result], kept: Path, folder: Path, wanted: argparse.Namespace
) -> None:
    """Put the profile of each workload that Ember is not faster at beside the figures.

    Where the minutes are counted, no profile begins more than one after them.
    """
    for result in filter(slower, results):
        if wanted.minutes and time.monotonic() - wanted.started > 60 * (wanted.minutes + 1):
            say(f"no time left for the profile of {result.workload.name}: use --profile")
        else:
            say(f"profile of {result.workload.name}")
            text = profile(bench, result.workload, folder, (EMBER.name, result.best))
            (kept / f"profile-{result.workload.name}.txt").write_text(text)


def facts_of(wanted: argparse.Namespace) -> dict[str, Any]:
    """Give what a reader needs to know of the run beside its figures."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "commit": commit(),
        "machine": machine(),
        "command": shlex.join(["benches/run.py", *sys.argv[1:]]),
        "slots": wanted.slots,
        "scale": wanted.scale,
        "warmups": wanted.warmups,
        "memory_runs": wanted.memory_runs,
    }


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--legs", type=_names(LEGS, {}), help="comma-separated")
    parser.add_argument(
        "--workloads",
        type=_names(WORKLOADS, GROUPS),
        help=f"comma-separated; groups: {', '.join(GROUPS)}",
    )
    parser.add_argument("--slots", type=int, default=1, help="task slots: local[SLOTS]")
    parser.add_argument("--runs", type=int, help="timed runs of each leg (7; quick: 2)")
    parser.add_argument("--warmups", type=int, help="runs before it, at most (60; quick: 1)")
    parser.add_argument("--memory-runs", type=int, help="runs to sample memory (2; quick: 1)")
    parser.add_argument("--minutes", type=float, help="in place of --runs: as many as fit")
    parser.add_argument("--scale", type=float, help="part of every input (1; quick: 0.02)")
    parser.add_argument("--quick", action="store_true", help="three workloads, small, few runs")
    parser.add_argument("--save", metavar="NAME", help="keep the figures in benches/runs/DATE-NAME")
    parser.add_argument(
        "--check",
        metavar="RUN",
        nargs="?",
        const="",
        help="judge the promises: by the kept run in this folder, or by a run of all they name",
    )
    parser.add_argument(
        "--profile", metavar="WORKLOAD", choices=WORKLOADS, help="show where time goes"
    )
    return _completed(parser.parse_args())


def _completed(wanted: argparse.Namespace) -> argparse.Namespace:
    """Put in what was left to be chosen."""
    wanted.started = time.monotonic()
    defaults = (2, 1, 1, QUICK_SCALE) if wanted.quick else (7, 60, 2, 1.0)
    names = ("runs", "warmups", "memory_runs", "scale")
    for name, default in zip(names, defaults, strict=True):
        if getattr(wanted, name) is None:
            setattr(wanted, name, default)
    if wanted.profile:
        wanted.workloads = [wanted.profile]
    elif wanted.workloads is None and wanted.check is not None:
        wanted.workloads = promised(load())
    elif wanted.workloads is None:
        ours = [name for name in WORKLOADS if name not in GROUPS["lanes"]]
        wanted.workloads = list(QUICK) if wanted.quick else ours
    used = {leg for name in wanted.workloads for leg in WORKLOADS[name].legs}
    wanted.legs = [leg for leg in wanted.legs or LEGS if leg in used]
    return wanted


def _names(
    known: Mapping[str, object], groups: Mapping[str, tuple[str, ...]]
) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        names = text.split(",")
        if unknown := set(names) - set(known) - set(groups):
            reason = f"unknown: {', '.join(sorted(unknown))}"
            raise argparse.ArgumentTypeError(reason)
        return [one for name in names for one in (named(name) if groups else (name,))]

    return parse


def say(*lines: str) -> None:
    """Tell how it goes, apart from what is kept."""
    for line in lines:
        print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
