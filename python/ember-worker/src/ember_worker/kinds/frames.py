"""PySpark's conversions to pandas and back, less what changes nothing.

PySpark's code stays what runs, with other meanings for some of its names:

- it asks pandas which values of a column are null, which takes as long as all of Arrow's conversion
  of a small one. A column of whole numbers or truth values in numpy's form has no nulls, so it is
  told that such a column answers for its nulls itself;
- pyarrow asks a Series for its values at four times the cost of converting a few of them, and is
  given the values of one that numpy's numbers are;
- batches of a session have one schema, whose form in Spark's types is made once;
- columns of text and of decimals are objects for numpy. The bridge makes the same text of Arrow
  buffers, and gathers text and decimals in such, if each is exactly what the type holds, or a null.
  Whatever else is in a column leaves the whole of it to pyarrow.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark.sql.conversion import (
    ArrowArrayToPandasConversion,
    ArrowBatchTransformer,
    PandasToArrowConversion,
)

from ember_worker import rowfn
from ember_worker.rebound import importing, rebound
from ember_worker.rowfn.formats import FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable

#: Kinds of numpy's types without a null among their values.
_WITHOUT_NULLS = "biu"
#: Those that Arrow converts without a look at what holds them.
_NUMBERS = frozenset("biuf")
_OBJECTS = "O"


@functools.cache
def conversion() -> Any:
    """Return ``PandasToArrowConversion`` for code that converts one batch after the other."""
    try:
        from pandas.arrays import NumpyExtensionArray
    except ImportError:
        return PandasToArrowConversion  # nothing will be converted: the kind says what it lacks

    def has(value: Any, name: str) -> bool:
        if type(value) is NumpyExtensionArray and name == "__arrow_array__":
            # Of objects, ``from_pandas`` asks which are null, where it does not see that itself.
            return value.dtype.kind in _WITHOUT_NULLS or value.dtype.kind == _OBJECTS
        return hasattr(value, name)

    builtins = {**importing(pyarrow=_Pyarrow()), "hasattr": has}
    stock: Any = PandasToArrowConversion.convert
    return type(
        PandasToArrowConversion.__name__,
        (PandasToArrowConversion,),
        {"convert": classmethod(rebound(stock.__func__, {"__builtins__": builtins}))},
    )


@functools.cache
def transformer() -> Any:
    """Return ``ArrowBatchTransformer`` for such code."""
    stock: Any = ArrowBatchTransformer.to_pandas
    scope = {
        "ArrowArrayToPandasConversion": _ToPandas,
        "from_arrow_schema": _remembered(stock.__func__.__globals__["from_arrow_schema"]),
    }
    return type(
        ArrowBatchTransformer.__name__,
        (ArrowBatchTransformer,),
        {"to_pandas": classmethod(rebound(stock.__func__, scope))},
    )


def meanings() -> dict[str, Any]:
    """Return what names of ``read_udfs`` mean here."""
    return {"ArrowBatchTransformer": transformer(), "PandasToArrowConversion": conversion()}


def _remembered(stock: Callable[[pa.Schema], Any]) -> Callable[[pa.Schema], Any]:
    """Return ``from_arrow_schema`` that knows what it made last, which nobody changes."""
    last: tuple[pa.Schema, Any] | None = None

    def from_arrow_schema(schema: pa.Schema) -> Any:
        nonlocal last
        known = last
        if known is None or not known[0].equals(schema, check_metadata=True):
            last = known = (schema, stock(schema))
        return known[1]

    return from_arrow_schema


class _ToPandas(ArrowArrayToPandasConversion):
    """The conversion of a column: text is made by the bridge, where it can be."""

    @classmethod
    def convert_legacy(cls, arr: Any, spark_type: Any, **options: Any) -> Any:
        made = _texts(arr)
        return super().convert_legacy(arr, spark_type, **options) if made is None else made


def _texts(column: Any) -> Any:
    """Return the Series of a column of text, or nothing if it is not for the bridge."""
    bridge = rowfn.bridge()
    if not bridge or not isinstance(column, (pa.StringArray, pa.LargeStringArray)):
        return None
    if _texts_have_a_type():
        return None
    import numpy as np
    import pandas as pd

    cells = np.empty(len(column), dtype=object)
    if not bridge.fill_objects(column, FORMATS[column.type], cells):
        return None
    return pd.Series(cells, name=column._name, dtype=object, copy=False)


def _texts_have_a_type() -> bool:
    """Tell whether this pandas keeps text as something else than objects."""
    import pandas as pd

    return bool(int(pd.__version__.split(".")[0]) >= 3 or pd.get_option("future.infer_string"))


def _of_decimals(of: Any) -> str:
    return f"d:{of.precision},{of.scale}"


class _Array:
    """``pyarrow.Array`` for that code."""

    @staticmethod
    def from_pandas(series: Any, *, mask: Any, **options: Any) -> Any:
        if mask is None:
            made = _gathered(series, options.get("type"))
            if made is not None:
                return made
            kind = _kind(series)
            if kind == _OBJECTS:
                mask = series.isnull()  # noqa: PD003 - as PySpark asks
            elif kind in _NUMBERS:
                series = series.to_numpy()
        return pa.Array.from_pandas(series, mask=mask, **options)


def _kind(series: Any) -> str:
    """Return numpy's kind of a column, or nothing if its type is pandas' own."""
    import numpy as np

    return series.dtype.kind if isinstance(series.dtype, np.dtype) else ""


def _gathered(series: Any, of: Any) -> Any:
    """Return a column of objects as an array of this type, or nothing if pyarrow is to make it."""
    bridge = rowfn.bridge()
    if not bridge or of is None or not len(series):
        return None
    objects = _objects(series)
    if objects is None:
        return None
    known = _of_decimals(of) if pa.types.is_decimal128(of) else FORMATS.get(of)
    return known and bridge.gather_objects(objects, known, of)


def _objects(series: Any) -> Any:
    """Return numpy's array of a column of objects, or of pandas' text that is made of such."""
    import numpy as np
    import pandas as pd

    if _kind(series) == _OBJECTS:
        return series.to_numpy()
    array = getattr(series, "array", None)
    return np.asarray(array) if type(array) is pd.arrays.StringArray else None


class _Pyarrow:
    """``pyarrow`` for that code."""

    Array = _Array
    RecordBatch = pa.RecordBatch
    lib = pa.lib

    def __getattr__(self, name: str) -> Any:
        return getattr(pa, name)
