"""An application whose executors have neither ``ember.policy`` nor its kernel: what they used."""

import importlib.util
import json
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyspark import SparkFiles
from pyspark.sql import SparkSession

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "python" / "ember" / "src"))
from ember.policy import Rules, fit, grow_forest, score
from ember.policy.inputs import encoded
from ember.policy.kernel import library, shipped
from ember.policy.local import scores_of_frame

ASKED = json.loads(sys.argv[1])
ROWS = 3000
EXECUTORS = 2

builder = SparkSession.builder.appName("policy")
for key, value in ASKED["settings"].items():
    builder = builder.config(key, value)
spark = builder.getOrCreate()
while spark.sparkContext._jsc.sc().getExecutorMemoryStatus().size() < EXECUTORS + 1:
    time.sleep(0.1)

rows = spark.range(0, ROWS, 1, 4).selectExpr(
    "id",
    "IF(id % 10 > 0, abs(hash(id)) % 500, NULL) AS history",
    "element_at(array('Rural', 'Urban'), int(abs(hash(id, 1)) % 2) + 1) AS zip",
    "element_at(array('mens', 'none'), int(abs(hash(id, 2)) % 2) + 1) AS arm",
    "abs(hash(id, 3)) % 100 + IF(arm = 'mens' AND zip = 'Urban', 50, 0) AS spend",
)
given = {"features": ["history", "zip"], "treatment": "arm", "outcome": "spend", "control": "none"}
manifest = fit(rows, **given)
growing = {"n_trees": 2, "max_depth": 2, "rules": Rules(min_leaf=20)}
forest = grow_forest(rows, manifest, **growing, in_a_task=False)
held = grow_forest(rows, manifest, **growing, in_a_task=True)


def used(scorer):
    """A function that scores, and tells where its process has the kernel from."""

    def function(batches):
        for batch in batches:
            scorer(batch.columns)
        maps = Path("/proc/self/maps").read_text().splitlines()
        kernels = sorted({line.split()[-1] for line in maps if "libember_policy" in line})
        told = {
            "files": str(Path(SparkFiles.getRootDirectory()).resolve()),
            "kernels": kernels,
            "package": importlib.util.find_spec("ember") is not None,
        }
        yield pa.RecordBatch.from_pydict({"told": [json.dumps(told)]})

    return function


features = rows.select(*encoded(rows, manifest.features))
tasks = features.mapInArrow(used(forest.scorer(shipped(rows))), "told string").collect()
frame = rows.toPandas()
scores = score(rows, forest, backend="arrow").orderBy("id").toPandas()["scores"]
told = {
    "application": spark.sparkContext.applicationId,
    "tasks": [json.loads(row.told) for row in tasks],
    "library": library().name,
    "splits": forest.text().count('"left_codes"'),
    "same forest": held.text() == forest.text(),
    "same scores": np.array(scores.tolist()).tobytes() == scores_of_frame(frame, forest).tobytes(),
}
spark.stop()
Path(ASKED["folder"], "answer.json").write_text(json.dumps(told))
