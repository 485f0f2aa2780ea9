"""The benchmark: what is run, on which legs, how it is measured and how it is told."""
