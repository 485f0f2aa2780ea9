"""Functions with broadcasts and without, where Spark encrypts what it writes to disks."""

import pyspark.sql.functions as F
import telling

spark = telling.session("encrypted", {"spark.io.encryption.enabled": "true"})
counter = spark.sparkContext.accumulator(0)
offset = spark.sparkContext.broadcast(1000)
#: Longer than what Spark sends with each task: the function is a broadcast itself.
LARGE = bytes(range(256)) * 8192


def numbers():
    return spark.range(0, 40, 1, 2)


def without_broadcasts():
    return numbers().select(F.udf(lambda v: v + 1, "long", useArrow=True)("id"))


def with_a_broadcast():
    return numbers().select(F.udf(lambda v: v + offset.value, "long", useArrow=True)("id"))


def map_with_a_broadcast():
    def moved(frames):
        for frame in frames:
            yield frame + offset.value

    return numbers().mapInPandas(moved, "id long")


def of_a_large_function():
    def told(v, large=LARGE):
        return v + len(large)

    return numbers().select(F.udf(told, "long", useArrow=True)("id"))


CASES = (without_broadcasts, with_a_broadcast, map_with_a_broadcast, of_a_large_function)
telling.tell(spark, CASES, counter)
