"""What Python itself costs in the workloads of `benches`: PySpark's worker code over ready batches.

Usage: python/ember-worker/benchmarks/floors.py [ROUNDS] [WORKLOAD...]. Needs the bridge's library
(ci/build), or its path in EMBER_BRIDGE. No Spark runs: a session gets record batches that are in
memory and gives back such. `session` is the CPU time of that, with PySpark's own conversions to
pandas and from it, and the bridge's loop for row functions; `bare` that of the function alone, on
values that are ready. Both in seconds, least / middle of the rounds.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

HERE = Path(__file__).resolve().parent
BENCHES = HERE.parents[2] / "benches"
sys.path[:0] = [str(HERE.parent / "tests"), str(HERE.parent / "src"), str(BENCHES)]

from ember_worker import boot  # noqa: E402 - found by the line above

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = {
    "row": 101,
    "pickled": 100,
    "pandas": 200,
    "arrow": 250,
    "mapInPandas": 205,
    "mapInArrow": 207,
}
RESULTS = {
    "add_one_row_1m": "bigint",
    "add_one_pickled_1m": "bigint",
    "add_one_pandas_1m": "bigint",
    "add_one_arrow_1m": "bigint",
    "upper_row_1m": "string",
    "normalize_text": "string",
    "parse_date": "date",
    "validate_format": "boolean",
    "business_rules": "double",
    "text_transform": "string",
    "data_mask": "string",
    "map_in_pandas_1m": "id bigint, y bigint",
}


def main(rounds: int, wanted: list[str]) -> None:
    """Print the table."""
    from suite.bare import LOOPS
    from suite.records import write_tables
    from suite.workloads import WORKLOADS

    with tempfile.TemporaryDirectory() as folder:
        paths = write_tables(Path(folder), 1.0)
        print(f"{'workload':20} {'session s':>15} {'bare s':>15}")
        for name in wanted:
            workload = WORKLOADS[name]
            batches = _table(workload, paths).to_batches(max_chunksize=workload.batch)
            ready = LOOPS[workload.kind](workload, batches)
            session = _session(workload, batches)
            bare = [_timed(ready) for _ in range(rounds)]
            print(f"{name:20} {_shown([session() for _ in range(rounds)]):>15} {_shown(bare):>15}")


def _table(workload: Any, paths: dict[str, str]) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if workload.columns:
        columns = ["id", *workload.columns]
        return pq.read_table(paths[workload.source], columns=columns).combine_chunks()
    return pa.table({"id": pa.array(range(workload.rows), pa.int64())})


def _session(workload: Any, batches: list[Any]) -> Callable[[], float]:
    import pyarrow as pa
    from pyspark.sql.pandas.types import from_arrow_schema

    from protocol import FakeEndpoint, header, session

    if workload.kind.startswith("map"):
        batches = [
            pa.RecordBatch.from_arrays([batch.to_struct_array()], ["struct"]) for batch in batches
        ]
    else:
        names = [f"_{index}" for index in range(len(workload.arguments))]
        batches = [
            pa.RecordBatch.from_arrays([batch[name] for name in workload.arguments], names)
            for batch in batches
        ]
    inputs = json.dumps(from_arrow_schema(batches[0].schema).jsonValue())
    (function,) = workload.functions
    head = header(
        KINDS[workload.kind],
        function,
        _type(RESULTS.get(workload.name) or sys.modules[function.__module__].SCHEMA),
        arguments=tuple(range(batches[0].num_columns)),
        input_type=inputs if workload.kind in ("row", "pickled") else None,
    )

    def once() -> float:
        endpoint = FakeEndpoint(head, list(batches))
        spent: list[float] = []
        thread = threading.Thread(
            target=lambda: spent.append(_timed(lambda: session.run(endpoint)))
        )
        thread.start()
        thread.join()
        rows = sum(batch.num_rows for batch in endpoint.taken)
        assert rows == workload.rows, (workload.name, rows, session.run(endpoint))
        return spent[0]

    return once


def _type(words: str) -> Any:
    """Read a type, or fields with one each."""
    from pyspark.sql import types as sql

    simple = {
        "bigint": sql.LongType(),
        "int": sql.IntegerType(),
        "double": sql.DoubleType(),
        "string": sql.StringType(),
        "boolean": sql.BooleanType(),
        "date": sql.DateType(),
        "timestamp": sql.TimestampType(),
        "decimal(12;2)": sql.DecimalType(12, 2),
        "array<string>": sql.ArrayType(sql.StringType()),
    }
    if " " not in words:
        return simple[words]
    fields = (field.split() for field in words.replace("12,2", "12;2").split(","))
    return sql.StructType([sql.StructField(name, simple[of]) for name, of in fields])


def _timed(work: Callable[[], Any]) -> float:
    started = time.thread_time()
    work()
    return time.thread_time() - started


def _shown(times: list[float]) -> str:
    return f"{min(times):.3f} / {statistics.median(times):.3f}"


if __name__ == "__main__":
    told = sys.argv[1:]
    every = [*RESULTS, "encode_decode", "parse_json", "extract_fields", "url_parse"]
    every += ["identity_pandas_1m", "identity_arrow_1m", "map_in_arrow_1m"]
    worker = {"SPARK_PYTHON_RUNTIME": "PYTHON_WORKER"}
    boot.start({"environment": worker, "pythonPath": ""})  # this takes the arguments away
    from rowfn_bridge import bridge

    bridge()
    main(int(told[0]) if told else 5, told[1:] or every)
