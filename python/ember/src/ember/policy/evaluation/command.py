"""``python -m ember.policy evaluate``: run the parts, and keep what each found when it is done."""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from pyspark.sql import SparkSession

from ember.policy.evaluation.lanes import LANES, LaneError, tried
from ember.policy.evaluation.page import page
from ember.policy.evaluation.part import SIZES, Bench, Finding, Part, Sizes
from ember.policy.evaluation.parts import PARTS
from ember.policy.evaluation.plots import draw
from ember.policy.lock import libraries

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

#: The exit codes of a run that was interrupted, as of a shell's command, and of one that never was.
INTERRUPTED: Final = 130
NO_LANE: Final = 2


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "evaluate",
        help="measure, compare and attack the toolkit; write one page and a JSON",
        description="Parts: "
        + "; ".join(f"{part.name}: {part.question}" for part in PARTS.values()),
    )
    parser.add_argument("--out", type=Path, default=Path("evaluation"), help="the folder to write")
    parser.add_argument("--parts", nargs="+", choices=[*PARTS], default=[*PARTS], metavar="PART")
    parser.add_argument("--size", choices=[*SIZES], default="small", help="how much to do")
    parser.add_argument("--rows", type=int, help="rows of what is timed, instead of the size's")
    parser.add_argument(
        "--hillstrom", type=Path, default=os.environ.get("EMBER_HILLSTROM"), help="the CSV file"
    )
    parser.add_argument(
        "--jar", type=Path, default=os.environ.get("EMBER_JAR"), help="Ember's: adds its lanes"
    )
    parser.set_defaults(run=run)


def run(wanted: argparse.Namespace) -> int:
    """Run the wanted parts, and return the exit code: 1 if one failed."""
    with TemporaryDirectory() as scratch, _spark(wanted.jar) as spark:
        lanes = tuple(LANES) if wanted.jar else ("Spark",)
        try:
            for lane in lanes:
                tried(spark, lane)
        except LaneError as error:
            advice = f"is {wanted.jar} the jar for Spark {spark.version}? " if wanted.jar else ""
            print(f"{error}\n{advice}Nothing was evaluated", file=sys.stderr)  # noqa: T201
            return NO_LANE
        path = Path(wanted.hillstrom) if wanted.hillstrom else None
        bench = Bench(spark, lanes, _sizes(wanted), Path(scratch), path)
        return evaluate(bench, [PARTS[name] for name in wanted.parts], wanted.out)


def evaluate(bench: Bench, parts: Sequence[Part], out: Path) -> int:
    """Run parts one after another; each leaves its JSON, and the page is made of what there is."""
    out.mkdir(parents=True, exist_ok=True)
    found: list[dict[str, Any]] = []
    try:
        for part in parts:
            bench.say(f"{part.name}: {part.question}")
            found.append(_answered(bench, part))
            _write(out / f"{part.name}.json", found[-1])
            for figure in found[-1]["figures"]:
                draw(figure, out)
            bench.say(f"{part.name}: {_verdict(found[-1])}")
    except KeyboardInterrupt:
        bench.say(f"interrupted; {len(found)} of {len(parts)} parts are kept")
    complete = len(found) == len(parts)
    summary = {"complete": complete, "setting": _setting(bench), "parts": found}
    _write(out / "evaluation.json", summary)
    (out / "evaluation.html").write_text(page(summary, out), encoding="utf-8")
    bench.say(f"wrote {out / 'evaluation.html'}")
    if not complete:
        return INTERRUPTED
    return 0 if all(part["passed"] for part in found) else 1


def _answered(bench: Bench, part: Part) -> dict[str, Any]:
    """Run a part; if it breaks, that is what was found."""
    start = time.monotonic()
    try:
        finding = part.run(bench)
    except Exception as error:  # noqa: BLE001 (the other parts are to run, whatever it is)
        words = f"{type(error).__name__}: {str(error).strip()[:1000]}"
        finding = Finding("it broke", [], wrong=[words])
    return {
        "name": part.name,
        "question": part.question,
        "passed": not finding.wrong,
        "seconds": time.monotonic() - start,
        **finding.document(),
    }


def _verdict(part: dict[str, Any]) -> str:
    lines = [f"{'passed' if part['passed'] else 'FAILED'}: {part['summary']}", *part["wrong"]]
    return "\n            ".join(lines)


def _sizes(wanted: argparse.Namespace) -> Sizes:
    sizes = SIZES[wanted.size]
    return replace(sizes, timed=wanted.rows) if wanted.rows else sizes


def _setting(bench: Bench) -> dict[str, str]:
    return libraries() | {
        "lanes": " ".join(bench.lanes),
        "cores": str(bench.spark.sparkContext.defaultParallelism),
        "timed rows": f"{bench.sizes.timed:,}",
        "compared rows": f"{bench.sizes.compared:,}",
        "rounds": str(bench.sizes.rounds),
    }


def _write(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=1, allow_nan=False) + "\n", encoding="utf-8")


@contextmanager
def _spark(jar: Path | None) -> Iterator[SparkSession]:
    """Start a Spark of all cores, with Ember's plugin if its jar is given."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = (
        SparkSession.builder.master("local[*]")
        .appName("evaluation of ember.policy")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.memory", "4g")
        .config("spark.sql.shuffle.partitions", "4")
        .config("spark.sql.session.timeZone", "UTC")
    )
    if jar is not None:
        builder = builder.config("spark.plugins", "dev.ember.EmberPlugin").config(
            "spark.jars", str(jar)
        )
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    try:
        yield spark
    finally:
        spark.stop()
