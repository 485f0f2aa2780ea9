"""Every form of Arrow's in which a function may give back a column, against what Spark reads."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest
from parity.case import Case

TEXTS = pa.dictionary(pa.int32(), pa.string())
VIEW = pa.list_view(pa.int64())
FORMS: dict[str, tuple[str, pa.DataType]] = {
    **{f"{of}": ("bigint", of) for of in (pa.int8(), pa.uint8(), pa.uint64(), pa.float16())},
    **{f"{of}_as_double": ("double", of) for of in (pa.float16(), pa.float32(), pa.int64())},
    "large_string": ("string", pa.large_string()),
    "string_view": ("string", pa.string_view()),
    "large_binary": ("binary", pa.large_binary()),
    "binary_view": ("binary", pa.binary_view()),
    "fixed_binary": ("binary", pa.binary(3)),
    "binary_as_string": ("string", pa.binary()),
    "string_as_binary": ("binary", pa.string()),
    **{f"decimal{bits}": ("decimal(9,2)", getattr(pa, f"decimal{bits}")(9, 2))
       for bits in (32, 64, 128, 256)},
    "wider_decimal": ("decimal(9,2)", pa.decimal128(20, 2)),
    "other_scale": ("decimal(9,2)", pa.decimal128(9, 3)),
    "date64": ("date", pa.date64()),
    **{f"timestamp_{unit}": ("timestamp_ntz", pa.timestamp(unit)) for unit in ("s", "ms", "ns")},
    **{f"instant_{unit}": ("timestamp", pa.timestamp(unit, "UTC")) for unit in ("s", "us", "ns")},
    "instant_elsewhere": ("timestamp", pa.timestamp("us", "Asia/Tokyo")),
    "instant_nowhere": ("timestamp", pa.timestamp("us")),
    "instant_as_local": ("timestamp_ntz", pa.timestamp("us", "UTC")),
    **{f"duration_{unit}": ("interval day to second", pa.duration(unit))
       for unit in ("s", "us", "ns")},
    **{f"time_{unit}": ("time(6)", pa.time64(unit)) for unit in ("us", "ns")},
    "time32": ("time(6)", pa.time32("ms")),
    "dictionary": ("string", TEXTS),
    "dictionary_of_longs": ("bigint", pa.dictionary(pa.int8(), pa.int64())),
    "dictionary_as_index": ("int", TEXTS),
    "dictionary_in_list": ("array<string>", pa.list_(TEXTS)),
    "dictionary_in_struct": ("struct<a:string>", pa.struct([("a", TEXTS)])),
    "run_ends": ("bigint", pa.run_end_encoded(pa.int32(), pa.int64())),
    "large_list": ("array<bigint>", pa.large_list(pa.int64())),
    "list_view": ("array<bigint>", VIEW),
    "large_list_view": ("array<bigint>", pa.large_list_view(pa.int64())),
    "fixed_list": ("array<bigint>", pa.list_(pa.int64(), 2)),
    "list_view_of_texts": ("array<string>", pa.list_view(pa.string())),
    "list_view_in_list": ("array<array<bigint>>", pa.list_(VIEW)),
    "list_view_in_struct": ("struct<a:array<bigint>>", pa.struct([("a", VIEW)])),
    "list_view_of_views": ("array<array<bigint>>", pa.list_view(VIEW)),
    "required": ("struct<a:bigint>", pa.struct([pa.field("a", pa.int64(), nullable=False)])),
    "other_names": ("struct<a:bigint>", pa.struct([("b", pa.int64())])),
    "sorted_map": ("map<string,bigint>", pa.map_(pa.string(), pa.int64(), keys_sorted=True)),
    "null": ("bigint", pa.null()),
    "null_in_list": ("array<bigint>", pa.list_(pa.null())),
}  # fmt: skip

MOMENT = dt.datetime(2021, 3, 4, 5, 6, 7)  # noqa: DTZ001 (a form without a zone is one of them)
VALUES = {
    "bigint": [1, None, 5, 1],
    "int": ["a", None, "b", "a"],
    "double": [1, None, 3, 0],
    "string": ["abc", None, "xyz", "abc"],
    "binary": [b"abc", None, b"xyz", b"abc"],
    "decimal(9,2)": [Decimal("1.25"), None, Decimal("-99.5"), Decimal(0)],
    "date": [MOMENT.date(), None, dt.date(1960, 1, 2), dt.date(2400, 2, 29)],
    "timestamp": [MOMENT, None, dt.datetime(1960, 1, 2), MOMENT],  # noqa: DTZ001
    "timestamp_ntz": [MOMENT, None, dt.datetime(1960, 1, 2), MOMENT],  # noqa: DTZ001
    "interval day to second": [dt.timedelta(1, 5), None, dt.timedelta(-3), dt.timedelta(0)],
    "time(6)": [dt.time(1, 2, 3), None, dt.time(0), dt.time(23, 59)],
    "array<bigint>": [[1, 2], None, [3, 4], [5, 6]],
    "array<string>": [["a", "b"], None, [], [None, "a"]],
    "array<array<bigint>>": [[[1, 2], None], None, [[3], []], []],
    "struct<a:bigint>": [{"a": 1, "b": 1}, {"a": 2, "b": 2}, {"a": 3, "b": 3}, {"a": 4, "b": 4}],
    "struct<a:string>": [{"a": "x"}, None, {"a": None}, {"a": "x"}],
    "struct<a:array<bigint>>": [{"a": [1]}, None, {"a": None}, {"a": [2, 3]}],
    "map<string,bigint>": [[("a", 1)], None, [], [("a", None), ("b", 2)]],
}
NULLS = {"null": [None] * 4, "null_in_list": [[None], None, [], [None, None]]}


def given_back(name, *, cut):
    """Batches of a column in one of the forms, whole or from its second row on."""
    ddl, of = FORMS[name]
    values = NULLS.get(name, VALUES[ddl])

    def build(spark):
        def batches(several):
            for _ in several:
                column = pa.array(values * 3, of)
                yield pa.RecordBatch.from_arrays([column[1:11] if cut else column], ["v"])

        return spark.range(0, 4, 1, 1).mapInArrow(batches, f"v {ddl}")

    conf = {"spark.sql.timeType.enabled": "true", "spark.sql.leafNodeDefaultParallelism": "1"}
    return Case(f"{name}-map_in_arrow", build, frozenset({"MapInArrow"}), conf=conf)


#: What the reader shows in another form, or refuses: these are in the fast tier.
STRANGE = [name for name in FORMS if "dictionary" in name or "view" in name or "256" in name]
STRANGE += ["run_ends", "uint64", "required"]


@pytest.mark.parametrize("name", STRANGE)
def test_a_strange_form_is_read_or_refused_alike(name, parity_legs):
    parity_legs.check_either_way(given_back(name, cut=True))


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMS)
def test_every_form_is_read_or_refused_alike(name, parity_legs):
    parity_legs.check_either_way(given_back(name, cut=False))
