"""What the server tells about functions, a moment after they ran."""

import time

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
