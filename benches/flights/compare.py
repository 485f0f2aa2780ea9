"""Two tables are the same when every bit of every value is, whatever the order of the rows."""

import pyarrow as pa


def difference(left: pa.Table, right: pa.Table) -> str:
    """Say what differs between two tables, or nothing."""
    if left.schema != right.schema:
        return f"schema: {left.schema} | {right.schema}"
    if left.num_rows != right.num_rows:
        return f"rows: {left.num_rows} | {right.num_rows}"
    one, other = left.sort_by("id"), right.sort_by("id")
    for name in one.column_names:
        if not _bits(one[name]).equals(_bits(other[name])):
            return f"values of {name}"
    return ""


def _bits(column: pa.ChunkedArray) -> pa.Array:
    """Give floats as their bits, so that NaN equals itself and -0.0 is not 0.0."""
    array = column.combine_chunks()
    return array.view(pa.int64()) if pa.types.is_float64(array.type) else array
