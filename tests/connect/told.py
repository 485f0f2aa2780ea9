"""What the server tells about functions, a moment after they ran."""

import time
from collections import Counter
from contextlib import contextmanager

from pyspark.sql import functions as F

WAIT_S = 30


def functions_named(client, name):
    return client.sql("SELECT * FROM ember_functions()").where(F.col("function") == name).collect()


def soon(ask):
    """Executors tell what has changed a moment after it did."""
    end = time.monotonic() + WAIT_S
    while not (found := ask()) and time.monotonic() < end:
        time.sleep(0.1)
    return found


def sessions_by_place(spark):
    """The sessions of all functions that the server has told of."""
    sums = [f"sum(sessions_{place})" for place in ("in_executor", "in_workers", "on_spark")]
    (row,) = spark.sql(f"SELECT {', '.join(sums)} FROM ember_functions()").collect()
    return Counter(dict(zip(("executor", "workers", "spark"), (n or 0 for n in row), strict=True)))


def places_since(before, spark):
    """Where functions have run since then."""
    return set(sessions_by_place(spark) - before)


@contextmanager
def running_in(place, spark):
    """All functions of this server that run within do so there; one does."""
    before = sessions_by_place(spark)
    yield
    assert soon(lambda: places_since(before, spark)) == {place}
