"""A small job: what each country's largest order is, with a row, a pandas and a group function.

It knows nothing of how it is deployed. At its end it says where its functions ran, and ends with 1
when an answer is wrong or a function was left to Spark's own workers.
"""

import sys
import time

import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812 - as PySpark is written

COUNTRIES = ("de", "fr", "it")
ORDERS = 9_000


def cents(price: str) -> int:
    """Read a price."""
    euros, _, rest = price.removesuffix(" EUR").partition(".")
    return int(euros) * 100 + int(rest)


def with_tax(net: pd.Series) -> pd.Series:
    """Add a fifth."""
    return net * 120 // 100


def largest(orders: pd.DataFrame) -> pd.DataFrame:
    """Keep the largest order of a country."""
    return orders.nlargest(1, "gross")[["country", "order", "gross"]]


def main(spark: SparkSession) -> int:
    """Ask, compare with what is known, and say where it ran."""
    country = F.element_at(F.array(*map(F.lit, COUNTRIES)), (F.col("id") % 3 + 1).cast("int"))
    price = F.format_string("%d.%02d EUR", F.col("id") * 7 % ORDERS, F.col("id") % 100)
    orders = spark.range(0, ORDERS, 1, 2).select(
        country.alias("country"), F.col("id").alias("order"), price.alias("price")
    )
    net = orders.withColumn("net", F.udf(cents, "long")("price"))
    gross = net.withColumn("gross", F.pandas_udf(with_tax, "long")("net"))
    found = gross.groupBy("country").applyInPandas(
        largest, "country string, order long, gross long"
    )
    answers = {row.country: (row.order, row.gross) for row in found.collect()}
    print("largest orders:", answers)
    return 0 if answers == expected() and ran_in_ember(spark) else 1


def expected() -> dict[str, tuple[int, int]]:
    """Compute the same without Spark."""
    net = {order: order * 7 % ORDERS * 100 + order % 100 for order in range(ORDERS)}
    gross = {order: amount * 120 // 100 for order, amount in net.items()}
    first = {country: range(at, ORDERS, 3) for at, country in enumerate(COUNTRIES)}
    best = {country: max(orders, key=gross.__getitem__) for country, orders in first.items()}
    return {country: (order, gross[order]) for country, order in best.items()}


def ran_in_ember(spark: SparkSession) -> bool:
    """Show what Ember tells of each function; executors tell it a moment after it ran."""
    time.sleep(1)
    rows = spark.sql("SELECT * FROM ember_functions()").collect()
    for row in rows:
        ran = f"{row.sessions_in_executor} in executors, {row.sessions_in_workers} in workers"
        print(f"{row.function}: {ran}, {row.sessions_on_spark} on Spark's own workers")
    inside = sum(row.sessions_in_executor + row.sessions_in_workers for row in rows)
    return inside > 0 and not any(row.sessions_on_spark for row in rows)


if __name__ == "__main__":
    session = SparkSession.builder.appName("orders").getOrCreate()
    code = main(session)
    session.stop()
    sys.exit(code)
