"""What the wheel holds beside its Python: the jars of ``dist``, and a tag for where they run."""

import re
import zipfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

REPOSITORY = Path(__file__).resolve().parents[2]
JAR = re.compile(r"ember-spark-\d+\.\d+_\d+\.\d+\.jar")
#: The oldest glibc that the native libraries need, as ci/build makes and ci/jar_check checks them.
PLATFORM = "manylinux_2_17_{machine}.manylinux2014_{machine}"


class WheelContents(BuildHookInterface[Any]):
    """Adds the jars that ``ci/build`` left, for machines that policies have a kernel for too."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the files and the tag."""
        if version == "editable":
            return
        dist = REPOSITORY / "dist"
        jars = sorted(path for path in dist.glob("*.jar") if JAR.fullmatch(path.name))
        if not jars:
            message = f"{dist} holds no jar: ci/build makes it, and the wheel after it"
            raise FileNotFoundError(message)
        machines = sorted(set.intersection(*map(machines_of, jars)))
        for machine in machines:
            kernel = Path(self.root, f"src/ember/policy/native/linux-{machine}/libember_policy.so")
            if not kernel.is_file():
                message = f"{kernel} is missing, and the jar is for {machine} too: run ci/build"
                raise FileNotFoundError(message)
        build_data["force_include"].update({str(jar): f"ember/plugin/{jar.name}" for jar in jars})
        build_data["sbom_files"] += [str(path) for path in dist.glob("ember_spark.cdx.json")]
        platforms = ".".join(PLATFORM.format(machine=machine) for machine in machines)
        build_data["tag"] = f"py3-none-{platforms}"
        build_data["pure_python"] = False


def machines_of(jar: Path) -> set[str]:
    """Name the machines that a jar has native libraries for."""
    with zipfile.ZipFile(jar) as archive:
        names = archive.namelist()
    found = (re.fullmatch(r"native/linux-(\w+)/libember\.so", name) for name in names)
    return {match[1] for match in found if match}
