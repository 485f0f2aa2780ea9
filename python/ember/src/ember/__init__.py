"""Ember: PySpark's Python functions inside the executor. This package is the user's side."""
