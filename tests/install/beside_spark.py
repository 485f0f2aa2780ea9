"""A user's application on whatever Spark is installed. Tells what ran it, as JSON."""

import json
import sys
from pathlib import Path

import pyspark

import ember

sys.path.insert(0, str(Path(__file__).parents[1] / "parity"))
from parity import evidence

spark = ember.session().appName("beside-spark").master("local[1]").getOrCreate()
frame = spark.range(3).mapInPandas(lambda frames: frames, "id long")
rows = sorted(row.id for row in frame.collect())
proof = evidence.Evidence(frame)
told = {
    "spark": pyspark.__version__,
    "jar": str(ember.jar()),
    "rows": rows,
    "embedded": [proof.embedded, proof.embedded_sessions],
    "on_spark": [proof.vanilla, proof.spark_sessions],
}
spark.stop()
Path(sys.argv[1]).write_text(json.dumps(told))
