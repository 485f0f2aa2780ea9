"""A short benchmark of a handful of functions on this machine: ``python -m ember.bench``."""
