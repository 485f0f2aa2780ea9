"""The bridge's library in plain Python, and a batch through PySpark's row functions, ours and its.

The library is found in ``EMBER_BRIDGE``, or in the newest build of this checkout.
"""

from __future__ import annotations

import functools
import importlib.machinery
import importlib.util
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from pyspark.sql.types import StructField, StructType

from ember_worker import rowfn
from protocol import SCALAR_ROW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import pyarrow as pa
    from pyspark.sql.types import DataType

ROOT = Path(__file__).resolve().parents[3]


@functools.cache
def bridge() -> Any:
    """Load the library as an extension module and hand it to the worker package."""
    path = library()
    if path is None:
        return None
    loader = importlib.machinery.ExtensionFileLoader("ember_bridge", str(path))
    spec = importlib.util.spec_from_loader("ember_bridge", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    rowfn.use(module)
    return module


def library() -> Path | None:
    if named := os.environ.get("EMBER_BRIDGE"):
        return Path(named)
    version = "py{}{}".format(*sys.version_info)
    staged = ROOT / f"target/jar/native/linux-{os.uname().machine}/{version}/libember_bridge.so"
    return staged if staged.is_file() else None


def conf(**settings: Any) -> Any:
    """Return the settings that row functions look at."""
    known = {
        "arrow_concurrency_level": 0,
        "binary_as_bytes": True,
        "data_source_profiler": None,
        "int_to_decimal_coercion_enabled": False,
        "safecheck": True,
        "udf_profiler": None,
        "use_large_var_types": False,
        "use_legacy_pandas_udf_conversion": False,
    }
    return SimpleNamespace(**{**known, **settings})


class Given:
    """A function as it stands in a header: already unpickled, so that it is the test's own."""

    def __init__(
        self,
        function: Callable[..., Any],
        result: DataType,
        args: tuple[int, ...] = (0,),
        kwargs: dict[str, int] | None = None,
    ) -> None:
        """Call ``function`` with the columns ``args`` and ``kwargs``."""
        self.function, self.result = function, result
        self.args, self.kwargs = list(args), kwargs or {}
        self.udfs = [self]
        self.result_id = 1


def process(
    read: Callable[..., Any],
    given: Iterable[Given],
    inputs: list[DataType],
    batches: list[pa.RecordBatch],
    settings: Any = None,
) -> Iterator[pa.RecordBatch]:
    """Run functions over batches with this ``read_udfs``."""
    kind = StructType([StructField(f"_{i}", each) for i, each in enumerate(inputs)])
    evaluation = SimpleNamespace(input_type=kind)
    pickler = SimpleNamespace(_read_with_length=lambda it: (it.function, it.result))
    func, *_ = read(pickler, list(given), SCALAR_ROW, settings or conf(), evaluation)
    yield from func(0, iter(batches))


def stock() -> Callable[..., Any]:
    """Return PySpark's own ``read_udfs``."""
    from pyspark import worker  # not before the boot

    return worker.read_udfs


def ours() -> Callable[..., Any]:
    """Return PySpark's ``read_udfs`` on the bridge's way."""
    assert bridge() is not None, (
        "no bridge library: run ci/build --native-only, or set EMBER_BRIDGE"
    )
    return rowfn.reader(stock())
