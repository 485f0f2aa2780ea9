"""What a column's way to pandas and back costs: PySpark's conversions, and with the bridge's.

Usage: python/ember-worker/benchmarks/conversions.py [ROUNDS]. Needs the library of ci/build.
CPU ns a value, least of the rounds, over the generated columns of `benches`; the objects on the way
back are made anew for each round, as a function makes them.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

HERE = Path(__file__).resolve().parent
BENCHES = HERE.parents[2] / "benches"
sys.path[:0] = [str(HERE.parent / "tests"), str(HERE.parent / "src"), str(BENCHES)]

from ember_worker import boot  # noqa: E402 - found by the line above

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = 10_000
TEXTS = ("line", "prose", "url", "contact", "tier", "document")


def main(rounds: int) -> None:
    """Print the table."""
    import pyarrow as pa
    from pyspark.sql.conversion import ArrowBatchTransformer, PandasToArrowConversion

    from ember_worker.kinds import frames
    from suite.records import mixed, records

    text, other = records(ROWS), mixed(ROWS)
    columns = {name: text[name] for name in TEXTS}
    columns |= {name: other[name] for name in ("word", "amount", "moment", "share", "id")}
    ours = (frames.transformer(), frames.conversion())
    stock = (ArrowBatchTransformer, PandasToArrowConversion)
    print(f"{'column':10} {'in':>8} {'ours':>8} {'out':>8} {'ours':>8}")
    for name, column in columns.items():
        batch = pa.RecordBatch.from_arrays([column.combine_chunks()], [name])
        (into, back), (our_into, our_back) = (timed(way, batch, rounds) for way in (stock, ours))
        print(f"{name:10} {into:8.1f} {our_into:8.1f} {back:8.1f} {our_back:8.1f}")


def timed(way: Any, batch: pa.RecordBatch, rounds: int) -> tuple[float, float]:
    """Return the least ns a value of each direction."""
    from pyspark.sql.pandas.types import from_arrow_schema

    transformer, conversion = way
    schema = from_arrow_schema(batch.schema)
    into, back = [], []
    for _ in range(rounds):
        start = time.thread_time()
        series = transformer.to_pandas(batch, timezone="UTC")
        between = time.thread_time()
        conversion.convert(series, schema, timezone="UTC", arrow_cast=True)
        into.append(between - start)
        back.append(time.thread_time() - between)
    return 1e9 * min(into) / ROWS, 1e9 * min(back) / ROWS


if __name__ == "__main__":
    told = sys.argv[1:]
    worker = {"SPARK_PYTHON_RUNTIME": "PYTHON_WORKER"}
    boot.start({"environment": worker, "pythonPath": ""})  # this takes the arguments away
    from rowfn_bridge import bridge

    bridge()
    main(int(told[0]) if told else 15)
