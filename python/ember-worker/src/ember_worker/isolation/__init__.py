"""The globals of PySpark and of Python that are per session here, one concern per file.

Every file has one ``install()``. The order matters only for the two lists: the first needs no
PySpark and runs before any other import, the second must run before ``pyspark.worker`` is imported
anywhere, because that module takes the accumulator registry by name.
"""

from ember_worker.isolation import (
    accumulators,
    broadcasts,
    environment,
    modules,
    process,
    spark_files,
    task_context,
    threads,
)


def install_for_python() -> None:
    """Make the interpreter's own globals per session."""
    for concern in (environment, process, threads):
        concern.install()


def install_for_pyspark() -> None:
    """Make PySpark's globals per session."""
    for concern in (task_context, accumulators, broadcasts, spark_files):
        concern.install()


def hand_over() -> bool:
    """Make the interpreter another application's, if that finds what it would find in a new one."""
    if not modules.are_as_installed():
        return False
    process.forget_path_additions()
    return True
