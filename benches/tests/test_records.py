from pathlib import Path

import pyarrow.parquet as pq

from suite.records import write_records


def test_the_same_seed_gives_the_same_records(tmp_path):
    tables = []
    for name in ("one", "two"):
        folder = Path(tmp_path, name)
        folder.mkdir()
        tables.append(pq.read_table(write_records(folder, 500)))
    assert tables[0].equals(tables[1])
    assert tables[0].num_rows == 500
