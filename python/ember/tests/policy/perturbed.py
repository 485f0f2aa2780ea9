"""Ways to give the same rows that no answer may depend on."""

from pyspark.sql import functions as F  # noqa: N812 (its usual name)

PERTURBED = {
    "repartitioned": lambda df: df.repartition(9),
    "coalesced": lambda df: df.coalesce(1),
    "shuffled": lambda df: df.orderBy(F.rand(5)),
    "sorted": lambda df: df.orderBy("spend"),
    "columns turned around": lambda df: df.select(*reversed(df.columns)),
    "of more partitions than rows have arms": lambda df: df.repartition(40, "segment"),
}
