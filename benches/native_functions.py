"""Compare a native function with the same in SQL's own functions, as a Java UDF and in Python.

``python benches/native_functions.py`` prints CPU milliseconds of the JVM and all below it for each
way, and how often a builtin's they are: medians of rounds in which the ways take turns, in one
application of ``local[1]`` that has run each of them before. Then it judges what is promised:
within 1.5 of the builtin for ``x + 1`` over the rows of a Parquet table, and faster than the Java
UDF for a text; the exit code is 1 when one is broken. Over ``range``, whose loop takes the builtin
in, the ratio is told beside them. It needs ``javac`` and ``cargo``.
"""

import argparse
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import pyspark
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sf

from suite.application import WITH_EMBER, application
from suite.cpu import Cpu, cpu_of

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "python" / "ember" / "src"))
from ember import native_function  # noqa: E402 (not installed)

ROWS = 4_000_000
ROUNDS = 25
#: Until then the JVM still compiles what the first way has and the others have not.
WARMUPS = 12
NUMBERS = "x + 1 of a table"
RANGE = "x + 1 of a range"
TEXTS = "reversed, without vowels"
JAVA = """
import org.apache.spark.sql.api.java.UDF1;
public class {name} implements UDF1<{type}, {type}> {{
  public {type} call({type} value) {{ {body} }}
}}
"""
UDFS = {
    "PlusOne": ("Long", "return value + 1;"),
    "Disemvowel": (
        "String",
        """
        StringBuilder kept = new StringBuilder(value.length());
        for (int at = value.length() - 1; at >= 0; at--)
          if ("aeiouAEIOU".indexOf(value.charAt(at)) < 0) kept.append(value.charAt(at));
        return kept.toString();
        """,
    ),
}


@dataclass(frozen=True)
class Promise:
    """What the native function may cost at most, as a part of what another way costs."""

    question: str
    other: str
    most: float

    def verdict(self, taken: dict[str, list[float]]) -> tuple[bool, str]:
        """Whether it is kept, and a line that says so: of rounds, since ways take turns in each."""
        ratios = sorted(
            ours / theirs for ours, theirs in zip(taken["native"], taken[self.other], strict=True)
        )
        ratio = median(taken["native"]) / median(taken[self.other])
        held = ratio <= self.most
        quarter = len(ratios) // 4
        spread = f"half of the rounds {ratios[quarter]:.2f} to {ratios[-1 - quarter]:.2f}"
        word = "held  " if held else "BROKEN"
        cost = f"native by {self.other} {ratio:.2f}, at most {self.most}"
        return held, f"{word} {self.question}: {cost} ({spread})"


PROMISES = (Promise(NUMBERS, "builtin", 1.5), Promise(TEXTS, "java udf", 1.0))


def main() -> int:
    """Print one line for each way, and one for each promise."""
    wanted = arguments()
    taken = {}
    with TemporaryDirectory() as name:
        folder = Path(name)
        spark = started(java_udfs(folder), folder)
        try:
            for question, ways in questions(spark, library(), wanted.rows, folder).items():
                taken[question] = measured(spark, ways, wanted.warmups, wanted.rounds)
                report(question, taken[question])
        finally:
            spark.stop()
    verdicts = [promise.verdict(taken[promise.question]) for promise in PROMISES]
    print(*(line for _, line in verdicts), sep="\n")
    return 0 if all(held for held, _ in verdicts) else 1


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS, help="of the input")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="that are counted")
    parser.add_argument("--warmups", type=int, default=WARMUPS, help="rounds before those")
    return parser.parse_args()


def questions(
    spark: SparkSession, native: str, many: int, folder: Path
) -> dict[str, dict[str, DataFrame]]:
    """Give each way of each question as a frame to run."""
    spark.udf.registerJavaFunction("plus_one_java", "PlusOne", "bigint")
    spark.udf.registerJavaFunction("disemvowel_java", "Disemvowel", "string")
    rows = spark.range(0, many, 1, 1)
    rows.write.parquet(str(folder / "numbers"))
    texts = rows.select(sf.concat(sf.lit("many a vowel "), sf.col("id").cast("string")).alias("s"))
    disemvowel = native_function(native, "disemvowel", "string")
    return {
        NUMBERS: plus_one(spark.read.parquet(str(folder / "numbers")), native),
        RANGE: plus_one(rows, native),
        TEXTS: {
            "builtin": texts.select(sf.expr("reverse(translate(s, 'aeiouAEIOU', ''))").alias("v")),
            "native": texts.select(disemvowel("s").alias("v")),
            "java udf": texts.select(sf.expr("disemvowel_java(s)").alias("v")),
        },
    }


def plus_one(rows: DataFrame, native: str) -> dict[str, DataFrame]:
    """Give each way to add one to the column ``id``."""
    function = native_function(native, "add_one", "bigint")
    return {
        "builtin": rows.select((sf.col("id") + 1).alias("v")),
        "native": rows.select(function("id").alias("v")),
        "java udf": rows.select(sf.expr("plus_one_java(id)").alias("v")),
        "python": rows.select(sf.udf(lambda x: x + 1, "bigint")("id").alias("v")),
    }


def measured(
    spark: SparkSession, ways: dict[str, DataFrame], warmups: int, rounds: int
) -> dict[str, list[float]]:
    """Give CPU milliseconds of each way and round."""
    jvm = int(spark._jvm.java.lang.ProcessHandle.current().pid())  # noqa: SLF001 (no other way)
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(warmups + rounds):
        for name, frame in _from(turn, list(ways.items())):
            before = cpu_of(jvm)
            frame.write.format("noop").mode("overwrite").save()
            if turn >= warmups:
                taken[name].append(milliseconds(cpu_of(jvm) - before))
    return taken


def _from(turn: int, ways: list[tuple[str, DataFrame]]) -> list[tuple[str, DataFrame]]:
    """Give them with another one first each time: who comes first pays for the pause before."""
    first = turn % len(ways)
    return ways[first:] + ways[:first]


def milliseconds(used: Cpu) -> float:
    """Give those of the JVM and of Python together."""
    return (used.jvm + used.python) * 1000


def report(question: str, taken: dict[str, list[float]]) -> None:
    """Print them."""
    builtin = median(taken["builtin"])
    for name, times in taken.items():
        spread = f"{min(times):.0f} to {max(times):.0f}"
        ratio = median(times) / builtin
        print(f"{question} | {name} | {median(times):.0f} ms | {spread} | {ratio:.2f}")


def started(classes: str, folder: Path) -> SparkSession:
    """Start Spark with Ember and the Java functions."""
    places = {
        "spark.driver.extraClassPath": classes,
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
    }
    return application("native functions", 1, "2g", WITH_EMBER | places)


def java_udfs(folder: Path) -> str:
    """Compile the Java functions; give their folder."""
    jars = Path(pyspark.__file__).parent / "jars" / "*"
    for name, (kind, body) in UDFS.items():
        source = folder / f"{name}.java"
        source.write_text(JAVA.format(name=name, type=kind, body=body))
        subprocess.run(["javac", "-cp", str(jars), "-d", str(folder), str(source)], check=True)
    return str(folder)


def library() -> str:
    """Build the example of the crate, optimised."""
    build = ["cargo", "build", "--release", "--locked", "-p", "ember-udf"]
    subprocess.run([*build, "--example", "numbers_and_text"], cwd=ROOT, check=True)
    return str(ROOT / "target" / "release" / "examples" / "libnumbers_and_text.so")


if __name__ == "__main__":
    sys.exit(main())
