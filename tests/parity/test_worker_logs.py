"""Spark's table of what functions log and print: the same rows, because they run on its workers."""

import logging
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pandas as pd
import pyarrow as pa
import pytest
from parity.legs import ENABLED
from pyspark.errors import PythonException
from pyspark.logger import PySparkLogger
from pyspark.sql import Window
from pyspark.sql import functions as F
from pyspark.sql.datasource import DataSource, DataSourceReader
from pyspark.sql.functions import udtf
from pyspark.sql.pandas.functions import arrow_udf, pandas_udf

from parity import evidence

LOGGING = "spark.sql.pyspark.worker.logging.enabled"
LANES = ("embedded", "process")
#: Spark reads what workers write on a thread of its own, and saves it after the task has ended.
PATIENCE_S = 30
#: What ``speak`` leaves behind.
LINES = 7
TOLD = "level, logger, msg, context, exception"


def speak(tag):
    """Log and print in every way that the table knows."""
    logger = logging.getLogger("of_parity")
    logger.setLevel(logging.INFO)
    logger.debug("%s is not to be heard", tag)
    logger.info("%s said", tag)
    logger.warning("%s warned", tag, extra={"context": {"shade": "blue"}})
    PySparkLogger.getLogger("of_spark").error("%s is of Spark's kind", tag, depth=3)
    print(tag, "printed")
    print(tag, "cried", file=sys.stderr)
    sys.stdout.writelines([f"{tag} wrote\n"])
    try:
        {}[tag]
    except KeyError:
        logger.exception("%s caught", tag)


def over_rows(frame, tag, **mode):
    def of_a_row(value):
        if value == 0:
            speak(tag)
        return value

    return frame.select(F.udf(of_a_row, "bigint", **mode)("id"))


def over_series(frame, tag):
    def of_a_series(values: pd.Series) -> pd.Series:
        if 0 in values.array:
            speak(tag)
        return values

    return frame.select(pandas_udf(of_a_series, "bigint")("id"))


def over_arrays(frame, tag):
    def of_an_array(values: pa.Array) -> pa.Array:
        if 0 in values.to_pylist():
            speak(tag)
        return values

    return frame.select(arrow_udf(of_an_array, "bigint")("id"))


def over_maps(frame, tag, method):
    def of_batches(batches):
        for batch in batches:
            if 0 in list(map(int, batch["id"])):
                speak(tag)
            yield batch

    return getattr(frame, method)(of_batches, frame.schema)


def over_groups(frame, tag, method):
    def of_a_group(group):
        if 0 in list(map(int, group["id"])):
            speak(tag)
        return group

    return getattr(frame.groupBy("k"), method)(of_a_group, frame.schema)


def over_cogroups(frame, tag):
    def of_two_groups(left: pd.DataFrame, right: pd.DataFrame) -> pd.DataFrame:
        if 0 in left["id"].array:
            speak(tag)
        return left

    cogroups = frame.groupBy("k").cogroup(frame.groupBy("k"))
    return cogroups.applyInPandas(of_two_groups, frame.schema)


def of_all(tag):
    def of_a_column(values: pd.Series) -> int:
        if 0 in values.array:
            speak(tag)
        return int(values.sum())

    return pandas_udf(of_a_column, "bigint")


def over_all(frame, tag):
    return frame.groupBy("k").agg(of_all(tag)("id").alias("n"))


def over_windows(frame, tag):
    return frame.select(of_all(tag)("id").over(Window.partitionBy("k")).alias("n"))


def over_tables(frame, tag, **mode):
    class Teller:
        def eval(self, value: int):
            if value == 0:
                speak(tag)
            yield (value,)

    session = frame.sparkSession
    session.udtf.register("teller", udtf(Teller, returnType="n bigint", **mode))
    frame.createOrReplaceTempView("rows_to_tell")
    return session.sql("select t.n from rows_to_tell r, lateral teller(r.id) t")


class Telling(DataSourceReader):
    """Says what it is told to, in the task that reads."""

    def __init__(self, options):
        self.tag = options["tag"]

    def read(self, partition):
        speak(self.tag)
        yield (0,)


class Told(DataSource):
    """What it reads from."""

    @classmethod
    def name(cls):
        return "told"

    def schema(self):
        return "n bigint"

    def reader(self, schema):
        return Telling(self.options)


def over_a_source(frame, tag):
    session = frame.sparkSession
    session.dataSource.register(Told)
    return session.read.format("told").option("tag", tag).load()


