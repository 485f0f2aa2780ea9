"""PySpark's worker, inside the executor's own process.

``boot.start`` prepares the interpreter once; ``session.run`` runs one function over one partition.
"""
