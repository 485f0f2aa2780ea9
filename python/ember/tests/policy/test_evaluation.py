"""The evaluation: its parts at tiny sizes, what it leaves behind, and how it ends."""

import importlib.util
import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from ember.compare.plans import Node, Query
from ember.policy import RowsError
from ember.policy.evaluation import ablation, adversarial, boundaries, missing, parity, plots
from ember.policy.evaluation.attacks.attack import Attack, Given, learn, prepare, serve, write
from ember.policy.evaluation.command import INTERRUPTED, evaluate
from ember.policy.evaluation.lanes import LaneError, Ran, on, tried
from ember.policy.evaluation.part import SIZES, Bench, Figure, Finding, Line, Part, Table
from ember.policy.evaluation.parts import PARTS
from ember.policy.evaluation.trials import hillstrom

PNG = b"\x89PNG\r\n\x1a\n"
SHARED = Path(__file__).resolve().parents[5] / "shared" / "data" / "hillstrom.csv"
HILLSTROM = Path(os.environ.get("EMBER_HILLSTROM", SHARED))
drawn = importlib.util.find_spec("matplotlib") is not None


@pytest.fixture(scope="module")
def bench(spark, tmp_path_factory):
    return Bench(spark, ("Spark",), SIZES["tiny"], tmp_path_factory.mktemp("scratch"))


@pytest.fixture(scope="module")
def given(bench):
    return Given.sound(bench)


def answered(folder, name):
    return json.loads((folder / f"{name}.json").read_text())


@pytest.fixture
def fewer(monkeypatch):
    """Keep some of what each part goes through."""
    awkward = ("both zeros", "infinite ends", "32 bits", "beyond 53 bits")
    columns = {name: boundaries._COLUMNS[name] for name in awkward}
    monkeypatch.setattr(boundaries, "_COLUMNS", columns)
    monkeypatch.setattr(missing, "_SHARES", (0, 30))
    cut = ("as it is", "columns turned around")
    perturbed = {name: parity.PERTURBATIONS[name] for name in cut}
    monkeypatch.setattr(parity, "PERTURBATIONS", perturbed)


@pytest.mark.usefixtures("fewer")
@pytest.mark.parametrize("name", ["boundaries", "missing", "parity", "ladder"])
def test_a_part_passes_at_a_tiny_size(bench, tmp_path, name):
    assert evaluate(bench, [PARTS[name]], tmp_path) == 0
    found = answered(tmp_path, name)
    assert found["passed"]
    assert found["wrong"] == []
    assert all(len(row) == len(t["columns"]) for t in found["tables"] for row in t["rows"])
    assert found["tables"][0]["rows"]


def test_the_ablation_has_24_settings(bench, tmp_path, monkeypatch):
    monkeypatch.setattr(
        ablation,
        "_rates",
        lambda _, setting, rungs: {rung: setting.rows * at for at, rung in enumerate(rungs, 1)},
    )
    assert evaluate(bench, [PARTS["ablation"]], tmp_path) == 0
    wins, settings = answered(tmp_path, "ablation")["tables"]
    assert len(settings["rows"]) == 24
    assert len({tuple(row[:3]) for row in settings["rows"]}) == 24
    assert wins["rows"][-1] == ["mapInArrow", 24, 24]


@pytest.mark.skipif(not HILLSTROM.exists(), reason="Hillstrom's file is not here")
def test_the_policy_earns_more_than_random_e_mails(bench, tmp_path):
    data = replace(bench, hillstrom=HILLSTROM, sizes=replace(bench.sizes, trees=5))
    assert evaluate(data, [PARTS["hillstrom"]], tmp_path) == 0
    found = answered(tmp_path, "hillstrom")
    visit = {(row[0], row[1]): row[2:] for row in found["tables"][0]["rows"]}
    policies = {name for name, _ in visit}
    assert {"the policy", "random arms", "always Mens E-Mail", "always No E-Mail"} <= policies
    value, low, high, beyond, beyond_low, _ = visit["the policy", "doubly robust"]
    assert low < value < high
    assert 0.1467 < value < 0.25
    assert beyond > beyond_low > 0
    assert {figure["name"] for figure in found["figures"]} == {
        "qini-visit",
        "auuc-visit",
        "qini-spend",
        "auuc-spend",
    }
    assert (tmp_path / "qini-visit.png").exists() == drawn


