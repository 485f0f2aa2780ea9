"""Every way to bring the jar to a cluster: functions run in its executors, and answer as ever."""

import pytest
from judging import all_embedded, processes
from packages import installed, packages
from standalone import standalone
from submitting import JAR, LOCAL_CLUSTER, PLUGIN, Application

EMBEDDED = {"spark.ember.lane": "embedded"}
QUESTIONS = ("every_kind", "witnesses")


def submitted(master, **settings):
    """The options of ``spark-submit`` that name the jar; the application knows nothing of it."""
    named = {**PLUGIN, **EMBEDDED, **settings}
    confs = [word for key, value in named.items() for word in ("--conf", f"{key}={value}")]
    return ["--master", master, "--jars", str(JAR), *confs]


def ran_on_both_nodes(told, network):
    """In the process of each node's executor, which is a JVM."""
    assert all_embedded(told["every_kind"])
    addresses = {network[name].address for name in ("one", "other")}
    assert processes(told["witnesses"]) == {address: {"java"} for address in addresses}
    assert told["lost"] == told["failed"] == 0
    return True


def ran_in_two_executors(told):
    """With a cluster in the driver's process, executors differ by their numbers alone."""
    assert all_embedded(told["every_kind"])
    assert {process for _, process, _, _ in told["witnesses"]["said"]} == {"java"}
    assert len({number for _, _, number, _ in told["witnesses"]["said"]}) == 2
    assert told["lost"] == told["failed"] == 0
    return True


def test_two_nodes_with_the_jar_as_an_option(cluster, network, tmp_path):
    options = submitted(cluster.master)
    application = Application(
        tmp_path / "app", QUESTIONS, {}, submit=options, node=network["master"]
    )
    assert ran_on_both_nodes(application.run(), network)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["builder", "packages"])
def test_two_nodes_with_the_jar_in_the_builder_or_a_repository(way, cluster, network, tmp_path):
    jar = {"spark.jars": str(JAR)} if way == "builder" else packages(tmp_path)
    settings = {"spark.master": cluster.master, **PLUGIN, **EMBEDDED, **jar}
    application = Application(tmp_path / "app", QUESTIONS, settings, node=network["master"])
    assert ran_on_both_nodes(application.run(), network)


@pytest.mark.slow
def test_two_nodes_with_the_jar_in_their_image(network, tmp_path):
    home = installed(tmp_path / "spark")
    three = [network[name] for name in ("master", "one", "other")]
    with standalone(tmp_path, three, home=home) as cluster:
        settings = {"spark.master": cluster.master, **PLUGIN, **EMBEDDED}
        told = Application(
            tmp_path / "app", QUESTIONS, settings, node=network["master"], home=home
        ).run()
    assert ran_on_both_nodes(told, network)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["option", "builder", "packages", "image"])
def test_a_local_cluster_with_the_jar(way, tmp_path):
    settings = {**LOCAL_CLUSTER, **PLUGIN, **EMBEDDED}
    more = {}
    if way == "option":
        settings, more = {}, {"submit": submitted(LOCAL_CLUSTER["spark.master"])}
    elif way == "builder":
        settings["spark.jars"] = str(JAR)
    elif way == "packages":
        settings |= packages(tmp_path)
    else:
        more = {"home": installed(tmp_path / "spark")}
    assert ran_in_two_executors(Application(tmp_path / "app", QUESTIONS, settings, **more).run())


def test_each_executor_finds_its_own_python(
    cluster, network, own_python, without_library, tmp_path
):
    if without_library is None:
        pytest.skip("no Python of this version here that needs no shared library to run")
    python = str(own_python / "bin" / "python")
    settings = {"spark.master": cluster.master, **PLUGIN, "spark.jars": str(JAR)}
    settings["spark.pyspark.python"] = python  # tells executors before a function does
    told = Application(
        tmp_path / "app",
        ("witnesses", "status"),
        settings,
        node=network["master"],
        python=python,
    ).run()
    one, other = (network[name].address for name in ("one", "other"))
    assert processes(told["witnesses"]) == {one: {"java"}, other: {"python3.11"}}
    assert {executable for _, _, _, executable in told["witnesses"]["said"]} == {python}
    assert told["witnesses"]["on_spark"] == 0, told["witnesses"]["reasons"]
    found = {row["host"]: row for row in told["status"]}
    assert (found[one]["problem"], found[one]["library"] is None) == (None, False)
    assert found[other]["problem"].startswith("no shared libpython")
    assert found[other]["library"] is None
    assert {row["python"] for row in found.values()} == {python}
