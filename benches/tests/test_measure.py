from suite.evidence import Node
from suite.measure import Result, Series
from suite.report import save, sound, table, verdict
from suite.workloads import WORKLOADS

FACTS = {
    "date": "today",
    "commit": "abc",
    "machine": "one",
    "slots": 1,
    "warmups": 1,
    "runs": 3,
}
EMBEDDED = Node("EmberMapInPandas", embedded=1)
VANILLA = Node("MapInPandas")


def result(ember: Series, spark: Series, **others: Series) -> Result:
    return Result(WORKLOADS["extract_fields"], {"ember": ember, "spark": spark, **others})


def series(seconds: float, node: Node = VANILLA, checksum: str = "7") -> Series:
    three = [seconds, 2 * seconds, 3 * seconds]
    return Series(10, checksum, three, three, three, [node])


def test_the_ratio_is_to_the_best_spark_leg():
    one = result(series(1, EMBEDDED), series(4), pipelined=series(3))
    assert one.best == "pipelined"
    assert one.ratio(lambda leg: leg.cpus).medians == 3
    assert sound([one])
    assert verdict([one])[0].startswith("- Ember used less CPU")


def test_where_ember_is_not_faster_is_said_plainly():
    one = result(series(4, EMBEDDED), series(1))
    assert sound([one])
    assert verdict([one])[0].startswith("- NOT FASTER: extract_fields: CPU ratio 0.25")


def test_different_answers_are_not_sound():
    one = result(series(1, EMBEDDED), series(2, checksum="8"))
    assert not one.identical
    assert not sound([one])
    assert verdict([one])[0].startswith("- DIFFERENT ANSWERS: extract_fields")


def test_an_ember_leg_that_fell_back_is_vacuous_and_says_why():
    fallen = Node("EmberMapInPandas", embedded=0, fallen_back=1, reasons=["LaneBusy"])
    one = result(series(1, fallen), series(2))
    assert one.vacuous == "ember: a run was not embedded (LaneBusy)"
    assert not sound([one])


def test_an_ember_leg_on_sparks_own_node_is_vacuous():
    assert result(series(1, VANILLA), series(2)).vacuous


def test_a_spark_leg_with_an_ember_node_is_vacuous():
    assert (
        result(series(1, EMBEDDED), series(2, EMBEDDED)).vacuous == "spark: an Ember node was there"
    )


def test_a_saved_result_holds_the_table_and_every_run(tmp_path):
    results = [result(series(1, EMBEDDED), series(2))]
    folder = save(results, FACTS, tmp_path, "try")
    assert (folder / "table.md").read_text() == table(results, FACTS)
    assert '"cpus": [' in (folder / "result.json").read_text()
    assert "2.00 (2.00 to 2.00)" in table(results, FACTS)
