"""Columns of many types through row functions that show what they see and give it back."""

import pyarrow as pa
from pyspark.sql import types as sql

from parity.kinds import same


def exactly(value):
    """What a function sees of a value: the types of its parts, the bits of its floats."""
    if isinstance(value, float):
        return f"{type(value).__name__} {value.hex()}"
    if isinstance(value, dict):
        return str([type(value), *((exactly(key), exactly(item)) for key, item in value.items())])
    if isinstance(value, list | tuple):
        return str([type(value), getattr(value, "__fields__", None), *map(exactly, value)])
    return f"{type(value)} {value!r} {getattr(value, '__dict__', '')} {getattr(value, 'fold', '')}"


def seen_and_back(kinds, arrays, udf):
    """Builds a frame of columns side by side, each as its function sees it and as it comes back.

    ``udf`` makes a row function of a callable and its return type.
    """
    rows = min(map(len, arrays))
    names = [f"c{index}" for index in range(len(kinds))]
    table = pa.table([array[:rows] for array in arrays], names)

    def build(spark):
        schema = sql.StructType(list(map(sql.StructField, names, kinds)))
        frame = spark.createDataFrame(table, schema).coalesce(1)
        shown = [udf(exactly, "string")(name).alias(f"{name}_seen") for name in names]
        again = [
            udf(same, kind)(name).alias(f"{name}_again")
            for name, kind in zip(names, kinds, strict=True)
        ]
        return frame.select(*names, *shown, *again)

    return build
