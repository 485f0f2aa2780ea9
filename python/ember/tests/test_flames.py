"""Flame graphs: what they are made of, and what is said where there can be none."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))
import ember
from ember import flames

STACKS = {
    "stage 1.0;a.B.c;work (app.py:3)": 0.25,
    "stage 1.0;a.B.c": 0.5,
    "stage 2.0;a.B.d": 0.001,
}


def test_folded_stacks_are_lines_of_frames_and_microseconds():
    assert flames.folded(STACKS).splitlines() == [
        "stage 1.0;a.B.c 500000",
        "stage 1.0;a.B.c;work (app.py:3) 250000",
        "stage 2.0;a.B.d 1000",
    ]


def test_a_frame_has_its_own_time_and_that_of_what_it_called():
    assert flames.merged(STACKS) == [
        (-1, "all tasks", 751.0),
        (0, "stage 1.0", 750.0),
        (1, "a.B.c", 750.0),
        (2, "work (app.py:3)", 250.0),
        (0, "stage 2.0", 1.0),
        (4, "a.B.d", 1.0),
    ]


def test_stacks_may_be_deeper_than_python_recurses(tmp_path):
    stack = ";".join(["again (app.py:1)"] * 5000)
    path = tmp_path / "graph.html"
    flames.drawing(path)({stack: 1.0})
    assert frames_of(path.read_text())[-1] == [4999, "again (app.py:1)", 1000.0]


def frames_of(page):
    (data,) = re.findall(r'<script type="application/json" id="stacks">(.*?)</script>', page)
    return json.loads(data)


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "graph.html"
    flames.drawing(path)({**STACKS, "stage 1.0;</script><b> (<string>:1)": 1.0})
    return path.read_text()


def test_a_page_has_its_stacks_in_it(page):
    frames = frames_of(page)
    assert frames[0] == [-1, "all tasks", 1751.0]
    assert "</script><b> (<string>:1)" in [name for _, name, _ in frames]


def test_a_page_asks_for_nothing_from_elsewhere(page):
    assert not re.findall(r"<(?:script|link|img|iframe)[^>]*\b(?:src|href)\s*=", page)
    assert "@import" not in page
    assert "{d3" not in page
    assert page.count("</script>") == page.count("<script") == 4


@pytest.mark.parametrize("name", ["graph", "graph.svg", "graph.html.gz"])
def test_a_path_says_what_is_drawn(name, tmp_path):
    with pytest.raises(ember.EmberError, match=r"neither \.html"):
        flames.drawing(tmp_path / name)


@pytest.mark.parametrize("name", ["no/graph.folded", "file/graph.html", "folder.folded"])
def test_a_path_that_cannot_be_written_is_told_of_at_once(name, tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "folder.folded").mkdir()
    with pytest.raises(ember.EmberError, match=r"cannot be written|name a file"):
        flames.drawing(tmp_path / name)


def test_a_path_is_where_it_was_when_the_block_began(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    draw = flames.drawing(Path("graph.folded"))
    monkeypatch.chdir("/")
    draw(STACKS)
    assert (tmp_path / "graph.folded").read_text() == flames.folded(STACKS)


@pytest.mark.usefixtures("no_spark")
def test_a_client_without_a_spark_is_told_what_it_can_have(tmp_path):
    with pytest.raises(ember.EmberError, match=r"\.folded"):
        flames.drawing(tmp_path / "graph.html")
    assert callable(flames.drawing(tmp_path / "graph.folded"))


def test_a_spark_without_its_pages_is_told_of_at_once(tmp_path, monkeypatch):
    monkeypatch.setenv("SPARK_HOME", str(tmp_path))
    with pytest.raises(ember.EmberError, match=r"\.folded"):
        flames.drawing(tmp_path / "graph.html")
    assert callable(flames.drawing(tmp_path / "graph.folded"))


def test_a_session_without_ember_is_told_what_to_do(tmp_path):
    program = """
import ember
from pyspark.sql import SparkSession

builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
try:
    with ember.flamegraph(builder.getOrCreate(), "graph.html"):
        print("it has begun")
except ember.EmberError as error:
    print(error)
"""
    source = str(Path(ember.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": source},
        cwd=tmp_path,
        text=True,
        capture_output=True,
        check=True,
    )
    assert done.stdout.startswith("this session is without Ember")
    assert "ember.session()" in done.stdout
    assert not (tmp_path / "graph.html").exists()
