"""Inputs that are wrong on purpose, a file for each kind of them."""
