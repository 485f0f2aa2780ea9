"""The rounds of a soak, and what is measured between them."""

import ctypes
import random
import re
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final, Self

import pandas as pd
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - as PySpark is written

from suite.memory import below

#: A round that takes longer is stuck.
LIMIT_S: Final = 120
#: Between two looks.
LOOK_S: Final = 5.0
#: What may be more at the end than at the start, in the middle of some looks each. ``other MiB`` is
#: what the JVM does not account for: the interpreter, the native libraries, what allocators keep.
MORE: Final = {
    "JVM MiB": 96.0,
    "other MiB": 64.0,
    "threads": 8.0,
    "descriptors": 12.0,
    "processes": 3.0,
}

#: Spark's own pools, which keep idle threads for a minute and have their bounds.
POOLS: Final = (
    *(
        "block-manager",
        "QueryStage",
        "ResultQueryStag",
        "shuffle-",
        "broadcast-",
        "Executor task l",
    ),
    *("task-result-get", "subquery-", "rpc-", "netty-", "dispatcher-"),
)

Round = Callable[[SparkSession, str, random.Random], str | None]


def numbers(spark: SparkSession, dice: random.Random) -> tuple[DataFrame, int]:
    """Make some rows in one to four partitions, and say how many."""
    rows = dice.choice((0, 1, 100, 20_000, 200_000))
    return spark.range(rows, numPartitions=dice.randint(1, 4)), rows


def right(frame: DataFrame, total: int) -> str | None:
    """Compare the sum of ``v``."""
    found = frame.agg(F.coalesce(F.sum("v"), F.lit(0)).alias("v")).collect()[0].v
    return None if found == total else f"a sum of {found} and not {total}"


