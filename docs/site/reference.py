"""Write what the jar has into docs/reference: settings, reasons, choices, metrics.

python docs/site/reference.py            writes them
python docs/site/reference.py --check    fails when one is not what it would write

``EMBER_JAR`` names another jar than that in ``dist``.
"""

import argparse
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pyspark import SparkContext
from pyspark.sql import SparkSession

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "reference"
JAR = os.environ.get("EMBER_JAR", str(ROOT / "dist" / "ember-spark-4.3_2.13.jar"))
MADE = "<!-- docs/site/reference.py made this from the jar -->"
#: What stands where a reason has words of its own for each case.
CASE = "…"


def main() -> int:
    """Write the pages, or compare them."""
    parser = argparse.ArgumentParser(description="Write docs/reference from the jar.")
    parser.add_argument("--check", action="store_true", help="write nothing, fail on differences")
    check = parser.parse_args().check
    PAGES.mkdir(exist_ok=True)
    stale = {name: text for name, text in pages().items() if written(PAGES / name) != text}
    for name, text in stale.items():
        print(f"docs/reference/{name}", "is not what the jar says" if check else "is new")
        if not check:
            (PAGES / name).write_text(text, encoding="utf-8")
    return 1 if check and stale else 0


def written(path: Path) -> str:
    """Return what a page says, nothing if it is not there."""
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def pages() -> dict[str, str]:
    """Return the text of each page by the name of its file."""
    spark = (
        SparkSession.builder.master("local[1]")
        .config("spark.jars", JAR)
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )
    try:
        jar = Jar(spark.sparkContext)
        return {
            "settings.md": settings(jar),
            "reasons.md": reasons(jar),
            "choices.md": choices(jar),
            "metrics.md": metrics(jar),
        }
    finally:
        spark.stop()


class Jar:
    """The plugin's own values, in a JVM that has loaded it."""

    def __init__(self, context: SparkContext) -> None:
        self._gateway = context._gateway  # noqa: SLF001 - PySpark's own way to the JVM
        self.context = context._jsc.sc()  # noqa: SLF001 - as above
        self.ember: Any = self._gateway.jvm.dev.ember

    def members(self, family: str) -> list[Any]:
        """Return an instance of each case of a sealed family."""
        lang = self._gateway.jvm.java.lang
        loader = lang.Thread.currentThread().getContextClassLoader()
        base = lang.Class.forName(family, True, loader)  # noqa: FBT003 - Java's own order
        cases = (case for case in base.getClasses() if base.isAssignableFrom(case))
        return [self._instance(case) for case in cases]

    def _instance(self, case: Any) -> Any:
        if case.getSimpleName().endswith("$"):
            return case.getField("MODULE$").get(None)
        constructor = case.getConstructors()[0]
        count = constructor.getParameterCount()
        words = self._gateway.new_array(self._gateway.jvm.java.lang.Object, count)
        for at in range(count):
            words[at] = CASE
        return constructor.newInstance(words)


def settings(jar: Jar) -> str:
    """Every key, as the plugin reads it."""
    rows = (
        (f"`{it.key()}`", f"`{default(it.default())}`", it.unit(), demand(it), it.doc())
        for it in items(jar.ember.config.EmberConf.all())
    )
    return page(
        "Settings",
        "What an application sets with `--conf` or in `spark-defaults.conf`. Which of them a "
        "session may set for itself is in the [README](../../README.md#settings).",
        ("key", "default", "unit or words", "range", "meaning"),
        rows,
    )


def default(value: Any) -> str:
    """Return a default as a user would write it."""
    words = value.toString() if hasattr(value, "toString") else str(value)
    return words[:1].lower() + words[1:]


def demand(setting: Any) -> str:
    """Return what a setting may be."""
    words = setting.demand()
    return words.get().removeprefix("must be ") if words.isDefined() else "any text"


def reasons(jar: Jar) -> str:
    """Every reason for which a node or a session is not embedded."""
    of_sessions = set(items(jar.ember.reason.FallbackReason.ofSessions()))
    rows = sorted(
        (f"`{it.name()}`", it.words(), "session" if it.name() in of_sessions else "node")
        for it in jar.members("dev.ember.reason.FallbackReason")
    )
    return page(
        "Reasons",
        "Why a node or a session is not embedded. Those of nodes stand in EXPLAIN, under *Ember*; "
        "those of sessions are counted by the node's metrics and in `ember_functions()`. Where "
        f"{CASE} stands, the reason says more.",
        ("reason", "words", "of a"),
        rows,
    )


def choices(jar: Jar) -> str:
    """Every name for why a session runs on its lane."""
    rows = (
        (f"`{it.name()}`", "worker process" if it.apart() else "executor", it.words())
        for it in items(jar.ember.session.Choice.all())
    )
    return page(
        "Choices of a lane",
        "Why a session runs where it does with `spark.ember.lane=auto` "
        "([how that is decided](../design/0009-choice-of-a-lane.md)).",
        ("choice", "where", "because"),
        rows,
    )


def metrics(jar: Jar) -> str:
    """Every metric of a node."""
    made = items(jar.ember.metrics.EmberMetrics.create(jar.context).toSeq())
    rows = sorted((f"`{it._1()}`", it._2().name().get(), kind(it._2())) for it in made)  # noqa: SLF001
    return page(
        "Metrics",
        "What every Ember node counts beside Spark's own metrics of Python nodes: in the SQL tab, "
        "in the event log, in Spark's REST interface.",
        ("key", "in the SQL tab", "unit"),
        rows,
    )


def kind(metric: Any) -> str:
    """Return what a metric counts in."""
    return {"sum": "a count", "nsTiming": "time"}[metric.metricType()]


def items(sequence: Any) -> list[Any]:
    """Return a sequence of Scala's as a list."""
    return [sequence.apply(at) for at in range(sequence.size())]


def page(title: str, words: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a page that is a table."""
    lines = [f"# {title}", MADE, "", words, "", line(heads), line(["---"] * len(heads))]
    return "\n".join([*lines, *map(line, rows), ""])


def line(cells: Sequence[str]) -> str:
    """Return a row of a table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    raise SystemExit(main())
