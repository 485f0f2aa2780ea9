"""Native functions without Spark: what is called, what is checked, and what is said of it."""

import gc
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from pyspark import cloudpickle

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "src"), str(HERE)]
import libraries  # noqa: E402 (beside this file)
from ember.native import (  # noqa: E402 (not installed here)
    NativeFunction,
    NativeFunctionError,
    native_function,
)

NUMBERS = pa.array([1, None, 3])


@pytest.fixture(scope="module")
def rust():
    """The crate's example."""
    return libraries.rust()


@pytest.fixture(scope="module")
def c(tmp_path_factory):
    """The functions that are wrong."""
    return libraries.wrong(tmp_path_factory.mktemp("native"))


def scalar(library, symbol):
    return NativeFunction(library, symbol, "scalar", isolated=False)


def test_a_column_goes_through_rust(rust):
    assert scalar(rust, "add_one").column([NUMBERS], pa.int64()).to_pylist() == [2, None, 4]
    texts = pa.array(["hello", None, "", "Ödipus"])
    changed = scalar(rust, "disemvowel").column([texts], pa.string())
    assert changed.to_pylist() == ["llh", None, "", "spdÖ"]


def test_slices_and_batches_of_all_sizes_go_through(rust):
    function = scalar(rust, "add_one")
    for rows in (0, 1, 10_000):
        column = pa.array(range(rows + 5)).slice(3, rows)
        assert function.column([column], pa.int64()).to_pylist() == list(range(4, rows + 4))


def test_a_batch_becomes_another(rust):
    batch = pa.RecordBatch.from_pydict({"a": [1, 2, 3], "s": ["x", None, "z"]})
    halved = NativeFunction(rust, "first_half", "map", isolated=False).batch(batch)
    assert halved.equals(batch.slice(0, 1))


def test_nothing_is_leaked(rust):
    function = scalar(rust, "add_one")
    function.column([NUMBERS], pa.int64())
    gc.collect()
    before = pa.total_allocated_bytes()
    for _ in range(100):
        function.column([pa.array(range(1000))], pa.int64())
    gc.collect()
    assert pa.total_allocated_bytes() == before


@pytest.mark.parametrize(
    ("symbol", "words"),
    [
        ("backwards", "gave a batch that cannot be read"),
        ("longer", "gave 1 columns of 4 rows for 3 rows"),
        ("refusing", "failed: no more of this"),
        ("of_tomorrow", "speaks version 2 of ember_udf.h, not 1"),
        ("nothing", "gave no table"),
        ("absent", "cannot be opened"),
    ],
)
def test_what_is_wrong_with_a_function_is_said(c, symbol, words):
    wanted = pa.string() if symbol == "backwards" else pa.int64()
    with pytest.raises(NativeFunctionError, match=f"{symbol} of .*libwrong.so {words}"):
        scalar(c, symbol).column([NUMBERS], wanted)


def test_types_and_kinds_are_compared(rust):
    with pytest.raises(NativeFunctionError, match="gives int64, and int32 was declared"):
        scalar(rust, "add_one").column([NUMBERS], pa.int32())
    with pytest.raises(NativeFunctionError, match="wants one column of Int64"):
        scalar(rust, "add_one").column([pa.array(["a"])], pa.int64())
    with pytest.raises(NativeFunctionError, match="is no scalar function"):
        scalar(rust, "first_half").column([NUMBERS], pa.int64())
    with pytest.raises(NativeFunctionError, match="cannot be opened"):
        scalar("/nowhere/libnone.so", "add_one").column([NUMBERS], pa.int64())


def test_executors_need_no_package_of_embers(rust):
    function = scalar(rust, "add_one")
    function.column([NUMBERS], pa.int64())
    there = (
        "import pickle, sys; import pyarrow as pa; sys.modules['ember'] = None;"
        "print(pickle.load(sys.stdin.buffer).column([pa.array([1])], pa.int64()).to_pylist())"
    )
    told = subprocess.run(
        [sys.executable, "-c", there],
        input=cloudpickle.dumps(function),
        capture_output=True,
        check=True,
    )
    assert told.stdout.strip() == b"[2]"


def test_only_the_pickle_of_an_isolated_function_says_that_it_is():
    words = b"this function of Ember's is isolated"
    for isolated in (True, False):
        mapping = native_function("/lib.so", "halves", kind="map", isolated=isolated)
        function = NativeFunction("/lib.so", "add_one", "scalar", isolated=isolated)
        for one in (mapping, function):
            assert (words in cloudpickle.dumps(one)) == isolated
        assert cloudpickle.loads(cloudpickle.dumps(function)).isolated == isolated


def test_a_scalar_function_needs_its_type(rust):
    with pytest.raises(TypeError, match="needs the type"):
        native_function(rust, "add_one")
