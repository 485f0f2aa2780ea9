"""Sessions with Ember on: Spark's own builder, with the jar and the plugin added to what it has.

Where it cannot be added from here (a client of somebody's Connect server, an application of
spark-submit, a SparkContext that runs already), a warning says where it can, and the session is
Spark's alone. The Connect server that PySpark starts by itself takes no plugins, but a setting.
"""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Any, Final

from pyspark import util
from pyspark.sql import SparkSession

from ember import submit
from ember.errors import EmberError, EmberWarning
from ember.jars import jar

if TYPE_CHECKING:
    from collections.abc import Mapping

PLUGIN: Final = "dev.ember.EmberPlugin"
PLUGINS: Final = "spark.plugins"
JARS: Final = "spark.jars"
ENABLED: Final = "spark.ember.enabled"
_FOR_SERVERS: Final = (
    "with Spark Connect it is in the server. Start that with `--jars PATH --conf "
    f"{PLUGINS}={PLUGIN}`, where `python -m ember.jars` prints the path; sessions of a server "
    "that has it have the table function ember_status()"
)


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
    connect = is_connect(options)
    if connect and not _starts_server(options):
        raise OutOfReachError(_FOR_SERVERS)
    started = _started()
    if started is not None and _is_on(started, connect=connect):
        return {}
    if (obstacle := _obstacle(started, connect=connect)) is not None:
        raise OutOfReachError(obstacle)
    settings = _settings(options, started)
    if connect:
        added = {} if _first(ENABLED, settings) else {ENABLED: "true"}
    else:
        added = {PLUGINS: _with(PLUGIN, _first(PLUGINS, settings))}
    if started is None:
        added[JARS] = _with(str(jar()), _first(JARS, settings))
    return added


def without_ember(options: Mapping[str, Any]) -> str:
    """Return the other plugins of an application with ``options``, wherever they are named."""
    named = _first(PLUGINS, _settings(options, _started()))
    return ",".join(name for name in named.split(",") if name.strip() != PLUGIN)


def is_connect(options: Mapping[str, Any]) -> bool:
    """Whether a session with ``options`` is one of Spark Connect, as PySpark decides it."""
    mode = str(options.get("spark.api.mode", os.environ.get("SPARK_API_MODE", ""))).lower()
    if mode not in ("classic", "connect"):
        mode = getattr(util, "default_api_mode", lambda: "classic")()  # Spark 3.5 has no modes
    return (
        "spark.remote" in options
        or "SPARK_REMOTE" in os.environ
        or "SPARK_CONNECT_MODE_ENABLED" in os.environ
        or mode == "connect"
    )


class _Builder(SparkSession.Builder):
    """Turns Ember on as the session is made, so that it is added to all that was set before."""

    def getOrCreate(self) -> SparkSession:  # noqa: N802 - Spark's name
        enable(self)
        return super().getOrCreate()

    def create(self) -> SparkSession:
        enable(self)
        return super().create()


def _starts_server(options: Mapping[str, Any]) -> bool:
    """Whether PySpark starts the Connect server by itself, with this session's settings."""
    if getattr(util, "is_remote_only", lambda: False)():
        return False
    url = str(options.get("spark.remote", os.environ.get("SPARK_REMOTE", "local")))
    reuse = os.environ.get("SPARK_LOCAL_CONNECT_REUSE", "")
    reuse = str(options.get("spark.local.connect.reuse", reuse)).lower()
    return not url.startswith("sc://") and reuse not in ("1", "true")


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


def _is_on(started: Mapping[str, str], *, connect: bool) -> bool:
    """Whether the JVM that runs has Ember, or will have it without more."""
    if connect:
        return started.get(ENABLED, "false") != "false" and _is_loadable()
    return _names(PLUGIN, started.get(PLUGINS, ""))


def _is_loadable() -> bool:
    """Whether the JVM that runs has the jar on its class path."""
    from pyspark import SparkContext  # noqa: PLC0415 - as above

    classes: Any = getattr(SparkContext._jvm, "org.apache.spark.util.Utils")  # noqa: SLF001
    return bool(classes.classIsLoadable(PLUGIN))


def _obstacle(started: dict[str, str] | None, *, connect: bool) -> str | None:
    """Say why Ember cannot be added from here, and what to do."""
    from pyspark import SparkContext  # noqa: PLC0415 - as above

    if SparkContext._active_spark_context is not None:  # noqa: SLF001 - as above
        return "plugins are read when a SparkContext starts, and one runs: stop it before"
    if started is None:
        named = submit.arguments().get(JARS)
        if named is None or _names(str(jar()), named):
            return None
        return f"{submit.ARGUMENTS} names jars, which win over a session's: add {jar()} to them"
    if _is_loadable():
        return None
    if _is_submitted():
        setting = f"{ENABLED}=true" if connect else f"{PLUGINS}={PLUGIN}"
        options = f'--jars "$(python -m ember.jars)" --conf {setting}'
        return f"spark-submit's jars are fixed before the application: spark-submit {options} …"
    return "its JVM was started without the jar: use ember.session() for the first session"


def _settings(
    options: Mapping[str, Any], started: Mapping[str, str] | None
) -> list[Mapping[str, Any]]:
    if started is not None:
        return [options, submit.arguments(), started]
    return [options, submit.arguments(), *submit.files()]


def _first(key: str, settings: list[Mapping[str, Any]]) -> str:
    """Return a setting as the first has it that does: they are sorted as Spark would ask them."""
    return next((str(each[key]) for each in settings if each.get(key)), "")


def _with(name: str, names: str) -> str:
    return names if _names(name, names) else ",".join([*filter(None, [names]), name])


def _names(name: str, names: str) -> bool:
    return name in (each.strip() for each in names.split(","))
