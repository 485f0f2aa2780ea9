"""Functions over groups give what Spark's own worker gives for a stream a group."""

from __future__ import annotations

import io
import re
import struct
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyspark.sql.types import DoubleType, LongType, StructField, StructType

from protocol import (
    SCALAR_ARROW,
    error_text,
    header,
    run,
    run_vanilla,
    run_vanilla_bytes,
    without_times,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAP_PANDAS, MAP_PANDAS_ITER, MAP_ARROW, MAP_ARROW_ITER = 201, 216, 209, 215
AGG_PANDAS, AGG_PANDAS_ITER, AGG_ARROW, AGG_ARROW_ITER = 202, 217, 252, 254
ROW = StructType([StructField("k", LongType()), StructField("v", DoubleType())])
#: Of the two columns the first is the key, and both are values.
KEY_AND_VALUES = (4, 1, 0, 0, 1)

#: Groups as the rows of each of their pieces.
GROUPS = {
    "one row": [[1]],
    "many": [[1], [3], [2], [1], [4]] * 20,
    "in pieces": [[2], [3, 3, 1], [1], [2, 2]],
}


def _table(rows: int) -> pa.RecordBatch:
    keys = pa.array([None if n % 7 == 3 else n for n in range(rows)], pa.int64())
    values = pa.array([None if n % 5 == 4 else n / 3 for n in range(rows)], pa.float64())
    return pa.RecordBatch.from_arrays([keys, values], ["k", "v"])


def _sent(kind: int, rows: int) -> pa.RecordBatch:
    """Return the columns of all rows, as the kind has them."""
    table = _table(rows)
    if kind in (MAP_ARROW, MAP_ARROW_ITER):
        return pa.RecordBatch.from_arrays([table.to_struct_array()], ["struct"])
    return table


def _ours(kind: int, groups: list[list[int]], cut: int) -> list[pa.RecordBatch]:
    """Return batches of about ``cut`` pieces that say how they fall into pieces."""
    pieces = [(rows, at + 1 < len(group)) for group in groups for at, rows in enumerate(group)]
    sent = _sent(kind, sum(rows for rows, _ in pieces))
    batches, start = [], 0
    for first in range(0, len(pieces), cut):
        told = [-rows if more else rows for rows, more in pieces[first : first + cut]]
        count = sum(map(abs, told))
        padded = pa.array(told + [0] * (count - len(told)), pa.int32())
        batch = sent.slice(start, count).append_column("pieces", padded)
        batches.append(batch)
        start += count
    return batches


def _theirs(kind: int, groups: list[list[int]]) -> bytes:
    """Return a stream for each group."""
    sent, start, data = _sent(kind, sum(map(sum, groups))), 0, io.BytesIO()
    for group in groups:
        data.write(struct.pack("!i", 1))
        with pa.RecordBatchStreamWriter(data, sent.schema) as writer:
            for rows in group:
                writer.write_batch(sent.slice(start, rows))
                start += rows
    return data.getvalue() + struct.pack("!i", 0)


def _same(group: Any) -> Any:
    return group


def _keyed_pandas(key: Any, group: pd.DataFrame) -> pd.DataFrame:
    return group.assign(v=float(len(group)) + (0 if pd.isna(key[0]) else key[0]))


def _keyed_arrow(key: Any, group: pa.Table) -> pa.Table:
    return group.set_column(1, "v", pa.array([float(key[0].as_py() or 0)] * len(group)))


def _each(batches: Iterator[Any]) -> Iterator[Any]:
    yield from batches


def _first(batches: Iterator[Any]) -> Iterator[Any]:
    yield next(batches)


def _count_pandas(column: pd.Series) -> int:
    return len(column)


def _sum_arrow(column: pa.Array) -> float | None:
    return pc.sum(column).as_py()


def _sum_batches(columns: Iterator[Any]) -> int:
    return sum(len(column) for column in columns)


def _none_read(_columns: Iterator[Any]) -> float:
    return 1.5


KINDS: dict[str, tuple[int, Callable[..., Any], Any]] = {
    "map pandas": (MAP_PANDAS, _same, ROW),
    "map pandas with key": (MAP_PANDAS, _keyed_pandas, ROW),
    "map pandas iterator": (MAP_PANDAS_ITER, _each, ROW),
    "map pandas iterator unread": (MAP_PANDAS_ITER, _first, ROW),
    "map arrow": (MAP_ARROW, _same, ROW),
    "map arrow with key": (MAP_ARROW, _keyed_arrow, ROW),
    "map arrow iterator": (MAP_ARROW_ITER, _each, ROW),
    "map arrow iterator unread": (MAP_ARROW_ITER, _first, ROW),
    "aggregate pandas": (AGG_PANDAS, _count_pandas, DoubleType()),
    "aggregate pandas iterator": (AGG_PANDAS_ITER, _sum_batches, LongType()),
    "aggregate arrow": (AGG_ARROW, _sum_arrow, DoubleType()),
    "aggregate arrow iterator": (AGG_ARROW_ITER, _sum_batches, DoubleType()),
    "aggregate arrow unread": (AGG_ARROW_ITER, _none_read, DoubleType()),
}


def _head(kind: str, function: Callable[..., Any] | None = None, **conf: str) -> bytes:
    eval_type, stock, result = KINDS[kind]
    offsets = KEY_AND_VALUES if kind.startswith("map") else (1,)
    return header(eval_type, function or stock, result, arguments=offsets, conf=conf)


def _both(
    kind: str, head: bytes, groups: list[list[int]], cut: int = 7, **flags: str
) -> tuple[tuple[list[pa.RecordBatch], bytes], tuple[list[pa.RecordBatch], bytes]]:
    eval_type = KINDS[kind][0]
    ours = run(head, _ours(eval_type, groups, cut), flags or None)
    return ours, run_vanilla_bytes(head, _theirs(eval_type, groups), flags or None)


@pytest.mark.parametrize("cut", [1, 2, 7, 1000])
@pytest.mark.parametrize("form", GROUPS)
@pytest.mark.parametrize("kind", KINDS)
def test_groups_give_the_rows_and_the_tail_of_sparks_worker(kind: str, form: str, cut: int) -> None:
    (ours, our_tail), (theirs, their_tail) = _both(kind, _head(kind), GROUPS[form], cut)
    assert without_times(our_tail) == without_times(their_tail)
    assert ours[0].schema.equals(theirs[0].schema, check_metadata=True)
    assert pa.Table.from_batches(ours).combine_chunks() == (
        pa.Table.from_batches(theirs).combine_chunks()
    )


def test_small_results_come_many_at_a_time() -> None:
    (ours, _), (theirs, _) = _both("map arrow", _head("map arrow"), GROUPS["many"])
    assert len(theirs) == len(GROUPS["many"])
    assert len(ours) == 1


def _raise(*_group: Any) -> Any:
    message = "no luck"
    raise ValueError(message)


@pytest.mark.parametrize("simplified", ["", "1"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_error_of_a_group_reads_as_in_sparks_worker(kind: str, simplified: str) -> None:
    head = _head(kind, _raise)
    (_, ours), (_, theirs) = _both(
        kind, head, GROUPS["many"], SPARK_SIMPLIFIED_TRACEBACK=simplified
    )
    assert "no luck" in error_text(ours)
    assert _without_addresses(ours) == _without_addresses(theirs)


def _without_addresses(tail: bytes) -> str:
    return re.sub(r"0x[0-9a-f]+", "0x", error_text(tail))


def _depth(*_group: Any) -> Any:
    import sys

    frame, depth = sys._getframe(), 0
    while frame is not None:
        frame, depth = frame.f_back, depth + 1
    raise ValueError(depth)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "iterator" not in kind])
def test_a_function_over_groups_is_as_deep_as_any_other(kind: str) -> None:
    """The worker to compare with lacks the daemon's frames, for every kind the same."""
    flat = [pa.RecordBatch.from_pydict({"_0": [1]})]
    other = header(SCALAR_ARROW, _depth, LongType())
    apart = _last(run(other, flat)[1]) - _last(run_vanilla(other, flat)[1])
    (_, ours), (_, theirs) = _both(kind, _head(kind, _depth), GROUPS["one row"])
    assert _last(ours) - _last(theirs) == apart


def _last(tail: bytes) -> int:
    return int(error_text(tail).splitlines()[-1].removeprefix("ValueError: "))


WRONG: dict[str, tuple[str, Callable[..., Any]]] = {
    "no table": ("map arrow", lambda group: [group]),
    "names": ("map arrow", lambda group: group.rename_columns(["x", "v"])),
    "types": ("map arrow", lambda group: group.set_column(1, "v", group["k"])),
    "fewer": ("map arrow", lambda group: group.select(["k"])),
    "nothing": ("map arrow", lambda group: group.slice(0, 0)),
    "other order": ("map arrow", lambda group: group.select(["v", "k"])),
    "no frame": ("map pandas", lambda group: [group]),
    "pandas names": ("map pandas", lambda group: group.rename(columns={"k": "x"})),
    "pandas types": ("map pandas", lambda group: group.assign(v="text")),
    "pandas nothing": ("map pandas", lambda group: group.iloc[:0]),
    "pandas empty": ("map pandas", lambda _group: pd.DataFrame()),
    "pandas order": ("map pandas", lambda group: group[["v", "k"]]),
    "a list": ("aggregate arrow", lambda _column: [1.0, 2.0]),
    "text": ("aggregate arrow", lambda _column: "text"),
    "pandas text": ("aggregate pandas", lambda _column: "text"),
}


@pytest.mark.parametrize("by_name", ["true", "false"])
@pytest.mark.parametrize("wrong", WRONG)
def test_results_of_any_form_are_judged_as_by_sparks_worker(wrong: str, by_name: str) -> None:
    kind, function = WRONG[wrong]
    setting = "spark.sql.legacy.execution.pandas.groupedMap.assignColumnsByName"
    head = _head(kind, function, **{setting: by_name})
    (ours, our_tail), (theirs, their_tail) = _both(kind, head, GROUPS["in pieces"])
    assert bool(ours) == bool(theirs)
    if theirs:
        assert pa.Table.from_batches(ours) == pa.Table.from_batches(theirs)
    failed = their_tail.startswith(struct.pack("!i", -2))
    text = _without_addresses if failed else without_times
    assert text(our_tail) == text(their_tail)


def _reusing(key: Any, _group: Any) -> Any:
    import numpy as np

    buffer = _BUFFER.setdefault("k", np.zeros(1, dtype="int64"))
    buffer[0] = key[0].as_py() or 0
    columns = [pa.array(buffer), pa.array([1.0])]
    return pa.Table.from_arrays(columns, names=["k", "v"])


_BUFFER: dict[str, Any] = {}


def test_memory_may_be_written_again_for_each_group() -> None:
    head = _head("map arrow", _reusing)
    (ours, _), (theirs, _) = _both("map arrow", head, GROUPS["many"])
    assert pa.Table.from_batches(ours).combine_chunks() == (
        pa.Table.from_batches(theirs).combine_chunks()
    )
