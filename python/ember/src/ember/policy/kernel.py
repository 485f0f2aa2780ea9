"""The native kernel of scores, statistics and splits: a library that takes Arrow's C structs.

numpy is its reference: the bits are the same, and where there is no library, numpy answers. The
driver adds the library to the application's files, so that executors have it without a package.
"""

from __future__ import annotations

import atexit
import ctypes
import hashlib
import json
import os
import platform
import re
import shutil
import struct
import warnings
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from threading import Lock
from typing import TYPE_CHECKING, Any, Final
from weakref import finalize

import numpy as np
import pyarrow as pa
from pyspark import SparkFiles

from ember.policy.errors import PolicyError, RowsError
from ember.policy.manifest import Numeric

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from pyspark.sql import DataFrame

    from ember.policy.manifest import Feature
    from ember.policy.search import Search
    from ember.policy.statistics import Counting
    from ember.policy.trees import FlatTree

#: A path to the library, or nothing to do without it.
VARIABLE: Final = "EMBER_POLICY_LIBRARY"
NAME: Final = "libember_policy.so"

_MAJOR: Final = 1
_MINOR: Final = 1
#: ``struct EmberPolicy``: its size, two numbers of the version, and seven functions.
_TABLE: Final = "=IHHQQQQQQQ"
#: Words of ``struct ArrowSchema`` and ``struct ArrowArray``.
_SCHEMA_WORDS, _ARRAY_WORDS = 9, 10
_ERROR_BYTES: Final = 4096
_REFUSED: Final = 2

#: Spark refuses a second path of one name: who asks and adds does both before the next does.
_SHIPPING: Final = Lock()


class RefusedError(RowsError):
    """Rows that the manifest refuses; numpy's path has the words for them."""


def library() -> Path | None:
    """Return where this machine's library is, if it is there."""
    named = os.environ.get(VARIABLE)
    if named is not None:
        return Path(named) if named else None
    machine = f"{platform.system().lower()}-{platform.machine()}"
    found = Path(__file__).parent / "native" / machine / NAME
    return found if found.is_file() else None


def shipped(df: DataFrame) -> str | None:
    """Have the library where executors are, and return what a :class:`Kernel` finds it by.

    Executors of ``local`` masters are here. Others get a copy, named by what is in it, once.
    """
    found = library()
    if found is None:
        return None
    context = getattr(df.sparkSession, "sparkContext", None)
    if context is None or re.fullmatch(r"local(\[[^]]*\])?", context.master):
        return str(found)
    name = f"{found.stem}-{hashlib.sha256(found.read_bytes()).hexdigest()[:16]}{found.suffix}"
    with _SHIPPING:
        if not any(each.endswith(name) for each in context.listFiles):
            context.addFile(_copied(found, name))
    return name


