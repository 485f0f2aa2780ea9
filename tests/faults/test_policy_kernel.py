"""The kernel of ``ember.policy`` comes to executors that have neither it nor the package."""

from pathlib import Path

import pytest

import clusters
from clusters import LOCAL_CLUSTER

QUIET = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false"}


@pytest.mark.slow
def test_the_kernel_travels_to_executors_that_have_not_got_it(tmp_path):
    told = clusters.run(tmp_path, {**LOCAL_CLUSTER, **QUIET}, "none", {"application": "policy.py"})
    assert len(told["tasks"]) == 4
    folders = {task["files"] for task in told["tasks"]}
    assert len(folders) == 2  # one for each executor
    stem = Path(told["library"]).stem
    for task in told["tasks"]:
        assert not task["package"]
        (kernel,) = task["kernels"]
        assert Path(kernel).is_relative_to(task["files"])
        assert Path(kernel).name.startswith(f"{stem}-")
    assert told["same forest"]
    assert told["same scores"]
    assert told["splits"] > 2
    assert "numpy instead of the native kernel" not in told["log"]
