"""What of two runs is the same, and how what is not is shown; without Spark."""

import io
import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyspark.sql import Row

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))
from ember.compare import answers, command, page, picture, plans, runs
from ember.compare.answers import Action
from ember.compare.differences import DIFFERENT, SAME, SILENT, UNSTABLE, judge
from ember.compare.plans import Node, Query
from ember.compare.runs import EMBER, SPARK, Application, Run
from ember.progress import Progress


def run(leg, *actions, **told):
    return Run(leg, 10.0, 1 << 30, 0, "x.log", contexts=1, actions=list(actions), **told)


def collect(*rows, seconds=1.0):
    return Action("collect", "app.py:1", seconds, answers.of_rows(rows))


def verdicts(spark, ember):
    return [each.verdict for each in judge(spark, ember)]


def test_rows_are_compared_in_any_order_and_as_often_as_they_come():
    assert answers.of_rows([1, 2, 2]) == answers.of_rows([2, 1, 2])
    assert answers.of_rows([1, 2, 2]).digest != answers.of_rows([1, 1, 2]).digest


def test_types_names_and_nulls_make_a_difference_and_nan_does_not():
    assert answers.canonical(Row(a=1)) == "(a=1)"
    assert answers.canonical(Row(a=1)) != answers.canonical(Row(b=1))
    assert answers.canonical(1) != answers.canonical(1.0)
    assert answers.canonical(None) != answers.canonical("None")
    assert answers.canonical(math.nan) == answers.canonical(float("nan"))
    assert answers.canonical({"b": [1], "a": None}) == answers.canonical({"a": None, "b": [1]})


def test_arrays_differ_in_every_digit_and_every_element():
    array = np.array([0.123456789012, 1.0])
    assert answers.canonical(array) == answers.canonical(array.copy())
    assert answers.canonical(array) != answers.canonical(np.array([0.123456789999, 1.0]))
    assert answers.canonical(array) != answers.canonical(array.astype("float32"))
    long = np.arange(2000)
    other = long.copy()
    other[1000] = -5
    assert answers.canonical([long]) != answers.canonical([other])


def test_frames_differ_by_their_types_too():
    longs = pd.DataFrame({"x": [1, 2]})
    assert answers.of_pandas(longs) == answers.of_pandas(longs[::-1])
    assert answers.of_pandas(longs) != answers.of_pandas(longs.astype("int32"))
    table = pa.table({"x": [1, 2]})
    assert answers.of_arrow(table) != answers.of_arrow(table.cast(pa.schema([("x", pa.int32())])))


def test_few_rows_are_kept_and_many_are_only_summed_up():
    assert answers.of_rows(range(answers.KEPT_ROWS)).kept is not None
    assert answers.of_rows(range(answers.KEPT_ROWS + 1)).kept is None
    assert len(answers.of_rows(["x" * 5000]).kept[0]) < 400


def test_actions_go_through_json():
    action = collect(Row(a=1))
    assert Action.from_json(action.to_json()) == action
    failed = Action("count", "app.py:2", 1.0, error="PythonException: X")
    assert Action.from_json(failed.to_json()) == failed


def test_equal_answers_are_the_same_and_others_are_shown_by_rows():
    spark, ember = [run(SPARK, collect(1, 2))], [run(EMBER, collect(1, 3))]
    assert verdicts(spark, spark) == [SAME]
    (judged,) = judge(spark, ember)
    assert judged.verdict == DIFFERENT
    assert judged.words[-2:] == ["  - 2", "  + 3"]


def test_what_spark_alone_does_not_repeat_is_not_judged():
    spark = [run(SPARK, collect(1)), run(SPARK, collect(2))]
    assert verdicts(spark, [run(EMBER, collect(3)), run(EMBER, collect(4))]) == [UNSTABLE]


def test_an_answer_that_ember_does_not_repeat_is_different():
    spark = [run(SPARK, collect(1)), run(SPARK, collect(1))]
    assert verdicts(spark, [run(EMBER, collect(1)), run(EMBER, collect(2))]) == [DIFFERENT]


