"""``applyInPandas`` over groups: what PySpark does for each group, less what changes nothing.

PySpark picks the columns of each result by their names, in the order of the schema, which costs as
much as all else about a small frame. A frame whose columns stand in that order already is the same
frame by position.
"""

from __future__ import annotations

from typing import Any

from pyspark.sql.conversion import PandasToArrowConversion


class _Conversion:
    """``PandasToArrowConversion`` for that code."""

    @staticmethod
    def convert(data: list[Any], schema: Any, *, assign_cols_by_name: bool, **options: Any) -> Any:
        by_name = assign_cols_by_name and not _stands_in_order(data, schema)
        return PandasToArrowConversion.convert(data, schema, assign_cols_by_name=by_name, **options)


def _stands_in_order(data: list[Any], schema: Any) -> bool:
    import pandas as pd

    frame = data[0]
    names = getattr(schema.fields[0].dataType, "names", None)
    return type(frame) is pd.DataFrame and names is not None and list(frame.columns) == names


def meanings() -> dict[str, Any]:
    """Return what names of ``read_udfs`` mean here."""
    return {"PandasToArrowConversion": _Conversion}
