"""Known differences, each with its reason.  One that goes away fails until it leaves here."""

from parity.kinds import EVERY

DEPTH = "fewer frames lie below a function, so that it may recurse a few calls deeper"

KNOWN = {
    "arguments": "an embedded interpreter has no command line: sys.orig_argv is empty",
    "signals": "the signals are the JVM's: SIGINT and SIGPIPE stay as it set them",
    "standard_streams": "sys.stdout gives backslashes for what it cannot encode, not bytes",
    "dictionary-map_in_arrow": "a dictionary is refused before Spark's accessor refuses it",
    **{f"recursion_error-{kind.name}": DEPTH for kind in EVERY},
}

# Whether it shows depends on which lane a task is given.
SOMETIMES = {
    "thread_name": "only the first lane is Python's main thread; the others are called Dummy-N",
}
