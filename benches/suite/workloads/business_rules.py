"""The price of an order after discount, levy and delivery."""

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql.functions import pandas_udf

from suite.workload import Workload

LEVY = {"DE": 0.19, "FR": 0.20, "CH": 0.081, "US": 0.0}


def price(amount: pd.Series, quantity: pd.Series, tier: pd.Series, country: pd.Series) -> pd.Series:
    """Work out what an order costs."""
    total = amount * quantity
    discount = np.select(
        [tier == "gold", (tier == "silver") & (total > 500), quantity >= 10],
        [0.15, 0.10, 0.05],
        default=0.0,
    )
    net = total * (1 - discount)
    delivery = np.where(net > 100, 0.0, 4.9)
    return pd.Series((net * (1 + country.map(LEVY)) + delivery).round(2))


def apply(frame: DataFrame) -> DataFrame:
    """Run the function over the frame."""
    return frame.select(
        "id", pandas_udf(price, "double")("amount", "quantity", "tier", "country").alias("price")
    )


BUSINESS_RULES = Workload(
    "business_rules", "pandas", apply, (price,), ("amount", "quantity", "tier", "country")
)
