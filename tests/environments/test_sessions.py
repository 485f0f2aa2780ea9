"""Real jobs on the Pythons that users have: the same answers as Spark alone, and where they ran."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import jobs
import making
import pytest


@dataclass(frozen=True)
class Environment:
    name: str
    make: Callable[[], Path]


ENVIRONMENTS = [
    *(
        Environment(f"pyenv-{minor}", lambda minor=minor: making.pyenv_venv(minor))
        for minor in ("3.12", "3.13")
    ),
    Environment("debian", making.debian_venv),
    Environment("uv-3.14", making.uv_managed),
]


@pytest.mark.parametrize("by_setting", [False, True], ids=["PYSPARK_PYTHON", "setting"])
@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda environment: environment.name)
def test_functions_run_embedded_in_this_environment(environment, by_setting, made, tmp_path):
    python = made(environment.make)
    told = jobs.Job(python, str(python), by_setting=by_setting).run(tmp_path)
    assert jobs.ran_embedded(told)
    assert told["ember"]["surroundings"]["executable"] == str(python)
    assert told["ember"]["surroundings"]["prefix"] == str(python.parents[1])


CLUSTER = {"spark.master": "local-cluster[1,2,1024]", "spark.executor.memory": "1024m"}


def in_an_archive(archive):
    return {**CLUSTER, "spark.archives": f"{archive}#environment"}


def test_a_whole_python_sent_as_an_archive_runs_embedded(made, tmp_path):
    driver = made(making.uv_managed)
    archive = made(making.relocatable_archive)
    job = jobs.Job(driver, "./environment/bin/python", settings=in_an_archive(archive))
    told = job.run(tmp_path)
    assert jobs.ran_embedded(told)
    executable = told["ember"]["surroundings"]["executable"]
    assert Path(executable).parts[-3:] == ("environment", "bin", "python")


def test_a_virtual_environment_sent_as_an_archive_runs_embedded(made, tmp_path):
    driver = made(making.pyenv_venv, "3.12")
    archive = made(making.packed_venv, "3.12")
    job = jobs.Job(driver, "./environment/bin/python", settings=in_an_archive(archive))
    told = job.run(tmp_path)
    assert jobs.ran_embedded(told)
    assert "/environment/lib/python3.12/" in told["ember"]["surroundings"]["files"][0]


def test_a_python_without_its_shared_library_runs_in_workers_of_its_own(made, tmp_path):
    python = made(making.slim_venv)
    told = jobs.Job(python, str(python)).run(tmp_path)
    words = "no shared libpython: built with a shared library, but libpython3.14.so"
    assert jobs.ran_in_workers(told, words)


def test_a_free_threaded_python_runs_on_sparks_own_worker_and_the_log_says_why(made, tmp_path):
    python = made(making.free_threaded_venv)
    told = jobs.Job(python, str(python)).run(tmp_path)
    assert jobs.ran_on_sparks(told, "no bridge for a free-threaded build")


def test_debians_python_without_its_library_package_runs_in_workers(made, hiding, tmp_path):
    python = made(making.debian_venv)
    told = jobs.Job(python, str(python), wrapper=hiding(*making.hide_debians_libraries())).run(
        tmp_path
    )
    assert jobs.ran_in_workers(told, "no shared libpython: ")


def test_where_no_folder_allows_code_the_libraries_come_from_memory(made, hiding, tmp_path):
    python = made(making.pyenv_venv, "3.12")
    folders = ["/tmp", "/var/tmp", "/dev/shm", str(tmp_path)]
    mounts = [
        *(remounted(folder, "noexec") for folder in folders),
        remounted(making.PLACE, "exec"),
    ]
    told = jobs.Job(python, str(python), wrapper=hiding(*mounts)).run(tmp_path)
    assert jobs.ran_embedded(told)


def remounted(folder, options):
    return f"mount --bind {folder} {folder} && mount -o remount,bind,{options} {folder}"
