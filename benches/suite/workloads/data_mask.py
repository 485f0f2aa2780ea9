"""Four regular expressions hide e-mail addresses, telephone, card and account numbers."""

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql.functions import pandas_udf

from suite.workload import Workload

EMAIL = r"[\w.+-]+@([\w-]+\.[\w.]+)"
PHONE = r"\+\d{1,3}[ -]\d{2,4}[ -]\d{5,8}"
CARD = r"\b\d{4}[ -]\d{4}[ -]\d{4}[ -](\d{4})\b"
ACCOUNT = r"\b([A-Z]{2})\d{2}[A-Z0-9]{12,20}\b"


def mask(text: pd.Series) -> pd.Series:
    """Hide what names a person or an account."""
    masked = text.str.replace(EMAIL, r"***@\1", regex=True)
    masked = masked.str.replace(PHONE, "+** *** *****", regex=True)
    masked = masked.str.replace(CARD, r"**** **** **** \1", regex=True)
    return masked.str.replace(ACCOUNT, r"\1** ************", regex=True)


def apply(frame: DataFrame) -> DataFrame:
    """Run the function over the frame."""
    return frame.select("id", pandas_udf(mask, "string")("contact").alias("masked"))


DATA_MASK = Workload("data_mask", "pandas", apply, (mask,), ("contact",))