@cache
def _copied(found: Path, name: str) -> str:
    """Copy a library under a name that says what is in it, to a folder that ends with Python."""
    folder = mkdtemp(prefix="ember-policy-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return shutil.copyfile(found, Path(folder) / name).as_posix()


class Kernel:
    """A plan that the library holds; it is opened where it is first used, and pickled as text.

    :param path: of the library, which executors look for among the application's files first
    """

    def __init__(self, path: str, plan: str) -> None:
        self._path = path
        self._plan = plan
        self._opened: _Opened | None = None
        self._failed = False

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave pointers behind."""
        return Kernel, (self._path, self._plan)

    def opened(self) -> _Opened | None:
        """Open it where it is not yet; None, with a warning, where it cannot be."""
        if self._opened is None:
            self._opened = self.anew()
        return self._opened

    def anew(self) -> _Opened | None:
        """Open it once more, with nothing counted; None where it cannot be."""
        if not self._failed:
            try:
                return _Opened(_local(self._path), self._plan)
            except (OSError, AttributeError, PolicyError) as error:
                self._failed = True
                warnings.warn(f"numpy instead of the native kernel: {error}", stacklevel=3)
        return None


def plan_of(
    features: Sequence[Feature],
    arms: Sequence[str],
    trees: Sequence[FlatTree],
    counting: Counting | None = None,
    search: Search | None = None,
) -> str:
    """Write what the library opens: JSON, in which a double is the number that its bits are."""
    document = {
        "features": [_feature(each) for each in features],
        "arms": list(arms),
        "trees": [_tree(each) for each in trees],
        "counting": None if counting is None else counting.document(),
        "search": None if search is None else search.document(),
    }
    return json.dumps(document, separators=(",", ":"))


def _feature(feature: Feature) -> dict[str, Any]:
    strict = {"missing_is_error": feature.missing == "error"}
    if isinstance(feature, Numeric):
        return strict | {"boundaries": bits(np.array(feature.boundaries, np.float64))}
    unseen = feature.unseen == "error"
    return strict | {"categories": feature.categories, "unseen_is_error": unseen}


def _tree(tree: FlatTree) -> dict[str, Any]:
    return {
        "feature": tree.feature.tolist(),
        "left": tree.left.tolist(),
        "right": tree.right.tolist(),
        "left_codes": [np.flatnonzero(each).tolist() for each in tree.goes_left],
        "scores": bits(tree.scores.ravel()),
    }


def bits(values: NDArray[np.float64]) -> list[int]:
    """Return doubles as the numbers that their bits are."""
    found: list[int] = np.ascontiguousarray(values).view(np.uint64).tolist()
    return found


def _local(path: str) -> str:
    """Return the path of the library on this machine."""
    try:
        sent = SparkFiles.get(Path(path).name)
    except Exception:  # noqa: BLE001 (outside of a task it may raise whatever it likes)
        return path
    return sent if Path(sent).is_file() else path


class _Opened:
    """A plan in the library's memory, which is freed with this."""

    def __init__(self, path: str, plan: str) -> None:
        close, open_, self._score, self._add, self._cells, self._merge, self._search = _calls(path)
        self._error = ctypes.create_string_buffer(_ERROR_BYTES)
        self._handle = ctypes.c_void_p()
        text = plan.encode()
        self._check(open_(text, len(text), ctypes.byref(self._handle), *self._room))
        finalize(self, close, self._handle).atexit = False

    def scores(self, columns: Sequence[pa.Array], arms: int) -> NDArray[np.float64]:
        """Score a batch: shape (rows, arms)."""
        batch = pa.RecordBatch.from_arrays(list(columns), [str(at) for at in range(len(columns))])
        found = np.empty((batch.num_rows, arms))
        given, room = _Lent(batch), (found.ctypes.data, found.size, *self._room)
        self._check(self._score(self._handle, given.schema, given.array, *room))
        return found

    def add(self, batch: pa.RecordBatch) -> None:
        """Count the rows of a batch: see :class:`ember.policy.statistics.Statistics`."""
        given = _Lent(batch)
        self._check(self._add(self._handle, given.schema, given.array, *self._room))

    def merge(self, batch: pa.RecordBatch) -> None:
        """Add cells that were counted elsewhere: see :class:`ember.policy.statistics.Merged`."""
        given = _Lent(batch)
        self._check(self._merge(self._handle, given.schema, given.array, *self._room))

    def search(self) -> pa.RecordBatch:
        """Find the best splits in the cells: see :meth:`ember.policy.search.Search.best`."""
        found = _Lent()
        self._check(self._search(self._handle, found.schema, found.array, *self._room))
        return pa.RecordBatch._import_from_c(found.array, found.schema)  # noqa: SLF001 (no other)

    def cells(self, numbers: int) -> NDArray[np.int64]:
        """Copy what was counted."""
        found = np.empty(numbers, np.int64)
        self._check(self._cells(self._handle, found.ctypes.data, found.size, *self._room))
        return found

    @property
    def _room(self) -> tuple[Any, int]:
        return ctypes.addressof(self._error), _ERROR_BYTES

    def _check(self, status: int) -> None:
        if status != 0:
            words = self._error.value.decode(errors="replace")
            raise (RefusedError if status == _REFUSED else PolicyError)(words)


class _Lent:
    """Room for a batch as two C structs, which whoever reads them takes away."""

    def __init__(self, batch: pa.RecordBatch | None = None) -> None:
        self._words = (ctypes.c_int64 * (_SCHEMA_WORDS + _ARRAY_WORDS))()
        self.schema = ctypes.addressof(self._words)
        self.array = self.schema + _SCHEMA_WORDS * 8
        if batch is not None:
            batch._export_to_c(self.array, self.schema)  # noqa: SLF001 (pyarrow has no other)


def _calls(path: str) -> list[Callable[..., Any]]:
    symbol = ctypes.CDLL(path).ember_policy_v1
    symbol.restype = ctypes.c_void_p
    least = struct.calcsize(_TABLE)
    table = symbol()
    size, major, minor = struct.unpack_from("=IHH", ctypes.string_at(table, 8))
    if major != _MAJOR or size < least:
        message = f"{path} speaks version {major}.{minor}, not {_MAJOR}.{_MINOR}"
        raise PolicyError(message)
    _, _, _, *functions = struct.unpack(_TABLE, ctypes.string_at(table, least))
    pointer, room = ctypes.c_void_p, ctypes.c_size_t
    arguments: list[list[Any]] = [
        [pointer],
        [ctypes.c_char_p, room, pointer, pointer, room],
        [pointer, pointer, pointer, pointer, room, pointer, room],
        [pointer, pointer, pointer, pointer, room],
        [pointer, pointer, room, pointer, room],
        [pointer, pointer, pointer, pointer, room],
        [pointer, pointer, pointer, pointer, room],
    ]
    return [
        ctypes.CFUNCTYPE(ctypes.c_int32, *each)(function)
        for each, function in zip(arguments, functions, strict=True)
    ]
