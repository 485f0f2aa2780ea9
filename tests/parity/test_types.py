"""Every Spark SQL type that the Arrow path takes, through every kind, with nulls and extremes."""

import pytest
from parity.case import Case
from parity.kinds import Kind

from parity import kinds

LONG = "repeat('0123456789abcdef', 2000)"

# Type, and the values a column of it holds; a null is added to each.
TYPES: dict[str, tuple[str, list[str]]] = {
    "boolean": ("BOOLEAN", ["true", "false"]),
    "byte": ("TINYINT", ["-128Y", "127Y", "0Y"]),
    "short": ("SMALLINT", ["-32768S", "32767S"]),
    "int": ("INT", ["-2147483648", "2147483647"]),
    "long": ("BIGINT", ["-9223372036854775808", "9223372036854775807L", "9007199254740993L"]),
    "float": ("FLOAT", ["float('nan')", "float('-inf')", "float('-0.0')", "float('1.4E-45')"]),
    "double": ("DOUBLE", ["double('nan')", "double('inf')", "double('-0.0')", "4.9E-324D"]),
    "decimal_10_2": ("DECIMAL(10,2)", ["-99999999.99", "0.00", "1.10"]),
    "decimal_38_18": (
        "DECIMAL(38,18)",
        ["99999999999999999999.999999999999999999", "-0.000000000000000001"],
    ),
    "decimal_38_0": ("DECIMAL(38,0)", ["99999999999999999999999999999999999999", "-1"]),
    "date": ("DATE", ["date'1969-12-31'", "date'2262-04-12'", "date'1677-01-01'"]),
    "date_extreme": ("DATE", ["date'0001-01-01'", "date'9999-12-31'"]),
    "timestamp": (
        "TIMESTAMP",
        ["timestamp'1969-12-31 23:59:59.999999'", "timestamp'2024-03-10 10:30:00 UTC'"],
    ),
    "timestamp_extreme": (
        "TIMESTAMP",
        ["timestamp'0001-01-02 00:00:00'", "timestamp'9999-12-30 23:59:59.999999'"],
    ),
    "timestamp_ntz": (
        "TIMESTAMP_NTZ",
        ["timestamp_ntz'1969-12-31 23:59:59.999999'", "timestamp_ntz'2024-03-10 02:30:00'"],
    ),
    "string": ("STRING", ["''", "'a'", "'caf\u00e9 \u2603 \U0001f525'", LONG, "'\\0'"]),
    "binary": ("BINARY", ["X''", "X'00FF'", f"CAST({LONG} AS BINARY)"]),
    "day_time_interval": (
        "INTERVAL DAY TO SECOND",
        ["interval '1 02:03:04.000005' day to second", "interval '-1' day"],
    ),
    "time": ("TIME(6)", ["time'00:00:00'", "time'23:59:59.999999'"]),
    "null": ("VOID", ["NULL"]),
    "variant": ("VARIANT", ['parse_json(\'{"a":[1,null,"x"]}\')', "parse_json('1.5')"]),
    "array_of_int": ("ARRAY<INT>", ["array()", "array(1, null, 3)"]),
    "array_of_string": ("ARRAY<STRING>", ["array('', null, 'x')"]),
    "array_of_array": ("ARRAY<ARRAY<DOUBLE>>", ["array(array(1.5D), null, array())"]),
    "struct": ("STRUCT<a:INT,b:STRING>", ["named_struct('a', 1, 'b', null)"]),
    "struct_of_struct": (
        "STRUCT<a:STRUCT<b:DATE,c:ARRAY<BIGINT>>,d:BOOLEAN>",
        ["named_struct('a', named_struct('b', date'2024-02-29', 'c', array(1L)), 'd', true)"],
    ),
    "map": ("MAP<STRING,INT>", ["map()", "map('b', 2, 'a', null)"]),
    "map_of_struct": (
        "MAP<INT,STRUCT<x:DECIMAL(10,2)>>",
        ["map(1, named_struct('x', 1.25BD), 2, null)"],
    ),
    "array_of_struct": (
        "ARRAY<STRUCT<t:TIMESTAMP,m:MAP<STRING,BINARY>>>",
        ["array(named_struct('t', timestamp'2020-01-01 00:00:00', 'm', map('k', X'01')), null)"],
    ),
    "array_of_day_time_interval": (
        "ARRAY<INTERVAL DAY TO SECOND>",
        ["array(interval '1' day, null)"],
    ),
    "struct_of_variant": (
        "STRUCT<v:VARIANT>",
        ["named_struct('v', parse_json('[1,2]'))"],
    ),
    "collated_string": ("STRING COLLATE UTF8_LCASE", ["'Abc'", "''"]),
}

# Spark's worker itself answers with an error: nanoseconds do not reach that far.
RAISES = {
    ("timestamp_extreme", kind.name)
    for kind in (kinds.PANDAS, kinds.PANDAS_ITERATOR, kinds.MAP_IN_PANDAS)
}
# Refused before a plan exists, so that no plan can prove anything: only the errors are compared.
REFUSED = {"year_month_interval": ("INTERVAL YEAR TO MONTH", ["interval '1-2' year to month"])}
CONF = {"spark.sql.timeType.enabled": "true"}


def column(kind: Kind, name: str) -> Case:
    """A column of values and a column of nulls, sent through a function that gives them back."""
    ddl, values = {**TYPES, **REFUSED}[name]
    rows = ", ".join(f"({index}, {value})" for index, value in enumerate([*values, "NULL"]))
    query = f"SELECT id, CAST(v AS {ddl}) v, CAST(NULL AS {ddl}) n FROM VALUES {rows} AS t(id, v)"

    def build(spark):
        frame = spark.sql(query)
        return kind.through(frame, lambda unit: unit, frame.schema["v"].dataType, ("v", "n"))

    fails = name in REFUSED or (name, kind.name) in RAISES
    # Of two failing tasks either may be first: an error is asked of one.
    conf = {**CONF, **({"spark.sql.leafNodeDefaultParallelism": "1"} if fails else {})}
    return Case(f"{name}-{kind.name}", build, frozenset({kind.node}), conf=conf, fails=fails)


CASES = [column(kind, name) for name in TYPES for kind in kinds.EVERY]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_column_of_this_type_comes_back_alike(case, parity_legs):
    parity_legs.check(case)


@pytest.mark.parametrize("kind", kinds.EVERY, ids=lambda kind: kind.name)
@pytest.mark.parametrize("name", REFUSED)
def test_a_type_that_spark_refuses_is_refused_alike(name, kind, parity_legs):
    case = column(kind, name)
    embedded, vanilla = (parity_legs.run(case, embed=embed) for embed in (True, False))
    assert embedded.failed
    assert embedded.outcome == vanilla.outcome
