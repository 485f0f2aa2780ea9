"""Results with parts, gathered in the bridge: as in Spark, also where a part changes afterwards."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pyspark.sql import Row
from pyspark.sql import types as sql

from rowfn_bridge import Given, bridge, ours, process
from test_rowfn import both, calls

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable

__all__ = ["calls"]

LONG, TEXT = sql.LongType(), sql.StringType()
NUMBERS = pa.RecordBatch.from_pydict({"_0": pa.array([1, None, 300, 2**40, 7] * 10)})
TAGS = sql.ArrayType(TEXT)
PAIR = sql.StructType([sql.StructField("a", LONG), sql.StructField("b", TEXT)])
TWINS = sql.StructType([sql.StructField("a", LONG), sql.StructField("a", TEXT)])
STRICT = sql.StructType([sql.StructField("a", LONG, nullable=False)])
EVENT = sql.StructType(
    [sql.StructField("user", PAIR), sql.StructField("tags", TAGS), sql.StructField("n", LONG)]
)
TALLY = sql.MapType(TEXT, LONG)
Named = collections.namedtuple("Named", ["a", "b"])  # noqa: PYI024 - as users write them


class Sly(tuple):  # type: ignore[type-arg]
    """A tuple that answers something else when it is asked for an item."""

    __slots__ = ()

    def __getitem__(self, _index: Any) -> Any:
        return None


class Turned(Named):
    """A named tuple that gives its fields the other way round."""

    __slots__ = ()

    def __iter__(self) -> Any:
        return iter((self[1], self[0]))


#: A declared type, a function, and what the bridge answers for each batch.
CELLS: dict[str, tuple[sql.DataType, Callable[[Any], Any], str]] = {
    "tuples": (PAIR, lambda x: None if x is None else (x, f"{x}"), "Results"),
    "tuples with nulls": (PAIR, lambda x: (x, None), "Results"),
    "rows": (PAIR, lambda x: Row(a=x, b="x"), "Results"),
    "rows with other names": (PAIR, lambda x: Row(b=x, a="x"), "Results"),
    "named tuples": (PAIR, lambda x: Named(x, "é"), "Results"),
    "tuples of a kind": (PAIR, lambda x: Sly((x, "x")), "list"),
    "tuples that are turned": (PAIR, lambda x: Turned(x, "x"), "list"),
    "two fields of a name": (TWINS, lambda x: (x, "x"), "list"),
    "lists of two fields of a name": (sql.ArrayType(TWINS), lambda x: [(x, "x")], "list"),
    "dictionaries": (PAIR, lambda x: {"b": "x", "a": x, "c": []}, "Results"),
    "dictionaries without a field": (PAIR, lambda _: {"b": "x"}, "Results"),
    "all kinds": (PAIR, lambda x: (x, "t") if x == 1 else {"a": 1} if x else None, "Results"),
    "too few": (PAIR, lambda x: (x,), "list"),
    "a null that may not be": (STRICT, lambda x: (x,), "list"),
    "no null where none may be": (STRICT, lambda x: None if x is None else (x,), "Results"),
    "a number as text": (PAIR, lambda x: (x, x), "list"),
    "too large": (sql.StructType([sql.StructField("a", sql.ByteType())]), lambda x: (x,), "list"),
    "deep": (EVENT, lambda x: ((x, "u"), ["a", None, f"{x}"], None), "Results"),
    "deep nulls": (EVENT, lambda x: None if x is None else (None, None, x), "Results"),
    "deep dictionaries": (EVENT, lambda x: {"user": {"a": x}, "tags": []}, "Results"),
    "lists": (TAGS, lambda x: ["a"] * (x or 0) if x != 2**40 else None, "Results"),
    "lists of lists": (sql.ArrayType(TAGS), lambda x: [[f"{x}"], [], None], "Results"),
    "a tuple for a list": (TAGS, lambda _: ("a",), "list"),
    "a list of other things": (TAGS, lambda x: ["a", x], "list"),
    "lists of rows": (sql.ArrayType(PAIR), lambda x: [Row(a=x, b="x"), (x, None), None], "Results"),
    "maps": (TALLY, lambda x: {"a": x, "b": None, f"{x}": 1} if x else {}, "Results"),
    "a key that is null": (TALLY, lambda x: {None: x}, "list"),
    "maps of lists": (
        sql.MapType(LONG, TAGS),
        lambda x: {1: ["a"], 2: None, x or 3: []},
        "Results",
    ),
    "a type that is converted": (sql.ArrayType(sql.TimestampType()), lambda _: [], "list"),
    "a struct without fields": (sql.StructType([]), lambda _: (), "list"),
}


@pytest.mark.parametrize("name", CELLS)
def test_results_with_parts_are_those_of_spark(name: str, calls: Counter[str]) -> None:
    kind, function, answer = CELLS[name]
    both(lambda: [Given(function, kind)], [LONG], [NUMBERS, NUMBERS.slice(3, 9)])
    assert calls[f"evaluate -> {answer}"] >= 1


class Kept:
    """Functions that go on with what they have returned."""

    def __init__(self) -> None:
        self.tags: list[str] = []
        self.fields: dict[str, Any] = {"a": 1}
        self.whole = (1, [["x"]])
        self.log: list[Any] = []

    def the_same_list(self, x: int) -> Any:
        self.tags.append(f"{x}")
        return self.tags

    def a_list_in_a_tuple(self, x: int) -> Any:
        return {"a": x}, self.the_same_list(x), x

    def the_same_dictionary(self, x: int) -> Any:
        self.fields["a"] = x
        return self.fields

    def a_list_in_a_kept_tuple(self, x: int) -> Any:
        made = (None, ["x"], x)
        self.log.append(made)
        self.log[0][1].append(f"{x}")
        return made

    def a_list_that_changes_later(self, x: int) -> Any:
        made = ["x"]
        self.log.append(made)
        if len(self.log) > 3:
            self.log[0].append(f"{x}")
        return made

    def a_map_that_is_filled_later(self, x: int) -> Any:
        made = {f"{x}": x}
        self.log.append(made)
        self.log[0][f"{x}"] = x
        return made


ALIASES = {
    "the_same_list": TAGS,
    "a_list_in_a_tuple": EVENT,
    "the_same_dictionary": PAIR,
    "a_list_in_a_kept_tuple": EVENT,
    "a_list_that_changes_later": TAGS,
    "a_map_that_is_filled_later": TALLY,
}


@pytest.mark.parametrize("name", ALIASES)
def test_what_a_function_changes_after_it_returned_it_is_seen_as_in_spark(name: str) -> None:
    kind = ALIASES[name]
    ends = both(lambda: [Given(getattr(Kept(), name), kind)], [LONG], [NUMBERS])
    assert isinstance(ends[0], tuple), ends  # a batch, not an error


def test_what_nobody_else_holds_is_gathered_and_the_first_that_is_held_ends_that(
    calls: Counter[str],
) -> None:
    kept: list[Any] = []

    def tags(x: int) -> Any:
        made = ["a"]
        if x == 300:
            kept.append(made)
        return made

    list(process(ours(), [Given(tags, TAGS)], [LONG], [NUMBERS.slice(0, 2), NUMBERS]))
    assert (calls["evaluate -> Results"], calls["evaluate -> list"]) == (1, 1)


def test_a_failure_in_the_middle_leaves_nothing_of_its_row() -> None:
    rows = bridge().rows(([(1, ["a"]), (2, ["b", 3]), (3, ["c"])],))
    shape = ("struct", (("a", "l", True), ("t", ("list", "u", True), True)))
    assert bridge().evaluate(lambda x: (x[0], list(x[1])), rows, shape, int, 64) == [
        (1, ["a"]), (2, ["b", 3]), (3, ["c"]),
    ]  # fmt: skip
