"""Features as rows have them where they are counted: a list of numbers and a list of texts."""

import pyarrow as pa

from ember.policy import Numeric


def listed(columns, features):
    """Return the two columns of lists, of a column for each feature."""
    found = []
    for numeric in (True, False):
        pairs = zip(columns, features, strict=True)
        some = [column for column, of in pairs if isinstance(of, Numeric) == numeric]
        rows = [list(row) for row in zip(*(each.to_pylist() for each in some), strict=True)]
        found.append(pa.array(rows, pa.list_(some[0].type)))
    return found
