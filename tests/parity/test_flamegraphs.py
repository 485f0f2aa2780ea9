"""What ``ember.flamegraph`` shows: Python's frames below those of the task that waits for them."""

import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest
from parity.legs import ENABLED
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import arrow_udf

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python" / "ember" / "src"))
import ember

ADVANCE = "dev.ember.session.EmbeddedSession.advance"
LANES = ("embedded", "process")
SECONDS = 0.5


def spin_for_a_while(value):
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        value = value + 0
    return value


def spin_over_an_array(values: pa.Array) -> pa.Array:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        pass
    return values


@pytest.fixture(autouse=True)
def needs_plugin(plugin):
    if not plugin:
        pytest.skip("asks what the plugin does; there is none with --spark-only")


@pytest.fixture
def drawn(spark, parity_legs, tmp_path):
    """Runs a query on a lane and gives its stacks, each a list of frames, with their seconds."""

    def draw(make, lane, **conf):
        with parity_legs.conf({"spark.ember.lane": lane, **conf}):
            frame = make(spark)
            with ember.flamegraph(spark, tmp_path / "graph.folded", milliseconds=5) as samples:
                frame.collect()
        return [(stack.split(";"), seconds) for stack, seconds in samples.stacks.items()]

    return draw


def busy_rows(spark):
    return spark.range(0, 1, 1, 1).select(F.udf(spin_for_a_while, "bigint")("id"))


def is_sampling(spark):
    threads = spark._jvm.java.lang.Thread.getAllStackTraces().keySet()
    return "ember-sampler" in threads.toString()


@pytest.mark.parametrize("where", LANES)
def test_a_busy_function_stands_below_its_task(where, drawn):
    stacks = drawn(busy_rows, where)
    found = [(frames, seconds) for frames, seconds in stacks if "spin_for_a_while (" in frames[-1]]
    assert 0.5 * SECONDS < sum(seconds for _, seconds in found) < 2 * SECONDS
    for frames, _ in found:
        assert frames[0].startswith("stage ")
        assert any(".Executor$TaskRunner.run" in frame for frame in frames)
        assert frames.index(ADVANCE) < len(frames) - 1
        below = frames[frames.index(ADVANCE) + 1 :]
        assert all(frame.endswith(")") for frame in below), below
        assert any("invoke_udf (worker.py:" in frame for frame in below)


@pytest.mark.parametrize("where", LANES)
def test_what_python_explains_is_not_told_as_waiting_too(where, drawn):
    stacks = drawn(busy_rows, where)
    waiting = sum(seconds for frames, seconds in stacks if "NativeApi.next" in frames[-1])
    in_python = sum(seconds for frames, seconds in stacks if frames[-1].endswith(")"))
    assert in_python > 0.5 * SECONDS
    assert waiting < in_python


def test_functions_over_one_another_stand_at_their_own_depth(drawn):
    def chained(spark):
        below = busy_rows(spark).toDF("n")
        return below.select(arrow_udf(spin_over_an_array, "bigint")("n"))

    stacks = drawn(chained, "embedded")
    depths = {
        name: {frames.count(ADVANCE) for frames, _ in stacks if name in frames[-1]}
        for name in ("spin_for_a_while (", "spin_over_an_array (")
    }
    assert depths == {"spin_for_a_while (": {2}, "spin_over_an_array (": {1}}


def test_sparks_own_worker_leaves_java_alone_in_the_picture(drawn):
    stacks = drawn(busy_rows, "embedded", **{ENABLED: "false"})
    assert sum(seconds for _, seconds in stacks) > 0.5 * SECONDS
    assert not [frames for frames, _ in stacks if frames[-1].endswith(")")]


def test_sampling_stops_and_leaves_nothing(spark, tmp_path):
    with ember.flamegraph(spark, tmp_path / "graph.html") as samples:
        busy_rows(spark).collect()
        assert is_sampling(spark)
    assert not is_sampling(spark)
    assert "spin_for_a_while (" in samples.path.read_text()
    folder = spark._jvm.java.lang.System.getProperty("java.io.tmpdir")
    assert not list(Path(folder).glob("ember-samples*"))


def test_a_block_that_fails_is_drawn_and_ends_the_sampling(spark, tmp_path):
    def fails():
        with ember.flamegraph(spark, tmp_path / "graph.folded"):
            busy_rows(spark).collect()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert not is_sampling(spark)
    assert "spin_for_a_while (" in (tmp_path / "graph.folded").read_text()


def test_two_cannot_draw_at_once(spark, tmp_path):
    with (
        ember.flamegraph(spark, tmp_path / "one.folded"),
        pytest.raises(ember.EmberError, match="already"),
        ember.flamegraph(spark, tmp_path / "other.folded"),
    ):
        pytest.fail("the second has begun")


@pytest.mark.parametrize("milliseconds", [0, 1001])
def test_an_interval_has_bounds(milliseconds, spark, tmp_path):
    drawing = ember.flamegraph(spark, tmp_path / "graph.folded", milliseconds=milliseconds)
    with pytest.raises(ember.EmberError, match="1 to 1000"), drawing:
        pytest.fail("it has begun")


def test_tasks_at_once_are_seen_each(drawn):
    def two(spark):
        return spark.range(0, 2, 1, 2).select(F.udf(spin_for_a_while, "bigint")("id"))

    stacks = drawn(two, "process")
    seconds = sum(each for frames, each in stacks if "spin_for_a_while (" in frames[-1])
    assert seconds > SECONDS
