"""A machine that has PySpark's Python alone, as a client of Spark Connect has it."""

import importlib.util

import pytest
from pyspark import find_spark_home


@pytest.fixture
def no_spark(tmp_path, monkeypatch):
    """Have PySpark find no Spark, by its own search."""
    monkeypatch.delenv("SPARK_HOME", raising=False)
    monkeypatch.setattr(find_spark_home, "__file__", str(tmp_path / "pyspark" / "home.py"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
