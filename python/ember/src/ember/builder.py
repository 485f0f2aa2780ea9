"""Sessions with Ember on: Spark's own builder, with the jar and the plugin added to what it has.

Where a plugin cannot be added from here (a Spark Connect client, an application of spark-submit, a
SparkContext that runs already), a warning says where it can, and the session is Spark's alone.
"""

from __future__ import annotations

import os
import re
import shlex
import warnings
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pyspark.find_spark_home import _find_spark_home
from pyspark.sql import SparkSession

from ember.errors import EmberError, EmberWarning
from ember.jars import jar

if TYPE_CHECKING:
    from collections.abc import Mapping

PLUGIN: Final = "dev.ember.EmberPlugin"
PLUGINS: Final = "spark.plugins"
JARS: Final = "spark.jars"
SUBMIT_ARGUMENTS: Final = "PYSPARK_SUBMIT_ARGS"


def session() -> SparkSession.Builder:
    """Return a builder of sessions with Ember on, to go on with as with ``SparkSession.builder``.

    >>> spark = ember.session().appName("mine").getOrCreate()
    """
    return _Builder()


def enable(builder: SparkSession.Builder) -> SparkSession.Builder:
    """Add Ember to the plugins and jars that a builder has, and return it.

    Call it last: plugins and jars that are set after it replace what it has set.

    Raises
    ------
    EmberError
        There is no jar for the installed Spark.
    """
    try:
        for key, value in additions(builder._options).items():  # noqa: SLF001 - no other way
            builder.config(key, value)
    except OutOfReachError as reason:
        warnings.warn(f"this session is without Ember: {reason}", EmberWarning, stacklevel=2)
    return builder


class OutOfReachError(EmberError):
    """The plugin cannot be added from here; the words say where it can."""


def additions(options: Mapping[str, Any]) -> dict[str, str]:
    """Return the settings that an application with ``options`` needs beside them for Ember."""
    if _is_connect(options):
        raise OutOfReachError(_for_servers(options))
    started = _started()
    if started is not None and _names(PLUGIN, started.get(PLUGINS, "")):
        return {}
    if (obstacle := _obstacle(started)) is not None:
        raise OutOfReachError(obstacle)
    settings = _settings(options, started)
    added = {PLUGINS: _with(PLUGIN, _first(PLUGINS, settings))}
    if started is None:
        added[JARS] = _with(str(jar()), _first(JARS, settings))
    return added


def without_ember(options: Mapping[str, Any]) -> str:
    """Return the other plugins of an application with ``options``, wherever they are named."""
    named = _first(PLUGINS, _settings(options, _started()))
    return ",".join(name for name in named.split(",") if name.strip() != PLUGIN)


class _Builder(SparkSession.Builder):
    """Turns Ember on as the session is made, so that it is added to all that was set before."""

    def getOrCreate(self) -> SparkSession:  # noqa: N802 - Spark's name
        enable(self)
        return super().getOrCreate()

    def create(self) -> SparkSession:
        enable(self)
        return super().create()


def _is_connect(options: Mapping[str, Any]) -> bool:
    mode = options.get("spark.api.mode", os.environ.get("SPARK_API_MODE", ""))
    return (
        "spark.remote" in options
        or "SPARK_REMOTE" in os.environ
        or "SPARK_CONNECT_MODE_ENABLED" in os.environ
        or str(mode).lower() == "connect"
    )


def _for_servers(options: Mapping[str, Any]) -> str:
    remote = str(options.get("spark.remote", os.environ.get("SPARK_REMOTE", "local")))
    words = (
        "with Spark Connect it is in the server. Start that with `--jars PATH --conf "
        f"{PLUGINS}={PLUGIN}`, where `python -m ember.jars` prints the path; sessions of a server "
        "that has it have the table function ember_status()"
    )
    if remote.startswith("local"):
        words += (
            ". The server that PySpark starts by itself takes no plugins: there, set spark.jars to "
            "the path, and spark.ember.enabled to true"
        )
    return words


def _started() -> dict[str, str] | None:
    """Return the settings of the JVM where one runs already: what starts in it begins with them."""
    from pyspark import SparkConf, SparkContext  # noqa: PLC0415 - a Connect client has none

    running = SparkContext._active_spark_context  # noqa: SLF001 - PySpark's own way to ask
    if running is not None:
        return dict(running.getConf().getAll())
    if _is_submitted() or SparkContext._gateway is not None:  # noqa: SLF001 - as above
        SparkContext._ensure_initialized()  # noqa: SLF001 - as above
        return dict(SparkConf().getAll())
    return None


def _is_submitted() -> bool:
    return "PYSPARK_GATEWAY_PORT" in os.environ


def _obstacle(started: dict[str, str] | None) -> str | None:
    """Say why the plugin cannot be added from here, and what to do."""
    from pyspark import SparkContext  # noqa: PLC0415 - as above

    if SparkContext._active_spark_context is not None:  # noqa: SLF001 - as above
        return "plugins are read when a SparkContext starts, and one runs: stop it before"
    if started is None:
        named = _submit_arguments().get(JARS)
        if named is None or _names(str(jar()), named):
            return None
        return f"{SUBMIT_ARGUMENTS} names jars, which win over a session's: add {jar()} to them"
    classes: Any = getattr(SparkContext._jvm, "org.apache.spark.util.Utils")  # noqa: SLF001
    if classes.classIsLoadable(PLUGIN):
        return None
    if _is_submitted():
        options = f'--jars "$(python -m ember.jars)" --conf {PLUGINS}={PLUGIN}'
        return f"spark-submit's jars are fixed before the application: spark-submit {options} …"
    return "its JVM was started without the jar: use ember.session() for the first session"


def _settings(
    options: Mapping[str, Any], started: Mapping[str, str] | None
) -> list[Mapping[str, Any]]:
    return [options, _submit_arguments(), _defaults() if started is None else started]


def _first(key: str, settings: list[Mapping[str, Any]]) -> str:
    """Return a setting as the first has it that does: they are sorted as Spark would ask them."""
    return next((str(each[key]) for each in settings if each.get(key)), "")


def _submit_arguments() -> dict[str, str]:
    """Read the settings that PySpark will hand to spark-submit."""
    words = shlex.split(os.environ.get(SUBMIT_ARGUMENTS, ""))
    settings = {}
    parts = (word.split("=", 1) if word.startswith("--") else [word] for word in words)
    for option, value in pairwise(chain.from_iterable(parts)):
        if option in ("--conf", "-c"):
            key, _, setting = value.partition("=")
            settings[key] = setting
        elif option == "--jars":
            settings[JARS] = value
    return settings


def _defaults() -> dict[str, str]:
    """Read ``spark-defaults.conf``, whose settings those of a builder replace."""
    folder = os.environ.get("SPARK_CONF_DIR") or Path(_find_spark_home(), "conf")
    try:
        lines = Path(folder, "spark-defaults.conf").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    found = (re.fullmatch(r"\s*(spark\.[^\s=:]+)\s*[\s=:]\s*(.*?)\s*", line) for line in lines)
    return {match[1]: match[2] for match in found if match}


def _with(name: str, names: str) -> str:
    return names if _names(name, names) else ",".join([*filter(None, [names]), name])


def _names(name: str, names: str) -> bool:
    return name in (each.strip() for each in names.split(","))
