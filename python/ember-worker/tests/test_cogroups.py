"""Functions over cogroups give what Spark's own worker gives for two streams a cogroup."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from pyspark.sql.types import LongType, StringType, StructField, StructType

from grouped import TYPES
from protocol import COGROUPED_ARROW, error_text, header, run, run_vanilla_bytes, without_times

COGROUPED_PANDAS = 206
ROW = StructType([StructField("k", LongType()), StructField("t", StringType())])
#: Of the two columns of each side the first is the key, and both are values.
OFFSETS = (4, 1, 0, 0, 1) * 2

#: Cogroups as the rows of each piece of the left side and of the right one.
COGROUPS = {
    "one row": [([1], [1])],
    "one side": [([2], []), ([], [3]), ([1], [])],
    "many": [([1], [2]), ([3], []), ([2], [1]), ([], [4])] * 20,
    "in pieces": [([2, 2, 1], [3]), ([1], [3, 3]), ([], [2, 2]), ([2, 1], [])],
}


def _sides(rows: tuple[int, int]) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    """Return so many rows of each side."""
    keys = [pa.array([None if n % 7 == 3 else n for n in range(of)], pa.int64()) for of in rows]
    texts = pa.array([None if n % 5 == 4 else str(n) for n in range(rows[0])], pa.string())
    counts = pa.array([n * 2 for n in range(rows[1])], pa.int32())
    left = pa.RecordBatch.from_arrays([keys[0], texts], ["k", "t"])
    return left, pa.RecordBatch.from_arrays([keys[1], counts], ["k", "n"])


Cogroups = list[tuple[list[int], list[int]]]
Sides = Callable[[tuple[int, int]], tuple[pa.RecordBatch, pa.RecordBatch]]


def _ours(cogroups: Cogroups, cut: int, sides_of: Sides = _sides) -> list[pa.RecordBatch]:
    """Return batches of about ``cut`` pieces that say how they fall into pieces."""
    told = []
    for cogroup in cogroups:
        pieces = [2 * rows + side for side, of in enumerate(cogroup) for rows in of]
        told += [*(-piece for piece in pieces[:-1]), pieces[-1]]
    sides, taken = sides_of(_rows(cogroups)), [0, 0]
    batches = []
    for first in range(0, len(told), cut):
        columns: list[list[pa.Array]] = [[], [], [], []]
        for piece in told[first : first + cut]:
            rows, side = divmod(abs(piece), 2)
            own = sides[side].slice(taken[side], rows)
            other = [pa.nulls(rows, of) for of in sides[1 - side].schema.types]
            taken[side] += rows
            row = [*own.columns, *other] if side == 0 else [*other, *own.columns]
            for column, values in zip(columns, row, strict=True):
                column.append(values)
        batches.append(_batch(columns, told[first : first + cut], sides))
    return batches


def _batch(columns: list[list[pa.Array]], told: list[int], sides: Any) -> pa.RecordBatch:
    arrays = [pa.concat_arrays(column) for column in columns]
    counts = pa.array(told + [0] * (len(arrays[0]) - len(told)), pa.int32())
    fields = [*sides[0].schema, *sides[1].schema, pa.field("pieces", pa.int32(), nullable=False)]
    schema = pa.schema(fields, {"left": "2"})
    return pa.RecordBatch.from_arrays([*arrays, counts], schema=schema)


def _rows(cogroups: Cogroups) -> tuple[int, int]:
    return sum(sum(left) for left, _ in cogroups), sum(sum(right) for _, right in cogroups)


def _theirs(cogroups: Cogroups, sides_of: Sides = _sides) -> bytes:
    """Return two streams for each cogroup; one without rows has an empty batch."""
    sides, taken, data = sides_of(_rows(cogroups)), [0, 0], io.BytesIO()
    for cogroup in cogroups:
        data.write(struct.pack("!i", 2))
        for side, pieces in enumerate(cogroup):
            with pa.RecordBatchStreamWriter(data, sides[side].schema) as writer:
                for rows in pieces or [0]:
                    writer.write_batch(sides[side].slice(taken[side], rows))
                    taken[side] += rows
    return data.getvalue() + struct.pack("!i", 0)


def _left(left: Any, _right: Any) -> Any:
    return left


def _seen_pandas(key: Any, left: pd.DataFrame, right: pd.DataFrame) -> pd.DataFrame:
    seen = f"{key} {left.to_dict()} {right.to_dict()} {left.dtypes} {right.dtypes}"
    return pd.DataFrame({"k": [len(left)], "t": [seen]})


def _seen_arrow(key: Any, left: pa.Table, right: pa.Table) -> pa.Table:
    chunks = [[len(chunk) for chunk in table["k"].chunks] for table in (left, right)]
    seen = f"{key} {left.to_pydict()} {right.to_pydict()} {left.schema} {right.schema} {chunks}"
    return pa.table({"k": pa.array([len(left)], pa.int64()), "t": [seen]})


KINDS: dict[str, tuple[int, Callable[..., Any]]] = {
    "pandas": (COGROUPED_PANDAS, _left),
    "pandas with key": (COGROUPED_PANDAS, _seen_pandas),
    "arrow": (COGROUPED_ARROW, _left),
    "arrow with key": (COGROUPED_ARROW, _seen_arrow),
}


def _both(kind: str, cogroups: Cogroups, cut: int, function: Any = None, **flags: str) -> Any:
    eval_type, stock = KINDS[kind]
    head = header(eval_type, function or stock, ROW, arguments=OFFSETS)
    ours = run(head, _ours(cogroups, cut), flags or None)
    return ours, run_vanilla_bytes(head, _theirs(cogroups), flags or None)


@pytest.mark.parametrize("cut", [1, 3, 1000])
@pytest.mark.parametrize("form", COGROUPS)
@pytest.mark.parametrize("kind", KINDS)
def test_cogroups_give_the_rows_and_the_tail_of_sparks_worker(
    kind: str, form: str, cut: int
) -> None:
    (ours, our_tail), (theirs, their_tail) = _both(kind, COGROUPS[form], cut)
    assert without_times(our_tail) == without_times(their_tail)
    assert ours[0].schema.equals(theirs[0].schema, check_metadata=True)
    assert pa.Table.from_batches(ours).combine_chunks() == (
        pa.Table.from_batches(theirs).combine_chunks()
    )


def _of_type(name: str, nulls: str) -> Sides:
    """Return a way to make sides of a key and a value of a type."""
    of, value = TYPES[name]
    gone = {"none": lambda _: False, "some": lambda n: n % 4 == 1, "all": lambda _: True}[nulls]

    def sides(rows: tuple[int, int]) -> tuple[pa.RecordBatch, pa.RecordBatch]:
        columns = [
            (
                pa.array(range(count), pa.int64()),
                pa.array([None if gone(n) else value(n % 100) for n in range(count)], of),
            )
            for count in rows
        ]
        left, right = (pa.RecordBatch.from_arrays(list(each), ["k", "v"]) for each in columns)
        return left, right

    return sides


def _seen_closely(key: Any, left: pd.DataFrame, right: pd.DataFrame) -> pd.DataFrame:
    for side in (left, right):
        if len(side):
            side.iloc[0, 0] = 5  # it is the function's own
    types = [[str(type(value)) for value in side["v"]] for side in (left, right)]
    seen = f"{key} {left.to_dict()} {right.to_dict()} {left.dtypes} {right.dtypes} {types}"
    return pd.DataFrame({"k": [len(left)], "t": [f"{seen} {left.index} {right.index}"]})


@pytest.mark.parametrize("nulls", ["none", "some", "all"])
@pytest.mark.parametrize("name", TYPES)
def test_a_side_with_values_of_this_type_is_seen_as_in_sparks_worker(name: str, nulls: str) -> None:
    sides, cogroups = _of_type(name, nulls), COGROUPS["many"] + COGROUPS["in pieces"]
    head = header(COGROUPED_PANDAS, _seen_closely, ROW, arguments=OFFSETS)
    ours, our_tail = run(head, _ours(cogroups, 9, sides))
    theirs, their_tail = run_vanilla_bytes(head, _theirs(cogroups, sides))
    assert _end(our_tail) == _end(their_tail)
    assert _rows_of(ours) == _rows_of(theirs)


def _end(tail: bytes) -> str | bytes:
    """Return the error without what frames of Arrow's read, or what a good end says."""
    if struct.unpack_from("!i", tail) == (-3,):
        return without_times(tail)
    return "\n".join(line for line in error_text(tail).splitlines() if "_status" not in line)


