"""Makes environments as users have them, under ``target/environments``, once.

An environment that cannot be made here (no such Python, no tool to make it with) raises
``NotHereError`` with the reason; the tests are then skipped with it.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PLACE = Path(os.environ.get("EMBER_ENVIRONMENTS", REPOSITORY / "target" / "environments"))
TOOLS = ("uv==0.13.8", "venv-pack==0.2.0")
PACKAGES = ("pandas==2.3.3", "pyarrow==22.0.0", "numpy==2.3.5")
#: The newest that have an older Python.
OLDER_PACKAGES = {
    "3.9": ("pandas==2.3.3", "pyarrow==21.0.0", "numpy==2.0.2"),
    "3.10": ("pandas==2.3.3", "pyarrow==22.0.0", "numpy==2.2.6"),
}
SPARK = "4.3.0"
PYSPARK = f"pyspark=={SPARK}"
NEWEST_MINOR = STANDALONE_MINOR = "3.14"


class NotHereError(Exception):
    """This machine has not what the environment is made from."""


def once(name: str, make: Callable[[Path], None]) -> Path:
    """Make the folder, unless it was made before; half of one is never kept."""
    done, folder = PLACE / f"{name}.made", PLACE / name
    if not done.exists():
        shutil.rmtree(folder, ignore_errors=True)
        PLACE.mkdir(parents=True, exist_ok=True)
        make(folder)
        done.touch()
    return folder


def venv(name: str, python: Path, *packages: str) -> Path:
    """The Python of a virtual environment, made by that Python itself."""

    def make(folder: Path) -> None:
        run([str(python), "-m", "venv", "--without-pip", str(folder)])
        install(folder / "bin" / "python", packages)

    return once(name, make) / "bin" / "python"


def uv_venv(name: str, python: Path, *packages: str) -> Path:
    """The Python of a virtual environment made by uv, which uses links where venv copies."""

    def make(folder: Path) -> None:
        uv("venv", "--quiet", "--no-python-downloads", "--python", str(python), str(folder))
        install(folder / "bin" / "python", packages)

    return once(name, make) / "bin" / "python"


def pyenv(minor: str) -> Path:
    """The newest Python of this minor version that pyenv has built."""
    return newest_of_pyenv(re.escape(minor) + r"\.(\d+)", f"pyenv has no Python {minor}")


def free_threaded() -> Path:
    """The newest Python without the lock that pyenv has built; a ``t`` ends its name."""
    lack = f"pyenv has no free-threaded Python up to {NEWEST_MINOR}"
    return newest_of_pyenv(r"3\.(1[34])\.(\d+)t", lack)


def newest_of_pyenv(name: str, lack: str) -> Path:
    """The newest of those whose names match: each group is a number."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    matches = ((re.fullmatch(name, path.name), path) for path in (root / "versions").glob("*"))
    found = sorted((tuple(map(int, match.groups())), path) for match, path in matches if match)
    if not found:
        raise NotHereError(lack)
    return found[-1][1] / "bin" / "python"


def debian() -> Path:
    """The system's own Python, whose executable does not use the shared library."""
    python = Path("/usr/bin/python3")
    if not (python.exists() and Path("/etc/debian_version").exists()):
        raise NotHereError("not a Debian with python3")
    if run([str(python), "-c", "import sys; print(sys.version_info >= (3, 11))"]).strip() != "True":
        raise NotHereError("Debian's python3 is older than Spark needs")
    return python


def standalone() -> Path:
    """A Python 3.14 that uv manages (a build of python-build-standalone), if uv has one here."""
    find = ("python", "find", "--managed-python", "--no-python-downloads", STANDALONE_MINOR)
    try:
        python = Path(uv(*find).strip())
    except AssertionError as refused:
        lack = f"uv manages no Python {STANDALONE_MINOR} here"
        raise NotHereError(lack) from refused
    return python.resolve()


def pyenv_venv(minor: str) -> Path:
    return venv(f"pyenv-{minor}", pyenv(minor), *PACKAGES, PYSPARK)


def other_spark(version: str) -> Path:
    """A virtual environment with another Spark, and the packages that its Python functions need."""
    return spark(version, "3.11")


def spark(version: str, minor: str) -> Path:
    """One with this Spark on a Python of this minor version."""
    name = f"spark-{version}" if minor == "3.11" else f"spark-{version}-{minor}"
    release, _, scala = version.partition("_")
    packages = (*OLDER_PACKAGES.get(minor, PACKAGES), f"pyspark=={release}")
    try:
        python = venv(name, pyenv(minor), *packages)
    except NotHereError:
        if minor != STANDALONE_MINOR:
            raise
        return uv_venv(name, standalone(), *packages)
    if scala:
        take_jars(python, version)
    return python


