"""Known differences, each with its reason.  One that goes away fails until it leaves here."""

from parity.kinds import ARROW, EVERY, PANDAS, ROW

DEPTH = "3.11 saves a level of recursion on calls it has seen often; Spark's worker may be new"

KNOWN: dict[str, str] = {}

AHEAD = (
    "Spark's worker has read the next file before a row of the last one comes back; a lane may not"
)

# Whether it shows depends on which lane a task is given, or on how fast it is.
SOMETIMES = {
    **{f"input_file_names-{kind.name}": AHEAD for kind in (ROW, PANDAS, ARROW)},
    "thread_name": "only the first lane is Python's main thread; the others are called Dummy-N",
    **{f"recursion_error-{kind.name}": DEPTH for kind in EVERY},
}