SHAPES = {
    "source": over_a_source,
    "rows": over_rows,
    "pickled_rows": partial(over_rows, useArrow=False),
    "series": over_series,
    "arrays": over_arrays,
    "map_in_pandas": partial(over_maps, method="mapInPandas"),
    "map_in_arrow": partial(over_maps, method="mapInArrow"),
    "groups_in_pandas": partial(over_groups, method="applyInPandas"),
    "groups_in_arrow": partial(over_groups, method="applyInArrow"),
    "cogroups": over_cogroups,
    "aggregates": over_all,
    "windows": over_windows,
    "tables": partial(over_tables, useArrow=True),
    "pickled_tables": partial(over_tables, useArrow=False),
}


@pytest.fixture(autouse=True)
def needs_plugin(plugin):
    if not plugin:
        pytest.skip("asks what the plugin does; there is none with --spark-only")


def numbers(spark):
    return spark.range(0, 4, 1, 2).withColumn("k", F.col("id") % 2)


def told(spark, tag, least=LINES):
    """What the table says of ``tag``, whose own letters no two runs share."""
    query = f"select {TOLD} from python_worker_logs() where msg like '{tag}%'"
    deadline = time.monotonic() + PATIENCE_S
    while len(rows := spark.sql(query).collect()) < least and time.monotonic() < deadline:
        time.sleep(0.1)
    return sorted(str(row.asDict(recursive=True)).replace(tag, "TAG") for row in rows)


def logged(legs, shape, lane):
    """A query with logging on, on a lane or, without one, on Spark: what ran it, and its logs."""
    tag = uuid.uuid4().hex
    with legs.conf(conf(lane)):
        frame = SHAPES[shape](numbers(legs.spark), tag)
        frame.collect()
        return evidence.Evidence(frame), evidence.reasons(frame), told(legs.spark, tag)


def conf(lane):
    asked = {LOGGING: "true", ENABLED: str(lane is not None).lower()}
    return asked if lane is None else {**asked, "spark.ember.lane": lane}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_table_has_what_sparks_workers_tell(shape, parity_legs):
    theirs, _, expected = logged(parity_legs, shape, None)
    assert theirs.vanilla
    assert not theirs.embedded
    assert len(expected) == LINES
    for lane in LANES:
        ours, why, rows = logged(parity_legs, shape, lane)
        assert ours.embedded, lane
        assert ours.embedded_sessions == 0, lane
        assert why == {"WorkerLogging": ours.spark_sessions}, lane
        assert rows == expected, lane


def test_the_table_says_who_spoke_and_how(parity_legs):
    _, _, rows = logged(parity_legs, "tables", "process")
    text = "\n".join(rows)
    levels = ["ERROR"] * 3 + ["INFO"] * 3 + ["WARNING"]
    assert sorted(row.split("'")[3] for row in rows) == levels
    for words in ("'logger': 'stdout'", "'logger': 'stderr'", "'shade': 'blue'", "'depth': '3'"):
        assert text.count(words) == (2 if words.endswith("'stdout'") else 1), words
    assert text.count("'class_name': 'Teller'") == LINES
    assert text.count("'func_name': 'eval'") == LINES
    assert "'class': 'KeyError'" in text


@pytest.mark.parametrize("chosen", LANES)
def test_what_a_function_said_before_it_failed_is_in_the_table(chosen, parity_legs):
    def failed(lane):
        tag = uuid.uuid4().hex

        def fails(value):
            print(tag, "begins")
            logging.getLogger("of_parity").error("%s fails", tag)
            raise ValueError(value)

        with parity_legs.conf(conf(lane)):
            with pytest.raises(PythonException, match="ValueError"):
                parity_legs.spark.range(0, 1, 1, 1).select(F.udf(fails, "int")("id")).collect()
            return told(parity_legs.spark, tag, least=2)

    expected = failed(None)
    assert len(expected) == 2
    assert failed(chosen) == expected


@pytest.mark.parametrize("chosen", LANES)
def test_sessions_at_once_have_a_table_each(chosen, spark):
    def run(enabled):
        session = spark.newSession()
        session.conf.set("spark.ember.lane", chosen)
        session.conf.set(LOGGING, enabled)
        tag = uuid.uuid4().hex
        frame = over_rows(numbers(session), tag)
        frame.collect()
        proof = evidence.Evidence(frame)
        session.conf.set(LOGGING, "true")  # the table is there for those alone who ask for it
        return session, tag, proof, told(session, tag, LINES if enabled == "true" else 0)

    with ThreadPoolExecutor(3) as pool:
        one, other, silent = pool.map(run, ("true", "true", "false"))
    assert len(one[3]) == len(other[3]) == LINES
    assert one[3] == other[3]
    assert told(one[0], other[1], least=0) == told(other[0], one[1], least=0) == []
    assert one[2].embedded_sessions == other[2].embedded_sessions == 0
    assert silent[3] == []
    assert silent[2].embedded_sessions == 2