def test_another_file_than_hillstroms_is_refused(tmp_path):
    path = tmp_path / "hillstrom.csv"
    path.write_text("recency,segment\n1,Mens E-Mail\n")
    with pytest.raises(RowsError, match=r"hillstrom\.csv is not Hillstrom's file: its SHA-256"):
        hillstrom(path)


@pytest.mark.parametrize("attack", adversarial.ATTACKS, ids=lambda attack: attack.name)
def test_what_is_wrong_is_refused_by_name_and_nothing_is_written(bench, given, attack):
    answer, trouble = adversarial.attacked(bench, given, attack)
    assert trouble == "", answer
    assert not [path for path in (bench.scratch / "adversarial").rglob("*") if path.is_file()]


def test_there_are_many_attacks_and_each_has_words():
    assert len(adversarial.ATTACKS) >= 25
    assert len({attack.name for attack in adversarial.ATTACKS}) == len(adversarial.ATTACKS)
    assert all(attack.words for attack in adversarial.ATTACKS)


@pytest.mark.parametrize("act", [serve, write, learn, prepare], ids=lambda act: act.__name__)
def test_sound_inputs_are_taken(tmp_path, given, act):
    act(given, tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()]


def test_an_attack_that_nobody_notices_fails_the_part(bench, tmp_path, monkeypatch):
    def leave(_, out):
        (out / "scores").touch()
        raise RowsError("words")

    harmless = Attack("harmless", prepare, lambda given: given, ("words",))
    vague = Attack("vague", learn, lambda given: given.with_manifest(dict.clear), ("exact",))
    broken = Attack("broken", learn, lambda _: None, ("words",))
    messy = Attack("messy", leave, lambda given: given, ("words",))
    monkeypatch.setattr(adversarial, "ATTACKS", (harmless, vague, broken, messy))
    assert evaluate(bench, [PARTS["adversarial"]], tmp_path) == 1
    wrong = answered(tmp_path, "adversarial")["wrong"]
    starts = ["harmless: was taken", "vague: does not say exact"]
    starts += ["broken: is no error of the toolkit's", "messy: wrote scores"]
    assert [line[: len(start)] for line, start in zip(wrong, starts, strict=True)] == starts


def test_lanes_that_are_not_there_fail_the_parity_of_equal_answers(bench, tmp_path):
    lanes = replace(bench, lanes=("Spark", "embedded"))
    assert evaluate(lanes, [PARTS["parity"]], tmp_path) == 1
    (wrong,) = answered(tmp_path, "parity")["wrong"]
    assert re.fullmatch(r"LaneError: lane 'embedded': \w+ ran on Spark's own runner", wrong)


def test_spark_runs_on_its_own_lane_and_no_other_without_the_plugin(spark):
    tried(spark, "Spark")
    for lane in ("embedded", "process"):
        with pytest.raises(LaneError, match=f"lane '{lane}': MapInArrow ran on Spark's own runner"):
            tried(spark, lane)
        assert spark.conf.get("spark.ember.lane", None) is None


def test_a_lane_on_which_nothing_ran_is_not_proven(spark):
    with on(spark, "Spark") as ran:
        spark.range(3).collect()
    with pytest.raises(LaneError, match="no record of a function that ran there"):
        ran.proven()


