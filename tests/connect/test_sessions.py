"""What one client's session does is never seen in another's."""

import ctypes
import os
import threading
import time

import pandas as pd
import pytest
from pyspark.sql import functions as F
from told import running_in, soon


@pytest.fixture
def sessions(ember):
    """Two whose functions run in Ember: Spark alone keeps sessions apart, too."""
    two = ember.session(), ember.session()
    with running_in("workers", two[0]):
        yield two
    for one in two:
        one.stop()


def answers(spark, function, kind="string"):
    """Ask twice, in two tasks: what stays must be the session's own."""
    asked = F.udf(function, kind)
    return {row[0] for _ in range(2) for row in spark.range(4).select(asked("id")).collect()}


def test_modules_of_the_same_name_are_each_sessions_own(sessions, tmp_path):
    def told(_):
        import flavour  # the client's own module

        return flavour.NAME

    for name, spark in zip(("one", "two"), sessions, strict=True):
        module = tmp_path / name / "flavour.py"
        module.parent.mkdir()
        module.write_text(f"NAME = {name!r}\n")
        spark.addArtifact(str(module), pyfile=True)
    for _ in range(2):
        for name, spark in zip(("one", "two"), sessions, strict=True):
            assert answers(spark, told) == {name}


def test_variables_folders_and_patches_of_a_session_stay_its_own(sessions):
    def leave(x):
        os.environ["EMBER_TEST_LEFT"] = "left"
        os.chdir("/")
        pd.DataFrame.left_behind = True
        return x

    def found(_):
        variable, patched = os.environ.get("EMBER_TEST_LEFT"), hasattr(pd.DataFrame, "left_behind")
        return f"{variable} {os.getcwd() == '/'} {patched}"

    one, two = sessions
    assert answers(one, leave, "long") == {0, 1, 2, 3}
    assert answers(two, found) == {"None False False"}


@pytest.mark.parametrize("how", ["exit", "null pointer"])
def test_a_session_that_crashes_a_worker_disturbs_no_other(sessions, tmp_path, how):
    one, two = sessions

    def ends(_):
        if how == "exit":
            os._exit(3)
        ctypes.string_at(0)

    begun, go, found = tmp_path / "begun", tmp_path / "go", []

    def waits(x):
        begun.touch()
        while not go.exists():
            time.sleep(0.02)
        return x + 1

    def collect():
        frame = two.range(0, 4, 1, 1).select(F.udf(waits, "long")("id"))
        found.extend(row[0] for row in frame.collect())

    asking = threading.Thread(target=collect)
    asking.start()
    assert soon(begun.exists)
    with pytest.raises(Exception, match="ends"):
        one.range(1).select(F.udf(ends, "long")("id")).collect()
    go.touch()
    asking.join(60)
    assert found == [1, 2, 3, 4]
    assert answers(two, lambda x: x + 1, "long") == {1, 2, 3, 4}
    assert answers(one, lambda x: x + 1, "long") == {1, 2, 3, 4}
