"""The jar where Spark looks for it without being given its path."""

import re
import shutil
from pathlib import Path

from standalone import HOME
from submitting import JAR, REPOSITORY

GROUP, NAME = "dev.ember", "ember-spark-4.3_2.13"
POM = """<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>{group}</groupId><artifactId>{name}</artifactId><version>{version}</version>
</project>
"""
#: Where nothing but one folder is asked: a build without a network, or a company's own mirror.
IVY = """<ivysettings>
  <settings defaultResolver="folder"/>
  <resolvers><ibiblio name="folder" m2compatible="true" root="{root}"/></resolvers>
</ivysettings>
"""


def version() -> str:
    """What the build calls this one."""
    found = re.search(r'version := "(.+?)"', (REPOSITORY / "build.sbt").read_text())
    assert found
    return found[1]


def coordinates() -> str:
    return f"{GROUP}:{NAME}:{version()}"


def repository(folder: Path) -> Path:
    """A repository as Maven lays it out, with the jar in it."""
    named = {"group": GROUP, "name": NAME, "version": version()}
    place = folder.joinpath(*GROUP.split("."), NAME, version())
    place.mkdir(parents=True)
    shutil.copyfile(JAR, place / f"{NAME}-{version()}.jar")
    (place / f"{NAME}-{version()}.pom").write_text(POM.format(**named))
    return folder


def packages(folder: Path) -> dict[str, str]:
    """The settings that have Spark take the jar from a repository in ``folder``."""
    root = repository(folder / "repository").as_uri()
    settings = folder / "ivysettings.xml"
    settings.write_text(IVY.format(root=root))
    return {
        "spark.jars.packages": coordinates(),
        "spark.jars.ivySettings": str(settings),
        "spark.jars.ivy": str(folder / "ivy"),
    }


def installed(folder: Path) -> Path:
    """A Spark whose own jars have ours among them, as an image is made."""
    folder.mkdir()
    for entry in HOME.iterdir():
        if entry.name != "jars":
            (folder / entry.name).symlink_to(entry)
    jars = folder / "jars"
    jars.mkdir()
    for jar in [*(HOME / "jars").iterdir(), JAR]:
        (jars / jar.name).symlink_to(jar)
    return folder
