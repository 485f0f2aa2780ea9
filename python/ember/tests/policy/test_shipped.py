"""The native kernel on its way to executors: once, and not to stay."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from pyspark import SparkFiles

from ember.policy import kernel


def test_threads_that_ship_the_library_at_once_ship_it_once(spark, monkeypatch, tmp_path):
    other = tmp_path / kernel.NAME
    other.write_bytes(kernel.library().read_bytes() + b"another")
    monkeypatch.setenv(kernel.VARIABLE, str(other))
    monkeypatch.setattr(spark.sparkContext, "master", "spark://elsewhere:7077")
    rows, together = spark.range(1), Barrier(8)

    def ship(_):
        together.wait()
        return kernel.shipped(rows)

    with ThreadPoolExecutor(8) as threads:
        (name,) = set(threads.map(ship, range(8)))
    assert [each for each in spark.sparkContext.listFiles if each.endswith(name)]
    assert Path(SparkFiles.get(name)).read_bytes() == other.read_bytes()


def test_the_copy_that_is_shipped_ends_with_python(tmp_path):
    (tmp_path / "library").write_bytes(b"x")
    code = (
        "import sys; from pathlib import Path; from ember.policy.kernel import _copied;"
        "print(_copied(Path(sys.argv[1]), 'name.so'));"
        "assert Path(_copied(Path(sys.argv[1]), 'name.so')).read_bytes() == b'x'"
    )
    path = os.pathsep.join(sys.path)
    found = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "library"],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip().endswith("name.so")
    assert not Path(found.stdout.strip()).parent.exists()
