"""The native kernel without Spark: numpy's bits, and numpy's words where rows are refused."""

import gc
import math
import random
import warnings
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from listed import listed
from pyspark import cloudpickle

from ember.policy import (
    Categorical,
    Forest,
    Leaf,
    Manifest,
    Numeric,
    Outcome,
    PolicyError,
    RowsError,
    Split,
    Treatment,
)
from ember.policy.codes import codes_of, width
from ember.policy.draws import Draw, seed_of
from ember.policy.kernel import VARIABLE, Kernel, library, plan_of
from ember.policy.statistics import Counting, Statistics, kernel_of
from ember.policy.trees import FlatTree, scores_of

TEXT = pa.string()
ARMS = ("none", "mens", "womens")
FEATURES = (
    Numeric("a", (-1.0, 0.0, 0.1 + 0.2, 7.5)),
    Categorical("b", ("", "Rural", "Ödipus")),
    Numeric("c", ()),
    Categorical("d", ()),
    Numeric("e", tuple(at / 7 for at in range(200))),
)
MANIFEST = Manifest(0, FEATURES, Treatment("t", ARMS, "none"), Outcome("y", 2), {})


@pytest.fixture(scope="module")
def path():
    found = library()
    assert found is not None, "ci/build --native-only makes it"
    return str(found)


@pytest.fixture(scope="module")
def forest():
    draw = random.Random(5)
    return Forest(MANIFEST, tuple(tree(draw, depth) for depth in (0, 1, 3, 6, 6)))


def tree(draw, depth):
    """A tree of random splits."""
    if depth == 0:
        return Leaf(tuple(draw.gauss(0, 1) for _ in ARMS))
    feature = draw.choice(FEATURES)
    codes = range(width(feature))
    chosen = tuple(code for code in codes if draw.random() < 0.5)
    return Split(feature.name, chosen, tree(draw, depth - 1), tree(draw, depth - 1))


def columns(rows, draw, text=TEXT):
    """Values on boundaries, next to them, missing and unseen, for each feature."""
    found = []
    for feature in FEATURES:
        if isinstance(feature, Numeric):
            ends = [end for b in feature.boundaries for end in (b, np.nextafter(b, 9e9))]
            values = [None, float("nan"), float("inf"), -float("inf"), -0.0, 5e-324, *ends]
            found.append(pa.array(draw.choices(values, k=rows), pa.float64()))
        else:
            found.append(pa.array(draw.choices([None, "rural", *feature.categories], k=rows), text))
    return found


def counting(forest, **given):
    flat = tuple(FlatTree.of(each, FEATURES) for each in forest.trees)
    leaves = [
        (at, node)
        for at, each in enumerate(flat)
        for node, left in enumerate(each.left)
        if node == left and at != 1
    ]
    draws = tuple(
        Draw(seed_of(9, at), *[(2**32, None), (2**31, None), (2**32, 1), (2**31, 0)][at % 4])
        for at in range(len(flat))
    )
    return Counting(FEATURES, ARMS, flat, draws, tuple(leaves), **given)


def batch(rows, draw, outcomes):
    arms = pa.array(draw.choices(ARMS, k=rows), pa.string())
    whole = [pa.array([draw.randint(-(2**63), 2**63 - 1) for _ in range(rows)], pa.int64())]
    whole += [
        pa.array([draw.randint(-10, 10**6) for _ in range(rows)], pa.int64())
        for _ in range(outcomes)
    ]
    given = [arms, *whole, *listed(columns(rows, draw), FEATURES)]
    return pa.RecordBatch.from_arrays(given, [f"_{at}" for at in range(len(given))])


@pytest.mark.parametrize("text", [TEXT, pa.large_string()])
@pytest.mark.parametrize("rows", [0, 1, 63, 1024, 5000])
def test_scores_are_those_of_numpy_bit_for_bit(path, forest, rows, text):
    given = columns(rows + 3, random.Random(rows), text)
    expected = scores_of(
        [FlatTree.of(each, FEATURES) for each in forest.trees],
        codes_of(given, FEATURES),
    )
    native = forest.scorer(path)
    assert native.kernel.opened() is not None
    assert native(given).tobytes() == expected.tobytes()
    sliced = [column.slice(2, rows) for column in given]
    assert native(sliced).tobytes() == expected[2 : rows + 2].tobytes()
    assert forest.scorer(None)(sliced).tobytes() == expected[2 : rows + 2].tobytes()


@pytest.mark.parametrize("wanted", [None, "some"])
@pytest.mark.parametrize("valued", [False, True])
def test_statistics_are_those_of_numpy(path, forest, wanted, valued):
    draw = random.Random(11)
    what = counting(forest, valued=valued)
    if wanted is not None:
        opened = range(len(what.opened))
        some = [tuple(at for at in opened if draw.random() < 0.4) for _ in FEATURES]
        what = replace(what, wanted=(*some[:-1], ()))
    numpy, native = Statistics(what), Statistics(what, kernel_of(what, path))
    for rows in (0, 1, 700, 3000):
        given = batch(rows + 5, draw, len(ARMS) if valued else 1).slice(3, rows)
        numpy.add(given)
        native.add(given)
    expected = numpy.cells()
    assert all((a == b).all() for a, b in zip(native.cells(), expected, strict=True))
    assert [each.shape for each in native.cells()] == [each.shape for each in expected]
    assert sum(int(each[..., 0].sum()) for each in expected) > 3000
    assert pa.Table.from_batches(native.rows()) == pa.Table.from_batches(numpy.rows())


