"""What the report says of two runs."""

import json

import pytest
from skips import Skip, read, written
from verdict import Verdict


def result(path, **modules):
    """A result file of the runner's."""
    suites = {
        module: {"tests": {name: {"outcome": outcome} for name, outcome in tests.items()}}
        for module, tests in modules.items()
    }
    path.write_text(json.dumps({"suites": suites}))
    return path


@pytest.fixture
def judge(tmp_path):
    """Judges two runs, given as modules of tests."""

    def judged(alone, with_it, ran=(), fallen=(), known=()):
        vanilla = result(tmp_path / "vanilla.json", **alone)
        ember = result(tmp_path / "ember.json", **with_it)
        return [*Verdict(vanilla, ember, set(ran), set(fallen)).lines(list(known))]

    return judged


def test_a_test_that_passes_on_spark_alone_only_has_failed(judge):
    lines = judge({"m": {"a": "passed", "b": "passed"}}, {"m": {"a": "passed", "b": "failed"}})
    assert lines[-1] == "1 passed, 1 failed"


def test_a_test_that_fails_on_spark_alone_is_not_counted(judge):
    lines = judge({"m": {"a": "error", "b": "passed"}}, {"m": {"a": "failed", "b": "passed"}})
    assert lines[-1] == "1 passed, 0 failed"


def test_a_known_deviation_is_counted_apart(judge):
    known = [Skip("m.*.crash", "it ends the JVM")]
    ran = {"m": {"m.C.crash": "crash", "m.C.fine": "passed"}}
    lines = judge({"m": dict.fromkeys(ran["m"], "passed")}, ran, known=known)
    assert lines[-1] == "1 passed, 0 failed"
    assert "1 deviate as skips.toml says" in lines


def test_a_deviation_that_went_away_is_said(judge):
    tests = {"m": {"m.a": "passed"}}
    lines = judge(tests, tests, known=[Skip("m.a", "was broken"), Skip("other.*", "not asked")])
    assert "no longer needed in skips.toml: m.a" in lines
    assert not any("other" in line for line in lines)


def test_each_module_says_in_how_many_tests_something_ran_embedded(judge):
    tests = {"m": {"a": "passed", "b": "passed"}, "n": {"c": "passed"}}
    lines = judge(tests, tests, ran={"a"}, fallen={"c"})
    assert "     1 of    2  m" in lines
    assert "     0 of    1  n" in lines
    assert "something ran embedded in 1 of 3 passed tests;" in lines


def test_a_run_without_anything_embedded_is_said_to_prove_nothing(judge):
    tests = {"m": {"a": "passed"}}
    assert "no test ran embedded: its passes prove nothing" in judge(tests, tests)


def test_a_deviation_without_a_reason_is_refused(tmp_path):
    path = tmp_path / "skips.toml"
    path.write_text('[[skip]]\ntests = "m.a"\nreason = " "\n')
    with pytest.raises(AssertionError, match="no reason"):
        read(path)


def test_deviations_are_written_as_the_runner_reads_them(tmp_path):
    path = tmp_path / "skips.toml"
    path.write_text('[[skip]]\ntests = "m.*"\nreason = "because"\n')
    assert written(read(path), tmp_path / "globs").read_text() == "m.*\n"
