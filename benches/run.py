"""Measure Ember against every setting of Spark's own Python runner.

``python benches/run.py`` runs all workloads; ``--quick`` a few; ``--save NAME`` keeps the figures.
It exits with 1 when answers differ or a row proves nothing.
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from suite.driver import Driver
from suite.legs import EMBER, JAR, LEGS
from suite.machine import commit, machine
from suite.measure import Result, measure, warm_all
from suite.profile import profile
from suite.records import write_records
from suite.report import problems, save, sound, table
from suite.workload import RECORDS
from suite.workloads import QUICK, WORKLOADS

RUNS = Path(__file__).resolve().parent / "runs"


def main() -> int:
    """Run what the command line asks for."""
    wanted = arguments()
    if EMBER.name in wanted.legs and not JAR.is_file():
        print(f"no jar at {JAR}: run ci/build, or leave the leg out with --legs", file=sys.stderr)
        return 1
    facts = {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "commit": commit(),
        "machine": machine(),
        "slots": wanted.slots,
        "warmups": wanted.warmups,
        "runs": wanted.runs,
    }
    with TemporaryDirectory(prefix="ember-bench-") as folder, ExitStack() as stack:
        records = write_records(Path(folder), RECORDS)
        drivers = [
            stack.enter_context(Driver(LEGS[leg], records, wanted.slots, Path(folder)))
            for leg in wanted.legs
        ]
        for driver in drivers:
            driver.ask("hello")
        if wanted.profile:
            print(profile(drivers, WORKLOADS[wanted.profile], Path(folder)))
            return 0
        results = run_all(drivers, wanted)
    print(table(results, facts))
    if wanted.save:
        print(f"saved in {save(results, facts, RUNS, wanted.save)}")
    return 0 if sound(results) else 1


def run_all(drivers: list[Driver], wanted: argparse.Namespace) -> list[Result]:
    """Measure the wanted workloads, telling on standard error how each went."""
    workloads = [WORKLOADS[name] for name in wanted.workloads]
    print("warm-up of all workloads", file=sys.stderr, flush=True)
    warm_all(drivers, workloads, 1)
    results = []
    for workload in workloads:
        result = measure(drivers, workload, wanted.warmups, wanted.runs)
        figures = ", ".join(
            f"{leg} {one.cpu:.3f} cpu {one.wall:.3f} wall" for leg, one in result.series.items()
        )
        print(f"{workload.name}: {figures}", *problems([result]), sep="\n  ", file=sys.stderr)
        results.append(result)
    return results


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--legs", type=_names(LEGS), default=list(LEGS), help="comma-separated")
    parser.add_argument("--workloads", type=_names(WORKLOADS), help="comma-separated")
    parser.add_argument("--slots", type=int, default=1, help="task slots: local[SLOTS]")
    parser.add_argument("--runs", type=int, help="measured runs of each leg (7; quick: 3)")
    parser.add_argument(
        "--warmups", type=int, help="runs before the first measured one (4; quick: 1)"
    )
    parser.add_argument("--quick", action="store_true", help="three workloads, few runs")
    parser.add_argument("--save", metavar="NAME", help="keep the figures in benches/runs/DATE-NAME")
    parser.add_argument(
        "--profile", metavar="WORKLOAD", choices=WORKLOADS, help="show where time goes"
    )
    wanted = parser.parse_args()
    if wanted.runs is None:
        wanted.runs = 3 if wanted.quick else 7
    if wanted.warmups is None:
        wanted.warmups = 1 if wanted.quick else 4
    wanted.workloads = wanted.workloads or (list(QUICK) if wanted.quick else list(WORKLOADS))
    return wanted


def _names(known: Mapping[str, object]) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        names = text.split(",")
        if unknown := set(names) - set(known):
            reason = f"unknown: {', '.join(sorted(unknown))}"
            raise argparse.ArgumentTypeError(reason)
        return names

    return parse


if __name__ == "__main__":
    sys.exit(main())
