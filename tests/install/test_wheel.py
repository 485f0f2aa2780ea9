"""The wheel as a user has it: built, installed into an environment of its own, run, taken off."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import history
import making
import pytest

import pairs

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
LIMIT_S = 180
JARS = {version: f"{name}.jar" for version, name in pairs.jars().items()}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built by its own backend from this checkout and the jar in ``dist``."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--no-deps", "--no-build-isolation", "--wheel-dir", str(folder)]
    pip(sys.executable, "wheel", *options, str(REPOSITORY / "python" / "ember"))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The Python of a new environment that has the wheel, and sees the PySpark of this one."""
    return beside(sysconfig.get_path("purelib"), wheel, tmp_path_factory.mktemp("environment"))


def beside(spark, wheel, folder):
    """The Python of a new environment that has the wheel, and sees the packages of another."""
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    (packages,) = folder.glob("lib/python3.*/site-packages")
    (packages / "spark.pth").write_text(f"{spark}\n")
    pip(python, "install", "--no-index", "--no-deps", str(wheel))
    return python


def pip(python, *words):
    """Run the pip of this environment for another one, with no index to ask."""
    command = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    done = subprocess.run(
        [*command, *words], capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def run(python, folder, *words):
    """Run a command of an environment, in a folder that is no checkout and with nothing around."""
    kept = {key: os.environ[key] for key in ("HOME", "LANG", "JAVA_HOME") if key in os.environ}
    environment = kept | {
        "PATH": f"{Path(python).parent}:/usr/bin:/bin",
        "PYSPARK_PYTHON": str(python),
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    return subprocess.run(
        [str(python), *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def test_the_wheel_says_what_machines_it_is_for_and_holds_what_it_needs(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert wheel.name.startswith("ember_spark-")
    assert "py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64" in wheel.name
    kernel = "policy/native/linux-x86_64/libember_policy.so"
    for name in ("py.typed", "_facts.py", "flames.html", kernel):
        assert f"ember/{name}" in names
    jars = {Path(name).name for name in names if name.startswith("ember/plugin/")}
    assert jars == set(JARS.values()), "ci/build makes the jar of each line"
    assert not [name for name in names if "/tests/" in name or name.startswith("ember_worker")]


@pytest.mark.parametrize("version", JARS)
def test_the_jar_of_a_spark_that_is_named_is_found(version, installed, tmp_path):
    told = run(installed, tmp_path, "-m", "ember.jars", version)
    assert Path(told.stdout.strip()).name == JARS[version], told.stderr
    assert Path(told.stdout.strip()).is_relative_to(installed.parents[1])


@pytest.mark.slow
@pytest.mark.parametrize("version", JARS)
def test_beside_each_spark_its_own_jar_is_taken_and_its_functions_run_embedded(
    version, wheel, tmp_path
):
    spark = making.other_spark(version)
    (packages,) = spark.parents[1].glob("lib/python3.*/site-packages")
    python = beside(packages, wheel, tmp_path / "environment")
    done = run(python, tmp_path, str(HERE / "beside_spark.py"), "told.json")
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-6000:]}"
    told = json.loads((tmp_path / "told.json").read_text())
    assert (told["spark"], Path(told["jar"]).name) == (pairs.spark_of(version), JARS[version])
    assert (told["rows"], told["on_spark"]) == ([0, 1, 2], [[], 0])
    assert told["embedded"] == [["EmberMapInPandas"], 1]


def test_it_builds_the_same_bytes_again(wheel, tmp_path):
    options = ["--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path)]
    pip(sys.executable, "wheel", *options, str(REPOSITORY / "python" / "ember"))
    assert (tmp_path / wheel.name).read_bytes() == wheel.read_bytes()


@pytest.fixture(scope="module")
def told(installed, tmp_path_factory):
    """What an application of that environment tells of itself."""
    folder = tmp_path_factory.mktemp("application")
    done = run(installed, folder, str(HERE / "application.py"), "told.json")
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-6000:]}"
    return json.loads((folder / "told.json").read_text())


def test_an_application_runs_embedded_and_off_again(installed, told):
    assert told["package"].startswith(str(installed.parents[1]))
    assert told["jar"].endswith("ember/plugin/ember-spark-4.3_2.13.jar")
    assert told["on"]["sum"] == told["off"]["sum"] == sum(range(1, 1001))
    assert told["on"]["nodes"] == {"EmberArrowEvalPython": 2}
    assert told["off"]["nodes"] == {"ArrowEvalPython": 0}


def test_the_web_ui_has_a_page_of_what_ran(told):
    assert '<table id="ember-functions"' in told["page"]
    assert "<td>plus_one</td>" in told["page"]
    assert 'href="/ember/"' in told["page"]


def test_the_history_server_has_it_too(told, tmp_path):
    home = Path(sysconfig.get_path("purelib")) / "pyspark"
    with history.serving(Path(told["events"]), Path(told["jar"]), home, tmp_path) as address:
        page = history.page(address, told["id"], "ember")
    assert "<td>plus_one</td>" in page, (tmp_path / "history.log").read_text()[-4000:]
    assert '<table id="ember-executors"' in page


def test_the_doctor_and_the_path_of_the_jar_are_commands_of_it(installed, tmp_path):
    doctor = run(installed, tmp_path, "-m", "ember.doctor", "--json")
    assert json.loads(doctor.stdout)["executable"] == str(installed), doctor.stderr
    jar = run(installed, tmp_path, "-m", "ember.jars")
    assert Path(jar.stdout.strip()).is_file()


def test_uninstalled_it_leaves_nothing(wheel, tmp_path):
    venv.create(tmp_path / "environment", with_pip=False, symlinks=True)
    python = tmp_path / "environment" / "bin" / "python"
    pip(python, "install", "--no-index", "--no-deps", str(wheel))
    assert run(python, tmp_path, "-c", "import ember").returncode == 0
    pip(python, "uninstall", "--yes", "ember-spark")
    gone = run(python, tmp_path, "-c", "import ember")
    assert "No module named 'ember'" in gone.stderr
    assert not list((tmp_path / "environment").glob("lib/python3.*/site-packages/*ember*"))
