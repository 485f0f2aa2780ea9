"""What is a manifest, and what is refused and why."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ember.policy import Categorical, Manifest, ManifestError, Numeric, Outcome, Treatment, read

MANIFEST = Manifest(
    rows=3,
    features=(Numeric("age", (0.1, 0.5, 40.0)), Categorical("zip", ("Rural", "Ümlaut"), "error")),
    treatment=Treatment("segment", ("none", "mens"), "none"),
    outcome=Outcome("spend", 2),
    libraries={"python": "3.11.7"},
)


def changed(path, value):
    """Return the document with another value at a place."""
    document = MANIFEST.document()
    *above, last = path
    part = document
    for step in above:
        part = part[step]
    part[last] = value
    return json.dumps(document)


def test_the_canonical_form_reads_back_as_the_same():
    assert read(MANIFEST.canonical()) == MANIFEST
    assert read(MANIFEST.canonical()).digest() == MANIFEST.digest()


def test_the_canonical_form_does_not_depend_on_how_it_was_written():
    shuffled = dict(reversed(MANIFEST.document().items()))
    assert read(json.dumps(shuffled, indent=3)).canonical() == MANIFEST.canonical()
    assert '"Ümlaut"' in MANIFEST.canonical()


def test_one_zero_stands_for_both():
    assert Numeric("a", (-0.0,)) == Numeric("a", (0.0,))
    text = changed(["features", 0, "boundaries"], [-0.0])
    assert json.loads(read(text).canonical())["features"][0]["boundaries"] == [0.0]
    assert "-0.0" not in read(text).canonical()


numbers = some.floats(allow_nan=False, allow_infinity=False)


@given(some.lists(numbers, unique=True, max_size=9), some.lists(some.text(), unique=True))
def test_any_manifest_reads_back_as_the_same(boundaries, categories):
    boundaries = tuple(sorted({each + 0.0 for each in boundaries}))
    features = (Numeric("age", boundaries), Categorical("zip", tuple(categories)))
    one = replace(MANIFEST, features=features)
    assert read(one.canonical()) == one


@pytest.mark.parametrize(
    ("path", "value", "where", "words"),
    [
        (["version"], 2, "version", "1 was expected"),
        (["rows"], -1, "rows", "-1 is less than the minimum of 0"),
        (["rows"], "3", "rows", "'3' is not of type 'integer'"),
        (["more"], 1, "", "'more' was unexpected"),
        (["features"], [], "features", "[] should be non-empty"),
        (["features", 0, "boundaries", 1], 0.1, "features[0].boundaries[1]", "does not exceed"),
        (
            ["features", 0, "boundaries", 1],
            "x",
            "features[0].boundaries[1]",
            "not of type 'number'",
        ),
        (
            ["features", 0, "boundaries", 2],
            10**400,
            "features[0].boundaries[2]",
            "greater than the max",
        ),
        (["features", 0, "missing"], "left", "features[0].missing", "'left' is not one of"),
        (["features", 1, "name"], "AGE", "the columns", "'AGE' comes twice"),
        (["features", 1, "name"], "segment", "the columns", "'segment' comes twice"),
        (["features", 1, "categories"], ["a", "a"], "features[1].categories", "non-unique"),
        (["treatment", "arms"], ["none"], "treatment.arms", "too short"),
        (["treatment", "control"], "women", "treatment.control", "'women' is none of the arms"),
        (["outcome", "digits"], 10, "outcome.digits", "10 is greater than the maximum of 9"),
        (["libraries", "numpy"], 2, "libraries.numpy", "2 is not of type 'string'"),
    ],
)
def test_what_is_no_manifest_is_refused_by_its_place(path, value, where, words):
    with pytest.raises(ManifestError) as refused:
        read(changed(path, value))
    assert refused.value.where.startswith(where)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is no JSON"),
        ("{", "is no JSON"),
        ("[]", "[] is not of type 'object'"),
        ('{"rows": 1, "rows": 2}', "rows: the key comes twice"),
        ('{"rows": NaN}', "NaN is no number of JSON"),
        ('{"rows": -Infinity}', "-Infinity is no number of JSON"),
        ("{}", "'version' is a required property"),
    ],
)
def test_text_that_is_no_manifest_is_refused(text, words):
    with pytest.raises(ManifestError) as refused:
        read(text)
    assert words in str(refused.value)


def test_boundaries_made_in_python_are_checked_too():
    for wrong in ((float("nan"),), (float("inf"),), (1.0, 1.0), (2.0, 1.0), (0.0, -0.0)):
        with pytest.raises(ManifestError):
            replace(MANIFEST, features=(Numeric("age", wrong),))
