"""Data sources in Java, compiled when a case asks for them."""

import functools
import subprocess
import tempfile
import zipfile
from pathlib import Path

import pyspark

SOURCES = Path(__file__).resolve().parents[1] / "sources"


@functools.cache
def compiled(name: str) -> Path:
    """Compile one source against Spark's own jars; return the jar."""
    folder = Path(tempfile.mkdtemp(prefix="parity-"))
    jars = Path(pyspark.__file__).parent / "jars"
    command = ["javac", "-cp", f"{jars}/*", "-d", str(folder), str(SOURCES / f"{name}.java")]
    subprocess.run(command, check=True)
    jar = folder / f"{name}.jar"
    with zipfile.ZipFile(jar, "w") as archive:
        for file in folder.rglob("*.class"):
            archive.write(file, file.relative_to(folder))
    return jar


def table(spark, name: str):
    """The table of a source, which the session knows from now on."""
    spark.sql(f"ADD JAR '{compiled(name)}'")
    return spark.read.format(f"parity.{name}").load()