def test_errors_must_be_the_same_and_what_has_no_answer_is_only_timed():
    def failed(words):
        return Action("count", "app.py:2", error=words)

    assert verdicts([run(SPARK, failed("A"))], [run(EMBER, failed("A"))]) == [SAME]
    assert verdicts([run(SPARK, failed("A"))], [run(EMBER, failed("B"))]) == [DIFFERENT]
    silent = Action("foreach", "app.py:3")
    assert verdicts([run(SPARK, silent)], [run(EMBER, silent)]) == [SILENT]


def test_an_application_that_stops_early_differs_from_there_on():
    judged = judge([run(SPARK, collect(1), collect(2))], [run(EMBER, collect(1))])
    assert [each.verdict for each in judged] == [SAME, DIFFERENT]
    assert judged[1].words[1] == "+ the application did not come this far"


@pytest.mark.parametrize(
    ("description", "names"),
    [
        ("ArrowEvalPython [f(id#0L)#2L, <lambda>(f(id#0L)#3L)#4], [p#5], 101", "f, <lambda>"),
        ("ArrowEvalPython [f((cast(id#0L as int) + 1))#2L], [p#5L], 101", "f"),
        ("EmberMapInArrow every_other(n#1L, text#2)#3, [n#4L], 207", "every_other"),
        ("FlatMapGroupsInPandas [k#1], centred(k#1, n#2)#3, [k#4]", "centred"),
        ("BatchScan words[a#1]", ""),
    ],
)
def test_functions_are_named_from_a_node_s_description(description, names):
    assert plans.functions_of(description) == names


@pytest.mark.parametrize(
    ("shown", "seconds"),
    [
        ("12 ms", 0.012),
        (
            "total (min, med, max (stageId: taskId))\n1.5 s (0 ms, 1 ms, 2 ms (stage 1.0: task 2))",
            1.5,
        ),
        ("2.0 m", 120.0),
        ("1,250.0 h", 4_500_000.0),
        ("n/a", None),
    ],
)
def test_times_are_read_as_spark_shows_them(shown, seconds):
    assert plans.seconds_of(shown) == (None if seconds is None else pytest.approx(seconds))


def test_the_page_has_times_answers_functions_and_reasons():
    node = Node("ArrowEvalPython", "f", 2.0)
    mine = Node("EmberArrowEvalPython", "f", 0.5, in_executor=3, on_spark=1, reasons=["LaneBusy"])
    stays = ["ProfilerOn: a profiler is set"]
    spark = [run(SPARK, collect(1, seconds=4.0), queries=[Query("q", 4.0, [node])])]
    ember = [run(EMBER, collect(2, seconds=2.0), queries=[Query("q", 2.0, [mine], stays)])]
    text = "\n".join(page.lines(spark, ember, judge(spark, ember)))
    assert "in its actions, s" in text
    assert "answers: 0 of 1 that can be compared are the same" in text
    assert "1. collect at app.py:1 is DIFFERENT" in text
    (row,) = [line.split() for line in text.splitlines() if line.startswith("  f ")]
    assert row == ["f", "2.00", "0.50", "3", "0", "1", "LaneBusy"]
    assert "  ProfilerOn: a profiler is set" in text


