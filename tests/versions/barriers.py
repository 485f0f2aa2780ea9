"""Tasks of a barrier, at the same time in one executor, tell each other where they are."""

import pandas as pd
import telling
from pyspark import BarrierTaskContext

spark = telling.session("barriers")
counter = spark.sparkContext.accumulator(0)


def all_gathered():
    def told(frames):
        rows = sum(len(frame) for frame in frames)
        context = BarrierTaskContext.get()
        context.barrier()
        gathered = context.allGather(f"{context.partitionId()}: {rows}")
        yield pd.DataFrame({"told": [", ".join(gathered)]})

    return spark.range(0, 30, 1, 2).mapInPandas(told, "told string", barrier=True)


telling.tell(spark, (all_gathered,), counter)
