"""PySpark's conversion of pandas' results, less what changes nothing.

PySpark asks pandas which values of a column are null, which takes as long as all of Arrow's
conversion of a small one. A column of whole numbers or truth values in numpy's form has no nulls.
PySpark's code stays what runs: it is only told that such a column answers for its nulls itself.
"""

from __future__ import annotations

import builtins
import functools
from typing import Any

from pyspark.sql.conversion import PandasToArrowConversion

from ember_worker.rebound import rebound

#: Kinds of numpy's types without a null among their values.
_WITHOUT_NULLS = "biu"


@functools.cache
def conversion() -> Any:
    """Return ``PandasToArrowConversion`` for code that converts one batch after the other."""
    try:
        from pandas.arrays import NumpyExtensionArray
    except ImportError:
        return PandasToArrowConversion  # nothing will be converted: the kind says what it lacks

    def has(value: Any, name: str) -> bool:
        if type(value) is NumpyExtensionArray and name == "__arrow_array__":
            return value.dtype.kind in _WITHOUT_NULLS
        return hasattr(value, name)

    stock: Any = PandasToArrowConversion.convert
    scope = {"__builtins__": {**vars(builtins), "hasattr": has}}
    return type(
        PandasToArrowConversion.__name__,
        (PandasToArrowConversion,),
        {"convert": classmethod(rebound(stock.__func__, scope))},
    )


def meanings() -> dict[str, Any]:
    """Return what names of ``read_udfs`` mean here."""
    return {"PandasToArrowConversion": conversion()}