def test_the_picture_is_a_png(tmp_path):
    path = tmp_path / "c.png"
    runs = [run(SPARK, collect(1)), run(EMBER, collect(1)), run(SPARK), run(EMBER)]
    assert picture.draw(path, runs) == str(path)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_there_are_words_in_the_place_of_a_picture(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert "pip install matplotlib" in picture.draw(tmp_path / "c.png", [])


@pytest.fixture
def compared(tmp_path, monkeypatch):
    """Have the command find two runs whose answers differ; give the file of figures."""
    found = [run(SPARK, collect("\u2191")), run(EMBER, collect("\u2193"))]
    monkeypatch.setattr(command, "_alternate", lambda *_: (found, False))
    return tmp_path / "comparison.json"


def test_a_page_is_printed_on_any_terminal(compared, monkeypatch):
    out = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    monkeypatch.setattr(sys, "stdout", out)
    assert command.main(["--out", str(compared.parent), __file__]) == 1
    text = out.buffer.getvalue().decode("latin-1")
    assert r"- '\u2191'" in text
    assert text.endswith(f"picture: {compared.parent}/comparison.png\n")


def test_figures_stay_though_nobody_reads_the_page(compared, monkeypatch):
    reads, writes = os.pipe()
    os.close(reads)
    with os.fdopen(writes, "w") as out:
        monkeypatch.setattr(sys, "stdout", out)
        assert command.main(["--out", str(compared.parent), __file__]) == 1
    assert len(json.loads(compared.read_text())["runs"]) == 2


def test_a_page_is_printed_though_its_figures_cannot_be_kept(compared, capsys):
    compared.mkdir()
    with pytest.raises(IsADirectoryError):
        command.main(["--out", str(compared.parent), __file__])
    assert "answers: 0 of 1 that can be compared are the same" in capsys.readouterr().out


def test_an_application_may_change_its_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    monkeypatch.chdir(tmp_path)
    Path("app.py").write_text("import os\nos.mkdir('elsewhere')\nos.chdir('elsewhere')\n")
    Path("out").mkdir()
    application = Application(("app.py",), {}, answers=True, folder=Path("out"))
    assert runs.run(application, SPARK, 1, lambda _: None).status == 0
    assert json.loads(Path("out", "run-1-spark.json").read_text())["contexts"] == 0


def test_a_folder_that_cannot_be_made_is_told_before_anything_runs(capsys, tmp_path):
    (tmp_path / "file").touch()
    for folder in ("file", "file/below"):
        with pytest.raises(SystemExit, match="2"):
            command.main(["--out", str(tmp_path / folder), __file__])
    assert capsys.readouterr().err.count("no folder can be made there") == 2


def test_wrong_arguments_are_told_before_anything_runs(tmp_path):
    for words in (["/no/such.py"], ["--runs", "0", __file__], ["--conf", "spark", __file__]):
        with pytest.raises(SystemExit, match="2"):
            command.main(["--out", str(tmp_path), *words])


@pytest.mark.parametrize(
    ("name", "value"), [("SPARK_REMOTE", "sc://host"), ("SPARK_API_MODE", "connect")]
)
def test_a_client_of_connect_is_not_compared(name, value, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match="2"):
        command.main(["--out", str(tmp_path), __file__])
    assert "functions of Spark Connect run in its server" in capsys.readouterr().err


def test_steps_are_lines_and_count_only_on_a_terminal():
    out = io.StringIO()
    progress = Progress(out)
    progress.begin("run 1")
    progress.tick(3.0)
    progress.end("4 s")
    assert out.getvalue() == "run 1: 4 s\n"


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGHUP], ids=str)
def test_an_application_ends_with_the_command_that_runs_it(end, tmp_path):
    started = tmp_path / "started"
    application = tmp_path / "app.py"
    application.write_text(
        f"import os, pathlib, time\npathlib.Path({str(started)!r}).write_text(str(os.getpid()))\n"
        "time.sleep(600)\n"
    )
    path = os.pathsep.join([str(Path(answers.__file__).parents[2]), *sys.path])
    command_line = [sys.executable, "-m", "ember.compare", "--out", tmp_path / "out", application]
    compared = subprocess.Popen(
        command_line, env=os.environ | {"PYTHONPATH": path}, stderr=subprocess.DEVNULL
    )
    try:
        wait_until(lambda: started.is_file() and started.read_text())
        child = int(started.read_text())
        compared.send_signal(end)
        assert compared.wait(timeout=60) == 130
        assert not Path(f"/proc/{child}").exists()
    finally:
        compared.kill()


def wait_until(is_so):
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)