def row_function(spark: SparkSession, _lane: str, dice: random.Random) -> str | None:
    """Add one to each row."""
    frame, rows = numbers(spark, dice)
    plus = F.udf(lambda v: v + 1, "long")
    return right(frame.select(plus("id").alias("v")), rows * (rows + 1) // 2)


def text_function(spark: SparkSession, _lane: str, dice: random.Random) -> str | None:
    """Send text there and back."""
    frame, rows = numbers(spark, dice)
    rows_text = frame.select(F.concat(F.lit("é"), F.col("id").cast("string")).alias("s"))
    length = F.udf(lambda s: s + s, "string")
    doubled = rows_text.select(F.length(length("s")).alias("v"))
    digits = sum(len(str(number)) for number in range(rows))
    return right(doubled, 2 * (rows + digits))


def pandas_function(spark: SparkSession, _lane: str, dice: random.Random) -> str | None:
    """Run a pandas function."""
    frame, rows = numbers(spark, dice)

    @F.pandas_udf("long")  # type: ignore[call-overload]
    def twice(values: pd.Series) -> pd.Series:
        return values * 2

    return right(frame.select(twice("id").alias("v")), rows * (rows - 1))


def map_function(spark: SparkSession, _lane: str, dice: random.Random) -> str | None:
    """Keep every other row, in record batches."""
    frame, rows = numbers(spark, dice)

    def halve(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            mask = pa.array([value.as_py() % 2 == 0 for value in batch.column(0)], pa.bool_())
            yield batch.filter(mask)

    mapped = frame.mapInArrow(halve, "id long")
    return right(mapped.select(F.col("id").alias("v")), sum(range(0, rows, 2)))


def chained(spark: SparkSession, _lane: str, dice: random.Random) -> str | None:
    """Run a function over what another made."""
    frame, rows = numbers(spark, dice)
    plus = F.udf(lambda v: v + 1, "long")
    once = frame.mapInArrow(lambda batches: batches, "id long")
    return right(once.select(plus(plus("id")).alias("v")), rows * (rows - 1) // 2 + 2 * rows)


def early_end(spark: SparkSession, _lane: str, _dice: random.Random) -> str | None:
    """Want three rows of many."""
    plus = F.udf(lambda v: v + 1, "long")
    found = spark.range(300_000, numPartitions=2).select(plus("id").alias("v")).limit(3).count()
    return None if found == 3 else f"{found} rows of a limit of 3"


def fails_with(frame: DataFrame, words: str) -> str | None:
    """Expect an error with these words."""
    try:
        frame.collect()
    except Exception as error:  # noqa: BLE001 - what it says is judged
        return None if words in str(error) else f"another error: {str(error)[:2000]}"
    return f"no error, and {words!r} was expected"


def raises(spark: SparkSession, _lane: str, _dice: random.Random) -> str | None:
    """Let a function raise."""

    def refuse(value: int) -> int:
        if value == 77:
            message = f"row {value} of the soak"
            raise ValueError(message)
        return value

    frame = spark.range(1000, numPartitions=2).select(F.udf(refuse, "long")("id"))
    return fails_with(frame, "row 77 of the soak")


def crashes(spark: SparkSession, _lane: str, _dice: random.Random) -> str | None:
    """Let a function end its worker process."""
    spark.conf.set("spark.ember.lane", "process")
    frame = spark.range(10, numPartitions=1).select(
        F.udf(lambda _: ctypes.string_at(0), "long")("id")
    )
    return fails_with(frame, "signal 11")


def cancelled(spark: SparkSession, _lane: str, dice: random.Random) -> str | None:
    """Cancel a job while its function runs."""

    def slow(value: int) -> int:
        for _ in range(1000):
            time.sleep(0.01)
        return value

    context = spark.sparkContext
    said: list[str | None] = []
    frame = spark.range(4, numPartitions=2).select(F.udf(slow, "long")("id"))

    def job() -> None:
        context.setJobGroup("soak", "cancelled", interruptOnCancel=True)
        said.append(fails_with(frame, "cancelled"))

    thread = threading.Thread(target=job)
    thread.start()
    tracker = context.statusTracker()
    while thread.is_alive() and not tracker.getActiveJobsIds():
        time.sleep(0.02)
    time.sleep(dice.random())
    while thread.is_alive():
        context.cancelJobGroup("soak")
        thread.join(0.5)
    return said[0]


ROUNDS: Final[tuple[tuple[str, Round], ...]] = tuple(
    (act.__name__, act)
    for act in (
        *(row_function, row_function, text_function, pandas_function, map_function),
        *(chained, early_end, raises, crashes, cancelled),
    )
)


def within(
    act: Round, spark: SparkSession, lane: str, dice: random.Random, limit: float = LIMIT_S
) -> str | None:
    """Run a round; say what is wrong with it, that it is stuck too."""
    said: list[str | None] = []

    def run() -> None:
        try:
            said.append(act(spark, lane, dice))
        except Exception as error:  # noqa: BLE001 - a round that fails is the soak's finding
            said.append(f"it failed: {str(error)[:2000]}")

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(limit)
    return said[0] if said else f"stuck for {limit:g} s"


@dataclass(frozen=True)
class Look:
    """The JVM and its processes at one moment."""

    second: float
    held: dict[str, float]
    threads: Counter[str] = field(default_factory=Counter)
    #: MiB by owner: the JVM's own account, and what the kernel says of the rest.
    owners: dict[str, float] = field(default_factory=dict)


class Watch:
    """Measures a JVM and all processes below it."""

    def __init__(self, jvm: int, jcmd: str) -> None:
        """Watch the process ``jvm``, which ``jcmd`` asks for its account."""
        self.jvm = jvm
        self.jcmd = jcmd
        self.looks: list[Look] = []

    @classmethod
    def of(cls, spark: SparkSession) -> Self:
        """Watch the process of ``spark``'s JVM."""
        java: Any = spark._jvm.java.lang  # type: ignore[union-attr]  # noqa: SLF001
        home = java.System.getProperty("java.home")
        return cls(java.ProcessHandle.current().pid(), f"{home}/bin/jcmd")

    def look(self, second: float) -> None:
        """Measure now, unless it was just done."""
        if self.looks and second - self.looks[-1].second < LOOK_S:
            return
        children = below(self.jvm)
        names = thread_names(self.jvm)
        owners = accounted(self.jcmd, self.jvm)
        jvm = sum(owners.values())
        self.looks.append(
            Look(
                second,
                {
                    "JVM MiB": jvm,
                    "other MiB": anonymous(self.jvm) - jvm,
                    "threads": float(names.total()),
                    "descriptors": entries(self.jvm, "fd"),
                    "processes": float(len(children)),
                },
                names,
                owners | mapped(self.jvm),
            )
        )

    def verdict(self) -> list[str]:
        """Say what has grown between the first looks and the last."""
        some = max(1, min(15, len(self.looks) // 3))
        problems = []
        for name, most in MORE.items():
            before = median(look.held[name] for look in self.looks[:some])
            after = median(look.held[name] for look in self.looks[-some:])
            if after - before > most:
                problems.append(f"{name} grew from {before:.0f} to {after:.0f}{self._who(name)}")
        return problems

    def _who(self, name: str) -> str:
        """Name the threads that there are more of, if it is threads that there are more of."""
        if name != "threads":
            return ""
        more = self.looks[-1].threads - self.looks[0].threads
        return ": " + ", ".join(f"{count} {who}" for who, count in more.most_common(6))

    def table(self) -> list[str]:
        """Show about ten of the looks."""
        step = max(1, len(self.looks) // 10)
        lines = ["second " + " ".join(f"{name:>12}" for name in MORE)]
        for look in self.looks[::step]:
            values = " ".join(f"{look.held[name]:12.0f}" for name in MORE)
            lines.append(f"{look.second:6.0f} {values}")
        return lines + self._owners()

    def _owners(self) -> list[str]:
        """Say who holds more at the end than at the start, and how much."""
        if not self.looks:
            return []
        first, last = self.looks[0].owners, self.looks[-1].owners
        more = {name: last[name] - first.get(name, 0.0) for name in last}
        most = sorted(more, key=lambda name: -more[name])[:6]
        told = ", ".join(f"{name} {first.get(name, 0.0):.0f} to {last[name]:.0f}" for name in most)
        return [f"MiB by owner: {told}"]


def accounted(jcmd: str, pid: int) -> dict[str, float]:
    """MiB that a JVM says it has taken, by what for: heap, classes, code, threads."""
    asked = [jcmd, str(pid), "VM.native_memory", "summary"]
    text = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=60).stdout
    found = re.findall(r"-\s+([\w ]+?) \(reserved=\d+KB, committed=(\d+)KB", text)
    if not found:
        message = f"no account of memory: {text[:200]}"
        raise RuntimeError(message)
    return {f"JVM's {name}": int(kilobytes) / 1024 for name, kilobytes in found}


def mapped(pid: int) -> dict[str, float]:
    """MiB of memory that is no file's, by the kind of mapping: glibc's heaps lie at 64 MiB each."""
    held: dict[str, float] = {"main heap": 0.0, "threads' heaps": 0.0, "other mappings": 0.0}
    kind = "other mappings"
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if found := re.match(r"([0-9a-f]+)-[0-9a-f]+ ", line):
            aligned = int(found[1], 16) % (64 << 20) == 0
            kind = "threads' heaps" if aligned else "other mappings"
            kind = "main heap" if line.endswith("[heap]") else kind
        elif line.startswith("Anonymous:"):
            held[kind] += int(line.split()[1]) / 1024
    return held


def anonymous(pid: int) -> float:
    """MiB of memory that a process holds and that is no file's."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    return 0.0


def thread_names(pid: int) -> Counter[str]:
    """Count the threads of a process by name, without numbers and without Spark's pools."""
    names: Counter[str] = Counter()
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            name = (task / "comm").read_text().strip()
        except OSError:  # it has ended
            continue
        if not name.startswith(POOLS):
            names[re.sub(r"\d+", "N", name)] += 1
    return names


def entries(pid: int, folder: str) -> float:
    """How many of something a process has."""
    found: list[Any] = list(Path(f"/proc/{pid}/{folder}").iterdir())
    return float(len(found))
