"""What a client brings along reaches its functions, and nobody else's."""

import io
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from pyspark.sql import functions as F
from told import functions_named, soon


def asked(spark, function, kind="string"):
    """Ask twice, in two tasks: what was brought is there each time."""
    rows = [
        row[0]
        for _ in range(2)
        for row in spark.range(4).select(F.udf(function, kind)("id")).collect()
    ]
    (answer,) = set(rows)
    return answer


def ran_in_ember(spark, name):
    rows = soon(lambda: functions_named(spark, name))
    assert sum(row.sessions_in_executor + row.sessions_in_workers for row in rows) > 0, rows
    assert not any(row.sessions_on_spark for row in rows), rows
    return True


def test_a_package_in_a_zip_is_imported(both, tmp_path):
    archive = tmp_path / "brought.zip"
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("brought/__init__.py", "from brought.inner import NAME\n")
        made.writestr("brought/inner.py", "NAME = 'inner'\n")

    def name_of_the_package(_):
        import brought  # the client's own

        return brought.NAME

    for spark in both:
        spark.addArtifact(str(archive), pyfile=True)
        assert asked(spark, name_of_the_package) == "inner"
    assert ran_in_ember(both[0], "name_of_the_package")


def test_a_file_is_found_where_spark_says(both, tmp_path):
    (tmp_path / "words.txt").write_text("brought along")

    def words_of_the_file(_):
        from pyspark import SparkFiles

        return Path(SparkFiles.get("words.txt")).read_text()

    for spark in both:
        spark.addArtifact(str(tmp_path / "words.txt"), file=True)
        assert asked(spark, words_of_the_file) == "brought along"
    assert ran_in_ember(both[0], "words_of_the_file")


def test_an_archive_is_unpacked_under_its_name(both, tmp_path):
    with tarfile.open(tmp_path / "data.tar.gz", "w:gz") as made:
        words = b"packed"
        entry = tarfile.TarInfo("inner/words.txt")
        entry.size = len(words)
        made.addfile(entry, io.BytesIO(words))

    def words_of_the_archive(_):
        from pyspark import SparkFiles

        return Path(SparkFiles.getRootDirectory(), "data", "inner", "words.txt").read_text()

    for spark in both:
        spark.addArtifact(f"{tmp_path / 'data.tar.gz'}#data", archive=True)
        assert asked(spark, words_of_the_archive) == "packed"
    assert ran_in_ember(both[0], "words_of_the_archive")


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """A virtual environment as an archive, with a module of its own beside this one's packages."""
    folder = tmp_path_factory.mktemp("environment")
    prefix = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(prefix)], check=True)
    (site,) = prefix.glob("lib/python3.*/site-packages")
    (site / "borrowed.pth").write_text(f"{Path(pytest.__file__).parents[1]}\n")
    (site / "only_in_the_environment.py").write_text("NAME = 'of the environment'\n")
    with tarfile.open(folder / "environment.tar.gz", "w:gz") as made:
        made.add(prefix, arcname=".")
    return folder / "environment.tar.gz"


def test_an_environment_in_an_archive_is_the_python_of_its_session(both, plain, environment):
    def python_and_module(_):
        import only_in_the_environment as own

        return f"{own.NAME} {Path(sys.prefix).name}"

    for spark in both:
        spark.addArtifact(f"{environment}#environment", archive=True)
        spark.conf.set("spark.sql.execution.pyspark.python", "environment/bin/python")
    found, alone = (asked(spark, python_and_module) for spark in both)
    assert found == alone == "of the environment environment"
    assert ran_in_ember(both[0], "python_and_module")
    other = plain.session()
    try:
        with pytest.raises(Exception, match="only_in_the_environment"):
            asked(other, python_and_module)
    finally:
        other.stop()


def test_an_environment_of_one_session_is_not_seen_in_another(ember, client, environment):
    client.addArtifact(f"{environment}#environment", archive=True)
    client.conf.set("spark.sql.execution.pyspark.python", "environment/bin/python")
    other = ember.session()

    def prefix_of_python(_):
        return Path(sys.prefix).name

    try:
        assert asked(client, prefix_of_python) == "environment"
        assert asked(other, prefix_of_python) == Path(sys.prefix).name
        assert asked(client, prefix_of_python) == "environment"
    finally:
        other.stop()


def test_what_forks_in_an_environment_goes_with_the_session_that_brought_it(ember, environment):
    before, spark = ember.zygotes(), ember.session()
    try:
        spark.addArtifact(f"{environment}#environment", archive=True)
        spark.conf.set("spark.sql.execution.pyspark.python", "environment/bin/python")
        assert asked(spark, lambda _: Path(sys.prefix).name) == "environment"
        (own,) = ember.zygotes() - before
    finally:
        spark.stop()
    assert soon(lambda: own not in ember.zygotes())