@pytest.mark.parametrize(
    ("at", "changed", "case"),
    [
        (0, replace(FEATURES[0], missing="error"), ([1.0, None], "feature 'a': is missing, in 1")),
        (
            0,
            replace(FEATURES[0], missing="error"),
            ([math.nan], "feature .a.: is missing"),
        ),
        (1, replace(FEATURES[1], missing="error"), (["", None], "feature 'b': is missing, in 1")),
        (1, replace(FEATURES[1], unseen="error"), ([None, "x"], "'x' is not in the vocabulary")),
    ],
)
def test_what_the_manifest_forbids_is_refused_in_the_words_of_numpy(
    path, forest, at, changed, case
):
    column, words = case
    features = (*FEATURES[:at], changed, *FEATURES[at + 1 :])
    strict = Forest(replace(MANIFEST, features=features), forest.trees[:1])
    given = columns(len(column), random.Random(1))
    given[at] = pa.array(column, given[at].type)
    for scorer in (strict.scorer(path), strict.scorer(None)):
        with pytest.raises(PolicyError, match=words):
            scorer(given)


@pytest.mark.parametrize(
    ("at", "column", "words"),
    [
        (0, pa.array(["none", "Mens"]), "'Mens' is none of the arms none, mens, womens"),
        (0, pa.array(["none", None]), "1 rows of a batch have no arm"),
        (2, pa.array([1, None], pa.int64()), "1 rows of a batch have no outcome"),
        (2, pa.array([2**62, 2**62], pa.int64()), "too large to be summed exactly"),
    ],
)
def test_rows_that_cannot_be_counted_are_refused_in_the_words_of_numpy(
    path, forest, at, column, words
):
    given = batch(2, random.Random(1), 1).set_column(at, str(at), column)
    what = counting(forest)
    for kernel in (kernel_of(what, path), None):
        with pytest.raises(RowsError, match=words):
            Statistics(what, kernel).add(given)


@pytest.mark.parametrize("at", [3, 4])
def test_lists_that_are_not_those_of_the_features_are_refused(path, forest, at):
    lists = [[1.0, 2.0]] if at == 3 else [["", "", ""]]
    given = batch(1, random.Random(1), 1)
    given = given.set_column(at, str(at), pa.array(lists, given.column(at).type))
    what = counting(forest)
    with pytest.raises(PolicyError, match="lists of features have not"):
        Statistics(what, kernel_of(what, path)).add(given)


def test_a_plan_that_contradicts_itself_is_refused(path, forest):
    flat = FlatTree.of(forest.trees[1], FEATURES)
    broken = [
        replace(flat, left=flat.left + 9),
        replace(flat, feature=flat.feature + 9),
        replace(flat, right=flat.right * 0),
        replace(flat, scores=flat.scores[:1]),
    ]
    for tree_ in broken:
        with pytest.warns(UserWarning, match="numpy instead of the native kernel: the plan contra"):
            assert Kernel(path, plan_of(FEATURES, ARMS, [tree_])).opened() is None
    with pytest.warns(UserWarning, match="the plan cannot be read"):
        assert Kernel(path, "{").opened() is None


def test_where_the_library_cannot_be_opened_numpy_answers_and_says_so(forest, tmp_path):
    wrong = tmp_path / "libember_policy.so"
    wrong.write_bytes(b"no library")
    given = columns(100, random.Random(2))
    with pytest.warns(UserWarning, match="numpy instead of the native kernel"):
        found = forest.scorer(str(wrong))(given)
    assert found.tobytes() == forest.scorer(None)(given).tobytes()


def test_the_variable_names_the_library_or_nothing(monkeypatch, tmp_path):
    monkeypatch.setenv(VARIABLE, "")
    assert library() is None
    monkeypatch.setenv(VARIABLE, str(tmp_path / "other.so"))
    assert library() == tmp_path / "other.so"


def test_a_kernel_that_was_pickled_opens_again(path, forest):
    given = columns(50, random.Random(4))
    scorer = forest.scorer(path)
    expected = scorer(given).tobytes()
    again = cloudpickle.loads(cloudpickle.dumps(scorer))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert again(given).tobytes() == expected


def test_nothing_is_leaked(path, forest):
    scorer = forest.scorer(path)
    scorer(columns(10, random.Random(0)))
    gc.collect()
    before = pa.total_allocated_bytes()
    for _ in range(50):
        scorer(columns(1000, random.Random(0)))
    gc.collect()
    assert pa.total_allocated_bytes() == before
