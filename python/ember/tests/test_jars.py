"""Which jar is found for which Spark, and what is said where there is none."""

import sys
from pathlib import Path

import pyspark
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))
from ember import EmberError, jars


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of the package with no jars yet, outside of any checkout."""
    monkeypatch.delenv(jars.VARIABLE, raising=False)
    monkeypatch.setattr(jars, "__file__", str(tmp_path / "lib" / "py" / "site" / "ember" / "j.py"))
    folder = tmp_path / "lib" / "py" / "site" / "ember" / "plugin"
    folder.mkdir(parents=True)
    return folder


def with_jars(folder, *names):
    for name in names:
        (folder / name).touch()


def test_the_jar_of_the_installed_spark_is_found(package):
    line = ".".join(pyspark.__version__.split(".")[:2])
    with_jars(package, f"ember-spark-{line}_2.12.jar", f"ember-spark-{line}_2.13.jar")
    assert jars.jar() == package / f"ember-spark-{line}_2.13.jar"


def test_the_scala_is_that_of_the_spark_in_use(package, tmp_path, monkeypatch):
    line = ".".join(pyspark.__version__.split(".")[:2])
    monkeypatch.setenv("SPARK_HOME", str(tmp_path))
    (tmp_path / "jars").mkdir()
    with_jars(tmp_path / "jars", f"spark-core_2.12-{pyspark.__version__}.jar")
    with_jars(package, f"ember-spark-{line}_2.13.jar")
    with pytest.raises(
        EmberError, match=rf"no jar for Spark {pyspark.__version__} of Scala 2\.12;"
    ):
        jars.jar()
    with_jars(package, f"ember-spark-{line}_2.12.jar")
    assert jars.jar() == package / f"ember-spark-{line}_2.12.jar"


@pytest.mark.usefixtures("no_spark")
def test_without_a_spark_a_jar_is_found_by_its_version_alone(package, capsys):
    with_jars(package, "ember-spark-4.3_2.13.jar")
    assert jars.main([]) == 1
    (told,) = capsys.readouterr().err.splitlines()
    assert told.startswith("there is no Spark here: set SPARK_HOME")
    assert jars.jar("4.3") == package / "ember-spark-4.3_2.13.jar"


def test_a_named_version_is_pysparks_own_unless_it_names_a_scala(package):
    with_jars(package, "ember-spark-3.5_2.12.jar", "ember-spark-3.5_2.13.jar")
    assert jars.jar("3.5") == jars.jar("3.5.9_2.12") == package / "ember-spark-3.5_2.12.jar"
    assert jars.jar("3.5_2.13") == jars.jar("3.5.9_2.13") == package / "ember-spark-3.5_2.13.jar"


def test_a_version_may_be_named_in_full_or_not(package):
    with_jars(package, "ember-spark-4.1_2.13.jar", "ember-spark-4.2_2.13.jar")
    assert jars.jar("4.1") == jars.jar("4.1.3") == package / "ember-spark-4.1_2.13.jar"


def test_a_spark_without_a_jar_is_told_what_there_is(package):
    with_jars(package, "ember-spark-3.5_2.12.jar", "ember-spark-3.5_2.13.jar", "ember-spark-9.jar")
    with pytest.raises(EmberError, match=r"no jar for Spark 4\.3\.0.*3\.5 \(Scala 2\.12\), 3\.5 "):
        jars.jar("4.3.0")


def test_a_package_without_jars_says_where_they_come_from(package):
    assert package.is_dir()
    with pytest.raises(EmberError, match="pip install an ember_spark wheel"):
        jars.jar("4.3.0")


def test_a_jar_may_be_named_and_must_then_be_there(tmp_path, monkeypatch):
    monkeypatch.setenv(jars.VARIABLE, str(tmp_path / "mine.jar"))
    with pytest.raises(EmberError, match=r"mine\.jar, and there is no such file"):
        jars.jar()
    (tmp_path / "mine.jar").touch()
    assert jars.jar() == tmp_path / "mine.jar"


def test_the_command_prints_the_path_or_ends_with_1(package, capsys):
    assert jars.main(["4.3"]) == 1
    with_jars(package, "ember-spark-4.3_2.13.jar")
    assert jars.main(["4.3"]) == 0
    told = capsys.readouterr()
    assert told.out == f"{package}/ember-spark-4.3_2.13.jar\n"
    assert told.err.startswith("this copy of Ember holds no jar")
