"""The parity suite: one question asked twice, embedded and on Spark's own runner."""