def _rows_of(batches: list[pa.RecordBatch]) -> list[Any]:
    return [row for batch in batches for row in batch.column(0).to_pylist()]


def test_the_sides_carry_nothing_of_what_tells_them_apart() -> None:
    def metadata(left: pa.Table, right: pa.Table) -> pa.Table:
        seen = str([left.schema.metadata, right.schema.metadata])
        return pa.table({"k": pa.array([1], pa.int64()), "t": [seen]})

    ((ours, _), _) = _both("arrow", COGROUPS["one row"], 1, metadata)
    assert pa.Table.from_batches(ours).column(0).combine_chunks().field("t").to_pylist() == [
        "[None, None]"
    ]


def _raise(*_cogroup: Any) -> Any:
    message = "no luck"
    raise ValueError(message)


@pytest.mark.parametrize("simplified", ["", "1"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_error_of_a_cogroup_reads_as_in_sparks_worker(kind: str, simplified: str) -> None:
    flags = {"SPARK_SIMPLIFIED_TRACEBACK": simplified}
    function = _raise_with_key if "key" in kind else _raise_without
    (_, ours), (_, theirs) = _both(kind, COGROUPS["many"], 7, function, **flags)
    assert "no luck" in error_text(ours)
    assert error_text(ours) == error_text(theirs)


def _raise_without(left: Any, right: Any) -> Any:
    return _raise(left, right)


def _raise_with_key(key: Any, left: Any, right: Any) -> Any:
    return _raise(key, left, right)
