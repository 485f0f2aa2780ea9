"""Spark's profilers of functions: the same profiles, made in worker processes of Ember's."""

import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from parity.legs import ENABLED
from pyspark.sql import functions as F
from pyspark.sql.datasource import DataSource, DataSourceReader
from pyspark.sql.pandas.functions import arrow_udf, pandas_udf

from parity import evidence

PROFILER = "spark.sql.pyspark.udf.profiler"
OF_SOURCES = "spark.sql.pyspark.dataSource.profiler"
#: Times and sizes, which two runs never share; what is left is calls, lines and their text.
PERF = re.compile(r"^ *(\d+(?:/\d+)?)(?: +\d+\.\d+){4} (.*)$", re.MULTILINE)
MEMORY = re.compile(r"^ *(\d+)(?: +-?\d+\.\d+ MiB){2} +(\d+) {3}(.*)$", re.MULTILINE)
ADDRESS = re.compile(r"0x[0-9a-f]+")
FORMS = {"perf": PERF, "memory": MEMORY}


def halved(value):
    return value // 2


def of_a_row(value: int) -> int:
    text = str(value)
    return halved(int(text)) + len(sorted([3, value]))


def of_a_series(values: pd.Series) -> pd.Series:
    return halved(values.astype("int64"))


def of_an_array(values: pa.Array) -> pa.Array:
    return pc.add(values, 1)


def of_a_group(group: pd.DataFrame) -> pd.DataFrame:
    halved(len(group))
    return group


def of_two_groups(left: pd.DataFrame, right: pd.DataFrame) -> pd.DataFrame:
    halved(len(right))
    return left


def of_two_tables(left: pa.Table, right: pa.Table) -> pa.Table:
    halved(right.num_rows)
    return left


def of_all(values: pd.Series) -> int:
    return int(np.sum(values))


def over_rows(frame):
    return frame.select(F.udf(of_a_row, "bigint")("id"))


def over_pickled_rows(frame):
    return frame.select(F.udf(of_a_row, "bigint", useArrow=False)("id"))


def over_series(frame):
    return frame.select(pandas_udf(of_a_series, "bigint")("id"))


def over_arrays(frame):
    return frame.select(arrow_udf(of_an_array, "bigint")("id"))


def over_groups(frame):
    return frame.groupBy("k").applyInPandas(of_a_group, frame.schema)


def over_cogroups(frame):
    other = frame.where("id % 2 = 0")
    cogroups = frame.groupBy("k").cogroup(other.groupBy("k"))
    return cogroups.applyInPandas(of_two_groups, frame.schema)


def over_cogroups_in_arrow(frame):
    cogroups = frame.groupBy("k").cogroup(frame.where("id % 2 = 0").groupBy("k"))
    return cogroups.applyInArrow(of_two_tables, frame.schema)


def over_all(frame):
    return frame.groupBy("k").agg(pandas_udf(of_all, "bigint")("id"))


SHAPES = (
    over_rows,
    over_pickled_rows,
    over_series,
    over_arrays,
    over_groups,
    over_cogroups,
    over_cogroups_in_arrow,
    over_all,
)


@pytest.fixture
def profiled(spark, plugin, parity_legs, capsys):
    """Runs a query under a profiler: what ran it, and what its profile says but times and sizes."""
    if not plugin:
        pytest.skip("asks what the plugin does; there is none with --spark-only")

    def run(shape, profiler, *, embed, setting=PROFILER):
        conf = {setting: profiler, "spark.ember.lane": "auto", ENABLED: str(embed).lower()}
        with parity_legs.conf(conf):
            spark.profile.clear()
            frame = shape(spark.range(0, 40, 1, 2).withColumn("k", F.col("id") % 3))
            frame.collect()
            capsys.readouterr()
            spark.profile.show(type=profiler)
            told = ADDRESS.sub("ADDRESS", capsys.readouterr().out)
            lines = FORMS[profiler].findall(told)
        return evidence.Evidence(frame), sorted(lines)

    return run


@pytest.mark.parametrize("profiler", FORMS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_profile_is_that_of_sparks_worker(shape, profiler, profiled):
    ours, profile = profiled(shape, profiler, embed=True)
    theirs, expected = profiled(shape, profiler, embed=False)
    assert ours.embedded_sessions == ours.process_sessions > 0, vars(ours)
    assert not ours.spark_sessions
    assert theirs.vanilla
    assert not theirs.embedded
    assert profile == expected != []


class Halves(DataSourceReader):
    def read(self, partition):
        for n in range(9):
            yield (halved(n),)


class Source(DataSource):
    @classmethod
    def name(cls):
        return "halves"

    def schema(self):
        return "n bigint"

    def reader(self, schema):
        return Halves()


def of_a_source(frame):
    spark = frame.sparkSession
    spark.dataSource.register(Source)
    return spark.read.format("halves").load()


@pytest.mark.parametrize(("profiler", "part"), [("perf", "(halved)"), ("memory", "")])
def test_a_data_source_under_its_profiler_is_read_by_sparks_worker(profiler, part, profiled):
    ours, profile = profiled(of_a_source, profiler, embed=True, setting=OF_SOURCES)
    theirs, expected = profiled(of_a_source, profiler, embed=False, setting=OF_SOURCES)
    assert ours.spark_sessions > 0 == ours.embedded_sessions
    assert not theirs.embedded
    # A worker that is new imports modules, which the profile of calls has, too.
    alike = [[line for line in lines if part in line[-1]] for lines in (profile, expected)]
    assert alike[0] == alike[1] != []
