"""Card numbers checked by their last digit (Luhn)."""

from pyspark.sql import DataFrame
from pyspark.sql.functions import udf

from suite.workload import Workload


def luhn(card: str) -> bool:
    """Say whether the digits of a card number add up."""
    digits = [int(letter) for letter in card if letter.isdigit()]
    doubled = [2 * digit - 9 if digit > 4 else 2 * digit for digit in digits[-2::-2]]
    return bool(digits) and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def apply(frame: DataFrame) -> DataFrame:
    """Run the function over the frame."""
    return frame.select("id", udf(luhn, "boolean")("card").alias("valid"))


VALIDATE_FORMAT = Workload("validate_format", "row", apply, (luhn,), ("card",))