def take_jars(python: Path, version: str) -> None:
    """Lay the jars of a Spark of another Scala in the place of those that PySpark brought."""
    run([str(REPOSITORY / "ci" / "spark_jars"), version])
    theirs = REPOSITORY / "target" / "spark" / version / "jars"
    (package,) = python.parents[1].glob("lib/python3.*/site-packages/pyspark")
    jars = package / "jars"
    if jars.resolve() == theirs.resolve():
        return
    if jars.is_symlink():
        jars.unlink()
    else:
        shutil.rmtree(jars)
    jars.symlink_to(theirs)


def free_threaded_venv() -> Path:
    return venv("free-threaded", free_threaded(), *PACKAGES, PYSPARK)


def debian_venv() -> Path:
    return venv("debian", debian(), *PACKAGES, PYSPARK)


def hide_debians_libraries() -> list[str]:
    """Commands that make it look as if the package libpython3.x were not installed."""
    libraries = [
        *Path("/usr/lib").glob("*/libpython3*.so*"),
        *Path("/usr/lib").glob("python3*/config-*/libpython3*.so"),
    ]
    return [f"mount --bind /dev/null {path}" for path in libraries if not path.is_symlink()]


def uv_managed() -> Path:
    """What ``uv venv`` makes of a Python that uv manages."""
    return uv_venv("uv-3.14", standalone(), *PACKAGES, PYSPARK)


def slim() -> Path:
    """A Python whose shared library was left out, as slim images do."""

    def make(folder: Path) -> None:
        shutil.copytree(standalone().parents[1], folder, symlinks=True)
        for library in (folder / "lib").glob("libpython*"):
            library.unlink()

    return once("slim-python", make) / "bin" / "python3.14"


def slim_venv() -> Path:
    return uv_venv("slim", slim(), *PACKAGES, PYSPARK)


def relocatable_archive() -> Path:
    """A whole Python with packages and without PySpark, as a tarball for ``spark.archives``."""

    def python(folder: Path) -> None:
        shutil.copytree(standalone().parents[1], folder, symlinks=True)
        install(folder / "bin" / "python3.14", PACKAGES, "--break-system-packages")

    def archive(folder: Path) -> None:
        folder.mkdir()
        source = str(once("relocatable", python))
        run(["tar", "-C", source, "-czf", str(folder / "environment.tar.gz"), "."])

    return once("relocatable-archive", archive) / "environment.tar.gz"


def packed_venv(minor: str) -> Path:
    """A virtual environment as venv-pack packs it: its Python is a link to one on the node."""

    def make(folder: Path) -> None:
        folder.mkdir()
        prefix = str(venv(f"plain-{minor}", pyenv(minor), *PACKAGES).parents[1])
        packed = str(folder / "environment.tar.gz")
        run([str(tools() / "venv-pack"), "--quiet", "--prefix", prefix, "--output", packed])

    return once(f"packed-{minor}", make) / "environment.tar.gz"


def install(python: Path, packages: tuple[str, ...], *options: str) -> None:
    """Have uv install them; PySpark from one wheel, which takes a minute to make."""
    named = [str(pyspark(name)) if name.startswith("pyspark==") else name for name in packages]
    uv("pip", "install", "--quiet", "--python", str(python), *options, *named)


def pyspark(requirement: str) -> Path:
    """PySpark has no wheel on PyPI."""

    def make(folder: Path) -> None:
        pip = [str(tools() / "python"), "-m", "pip", "wheel", "--quiet", "--no-deps"]
        run([*pip, "--wheel-dir", str(folder), requirement])

    version = requirement.removeprefix("pyspark==")
    name = "wheels" if version == SPARK else f"wheels-{version}"
    return next(once(name, make).glob("pyspark-*.whl"))


def uv(*arguments: str) -> str:
    cache = {"UV_CACHE_DIR": str(PLACE / "uv-cache"), "UV_SYSTEM_CERTS": "1"}
    return run([str(tools() / "uv"), *arguments], **cache)


def tools() -> Path:
    """Where the programs are that make environments."""

    def make(folder: Path) -> None:
        run([sys.executable, "-m", "venv", str(folder)])
        run([str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *TOOLS])

    return once("tools", make) / "bin"


def succeeds(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def run(command: list[str], **more: str) -> str:
    done = subprocess.run(
        command, env={**os.environ, **more}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}\n{done.stderr}"
    return done.stdout
