"""PySpark's worker in a process of Ember's own.

``zygote`` imports the libraries once and forks; ``worker`` is what a fork does; ``session`` runs
one function over one partition there. Nothing is guarded: the process is the function's to harm.
"""
