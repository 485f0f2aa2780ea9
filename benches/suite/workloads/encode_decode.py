"""Base64 there and back, MD5 and SHA-256, as one pandas function with a struct for a result."""

import hashlib
from base64 import b64decode, b64encode

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql.functions import pandas_udf

from suite.workload import Workload

SCHEMA = "base64 string, decoded string, md5 string, sha256 string"


def encode(text: pd.Series) -> pd.DataFrame:
    """Encode, decode and hash each text."""
    raw = [value.encode() for value in text]
    encoded = [b64encode(value) for value in raw]
    return pd.DataFrame(
        {
            "base64": [value.decode("ascii") for value in encoded],
            "decoded": [b64decode(value).decode() for value in encoded],
            "md5": [hashlib.md5(value, usedforsecurity=False).hexdigest() for value in raw],
            "sha256": [hashlib.sha256(value).hexdigest() for value in raw],
        }
    )


def apply(frame: DataFrame) -> DataFrame:
    """Run the function over the frame."""
    return frame.select("id", pandas_udf(encode, SCHEMA)("prose").alias("codes"))


ENCODE_DECODE = Workload("encode_decode", "pandas", apply, (encode,), ("prose",))
