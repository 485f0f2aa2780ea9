"""A group that is nearly all of a partition takes no more memory than with Spark's workers."""

import contextlib
import itertools
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from counting import sessions

ROWS = 1_000_000
SCHEMA = "k bigint, n bigint"


def table(rows: int) -> pa.Table:
    return pa.table({"k": [7], "n": [rows]}, pa.schema([("k", pa.int64()), ("n", pa.int64())]))


def batches(several: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in several:
        yield table(batch.num_rows).to_batches()[0]


def frames(several: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    for frame in several:
        yield pd.DataFrame({"k": [7], "n": [len(frame)]})


def whole_table(group: pa.Table) -> pa.Table:
    return table(group.num_rows)


def whole_frame(group: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"k": [7], "n": [len(group)]})


FORMS = {
    "batches": lambda groups: groups.applyInArrow(batches, SCHEMA),
    "frames": lambda groups: groups.applyInPandas(frames, SCHEMA),
    "table": lambda groups: groups.applyInArrow(whole_table, SCHEMA),
    "frame": lambda groups: groups.applyInPandas(whole_frame, SCHEMA),
}


PYSPARK = "spark.sql.execution.pyspark.udf"
# What a worker keeps from an earlier form would not show as growth. Spark keeps workers apart whose
# environments differ, so each form has one of its own.
APART = dict(zip(FORMS, itertools.product(("true", "false"), repeat=2), strict=True))


def below(pid: int) -> Iterator[int]:
    """A process and its descendants."""
    yield pid
    with contextlib.suppress(OSError):  # a thread has ended meanwhile
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from below(int(child))


def of_status(pids: Iterable[int], name: str) -> dict[int, float]:
    """MiB, as a line of ``/proc/PID/status`` has it: ended processes, reaped or not, have none."""
    found = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
            found.update(
                (pid, int(each.split()[1]) / 1024) for each in lines if each.startswith(name)
            )
    return found


class Peaks:
    """The most that a process and those below it hold from now on, as the kernel counts it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        for each in below(pid):
            with contextlib.suppress(OSError):
                Path(f"/proc/{each}/clear_refs").write_text("5")  # forgets the most until now
        self.before = of_status(below(pid), "VmRSS")

    def grown(self) -> float:
        """By how many MiB they grew at most, each by itself."""
        now = of_status(below(self.pid), "VmHWM")
        assert set(now) <= set(self.before), "a process began meanwhile"
        return sum(most - self.before[each] for each, most in now.items())


def rows_of(frame: Any) -> int:
    return sum(row.n for row in frame.collect())


@pytest.mark.parametrize("form", FORMS)
def test_a_skewed_group_takes_no_more_memory_than_with_spark(form, spark, free_lanes):
    simplified, hidden = APART[form]
    settings = {
        f"{PYSPARK}.simplifiedTraceback.enabled": simplified,
        f"{PYSPARK}.hideTraceback.enabled": hidden,
        "spark.ember.lane": "embedded",
    }
    jvm = int(spark._jvm.java.lang.ProcessHandle.current().pid())

    def grown(*, embed: bool) -> float:
        for key, value in {**settings, "spark.ember.enabled": str(embed).lower()}.items():
            spark.conf.set(key, value)
        keyed = spark.range(0, ROWS, 1, 1).selectExpr(
            "if(id % 100000 = 0, id, 7) k", "id", "repeat('x', 100) t"
        )
        try:
            assert rows_of(FORMS[form](keyed.limit(1000).groupBy("k"))) == 1000  # all is loaded
            spark._jvm.java.lang.System.gc()
            time.sleep(1.5)  # until Ember has given back what was freed
            asked = FORMS[form](keyed.groupBy("k"))
            peaks = Peaks(jvm)
            assert rows_of(asked) == ROWS
            assert bool(sessions(asked).get("emberSessions")) == embed
            return peaks.grown()
        finally:
            for key in (*settings, "spark.ember.enabled"):
                spark.conf.unset(key)

    theirs, ours = grown(embed=False), grown(embed=True)
    print(f"{form}: {ours:.0f} MiB, with Spark's workers {theirs:.0f}")
    assert ours <= 1.1 * theirs + 32, (ours, theirs)
