"""The command: arguments, the runs in turn, and the files and the page that come of them."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ember.builder import is_connect
from ember.compare import page, picture
from ember.compare.differences import DIFFERENT, judge
from ember.compare.runs import EMBER, SPARK, Application, Run, of_leg, run
from ember.errors import EmberError
from ember.progress import Progress

if TYPE_CHECKING:
    from ember.compare.differences import Judged

_INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    """Compare and print; return 0 if all answers are the same, 1 if not, 2 if nobody can tell."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        application = _application(options)
    except EmberError as error:
        parser.error(str(error))
    runs, interrupted = _alternate(application, options.runs)
    spark, ember = of_leg(runs, SPARK), of_leg(runs, EMBER)
    if not spark or not ember:
        sys.stderr.write("interrupted before both ways had run once: nothing to compare\n")
        return _INTERRUPTED
    judged = judge(spark, ember)
    kept: list[str] = []
    try:
        kept = _keep(application.folder, runs, judged)
    finally:
        _print([*page.lines(spark, ember, judged), *kept])
    if interrupted:
        return _INTERRUPTED
    return _status(runs, judged)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ember.compare",
        description="Run an application with Ember and without, in turn, and show what differs.",
        epilog="The application runs whole each time, and writes each time what it writes. What "
        "it prints is in the logs. Compared are the answers of collect, toPandas, toArrow, count, "
        "take, head, first, tail, isEmpty and show, and the rows of writes; not those of RDDs and "
        "of streams.",
    )
    parser.add_argument("--runs", type=_positive, default=2, help="of each way (default: 2)")
    parser.add_argument(
        "--conf",
        action="append",
        default=[],
        type=_setting,
        metavar="KEY=VALUE",
        help="a setting of Spark's for every run; may be repeated",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("ember-compare"),
        metavar="FOLDER",
        help="where logs, figures and the picture go (default: ember-compare)",
    )
    parser.add_argument(
        "--no-answers", action="store_true", help="compare times alone, and watch no answers"
    )
    parser.add_argument("application", metavar="app.py")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="of the application")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _setting(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        message = f"{text!r} is not KEY=VALUE"
        raise argparse.ArgumentTypeError(message)
    return key, value


def _application(options: argparse.Namespace) -> Application:
    if not Path(options.application).is_file():
        message = f"{options.application}: no such file"
        raise EmberError(message)
    if is_connect(dict(options.conf)):
        message = (
            "its session would be one of Spark Connect: functions of Spark Connect run in its "
            "server, so that two servers would have to be compared. Unset SPARK_REMOTE, and set "
            "SPARK_API_MODE=classic, to compare a classic application"
        )
        raise EmberError(message)
    _make(options.out)
    words = (options.application, *options.arguments)
    return Application(words, dict(options.conf), not options.no_answers, options.out)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"--out {folder}: no folder can be made there: {error.strerror}"
        raise EmberError(message) from None
    if not os.access(folder, os.W_OK):
        message = f"--out {folder}: nothing may be written there"
        raise EmberError(message)


def _alternate(application: Application, times: int) -> tuple[list[Run], bool]:
    """Run it this way and that; an interruption leaves what has been done."""
    legs = (SPARK, EMBER) * times
    runs: list[Run] = []
    progress = Progress(sys.stderr)
    try:
        for number, leg in enumerate(legs, start=1):
            name = page.NAMES[leg]
            words = f"run {number} of {len(legs)}, {name}"
            progress.begin(words)
            runs.append(run(application, leg, number, progress.tick))
            done = runs[-1]
            failed = f", ended with {done.status}, see {done.log}" if done.status else ""
            progress.end(f"{done.seconds:.1f} s{failed}")
    except KeyboardInterrupt:
        progress.end("interrupted")
        return runs, True
    return runs, False


def _keep(folder: Path, runs: list[Run], judged: list[Judged]) -> list[str]:
    """Leave the figures as JSON, and the picture where it can be drawn; say where they are."""
    figures = folder / "comparison.json"
    told = {"runs": [asdict(run) for run in runs], "actions": [asdict(each) for each in judged]}
    figures.write_text(json.dumps(told, indent=1), encoding="utf-8")
    drawn = picture.draw(folder / "comparison.png", runs)
    return ["", f"figures: {figures}", f"picture: {drawn}"]


def _print(lines: list[str]) -> None:
    """Print what the terminal has no characters for as escapes, and as much as somebody reads."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:  # what is left of it must not be tried again as Python ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _status(runs: list[Run], judged: list[Judged]) -> int:
    failed = {leg: any(each.status for each in of_leg(runs, leg)) for leg in (SPARK, EMBER)}
    if failed[SPARK] or not any(each.contexts for each in runs):
        return 2
    return 1 if failed[EMBER] or any(each.verdict == DIFFERENT for each in judged) else 0
