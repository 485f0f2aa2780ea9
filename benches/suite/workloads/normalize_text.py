"""Text without accents, case, punctuation and doubled blanks."""

import re
import unicodedata

from pyspark.sql import DataFrame
from pyspark.sql.functions import udf

from suite.workload import Workload

NOT_A_WORD = re.compile(r"[^\w\s]")
BLANKS = re.compile(r"\s+")


def normalize(text: str) -> str:
    """Bring a text to the form in which it can be compared."""
    plain = unicodedata.normalize("NFKD", text)
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return BLANKS.sub(" ", NOT_A_WORD.sub(" ", plain.casefold())).strip()


def apply(frame: DataFrame) -> DataFrame:
    """Run the function over the frame."""
    return frame.select("id", udf(normalize, "string")("prose").alias("plain"))


NORMALIZE_TEXT = Workload("normalize_text", "row", apply, (normalize,), ("prose",))