@pytest.mark.parametrize(
    ("lane", "node", "words"),
    [
        ("embedded", Node("EmberMapInArrow", "f", in_executor=2), None),
        ("process", Node("EmberMapInArrow", "f", in_workers=2), None),
        ("Spark", Node("MapInArrow", "f"), None),
        ("embedded", Node("EmberMapInArrow", "f", in_executor=1, in_workers=3), "in worker"),
        ("process", Node("EmberMapInArrow", "f", in_executor=1), "1 sessions in the executor"),
        ("Spark", Node("EmberMapInArrow", "f", in_executor=1), "1 sessions in the executor"),
        ("embedded", Node("EmberMapInArrow", "f", on_spark=1, reasons=["Shut"]), "runner; Shut"),
        ("embedded", Node("MapInArrow", "f"), "on Spark's own runner; told"),
    ],
)
def test_sessions_elsewhere_are_told(lane, node, words):
    ran, query = Ran(lane), Query("", None, [node], ["told"])
    if words is None:
        ran.add(query)
        ran.proven()
        return
    with pytest.raises(LaneError, match=words):
        ran.add(query)


def part(name, run):
    return Part(name, f"Is {name} <right>?", run)


LINE = Line("line", [0.0, 0.5, 1.0], [0.0, 2.0, 1.0])
FIGURES = [
    Figure("curve", "A curve", "x", "y", [LINE, Line("straight", [0.0, 1.0], [0.0, 1.0])]),
    Figure("bars", "Bars", "", "y", [Line("lane", [], [1.0, 2.0])], ("one", "two")),
]
GOOD = part(
    "good", lambda _: Finding("1 < 2", [Table("t", ("a", "b"), [("<x>", 1234.5)])], FIGURES)
)


def test_the_page_stands_alone_and_tells_what_was_found(bench, tmp_path):
    bad = part("bad", lambda _: Finding("no", [], wrong=["a & b differ"]))
    assert evaluate(bench, [GOOD, bad], tmp_path) == 1
    page = (tmp_path / "evaluation.html").read_text()
    assert not re.findall(r'(?:src|href)="(?!data:|#)', page)
    for words in ("1 of 2 parts failed", "&lt;x&gt;", "1,234.5", "1 &lt; 2", "a &amp; b differ"):
        assert words in page
    assert 'name="viewport"' in page
    assert "prefers-color-scheme: dark" in page
    summary = json.loads((tmp_path / "evaluation.json").read_text())
    assert [each["passed"] for each in summary["parts"]] == [True, False]
    assert summary["setting"]["lanes"] == "Spark"


@pytest.mark.skipif(not drawn, reason="matplotlib is not installed")
def test_figures_are_drawn_for_light_pages_and_dark_ones(bench, tmp_path):
    evaluate(bench, [GOOD], tmp_path)
    files = sorted(path.name for path in tmp_path.glob("*.png"))
    assert files == ["bars-dark.png", "bars.png", "curve-dark.png", "curve.png"]
    assert all((tmp_path / name).read_bytes().startswith(PNG) for name in files)
    assert (tmp_path / "evaluation.html").read_text().count("data:image/png;base64,") == 4


def test_without_matplotlib_the_page_says_so(bench, tmp_path, monkeypatch):
    monkeypatch.setattr(plots, "there_is_matplotlib", lambda: False)
    assert evaluate(bench, [GOOD], tmp_path) == 0
    assert (
        "A curve: not drawn, for want of matplotlib" in (tmp_path / "evaluation.html").read_text()
    )


def test_a_part_that_breaks_is_told_and_the_others_run(bench, tmp_path):
    assert evaluate(bench, [part("broken", lambda _: 1 / 0), GOOD], tmp_path) == 1
    assert answered(tmp_path, "broken")["wrong"] == ["ZeroDivisionError: division by zero"]
    assert answered(tmp_path, "good")["passed"]


def test_an_interrupt_keeps_what_was_found(bench, tmp_path):
    def interrupted(_):
        raise KeyboardInterrupt

    parts = [GOOD, part("second", interrupted), part("third", lambda _: 1 / 0)]
    assert evaluate(bench, parts, tmp_path) == INTERRUPTED
    assert answered(tmp_path, "good")["passed"]
    assert not (tmp_path / "third.json").exists()
    page = (tmp_path / "evaluation.html").read_text()
    assert "It was interrupted" in page
    assert "1 &lt; 2" in page
