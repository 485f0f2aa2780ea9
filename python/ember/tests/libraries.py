"""Builds the libraries that tests of native functions load."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def rust() -> str:
    """Build the example of the crate ``ember-udf``."""
    build = ["cargo", "build", "--locked", "-p", "ember-udf", "--example", "numbers_and_text"]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    return str(ROOT / "target" / "debug" / "examples" / "libnumbers_and_text.so")


def wrong(folder: Path) -> str:
    """Build the functions in C that are wrong, each in its own way."""
    library = folder / "libwrong.so"
    source = Path(__file__).with_name("wrong.c")
    flags = ["-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", f"-I{ROOT / 'native/udf/include'}"]
    subprocess.run(["cc", *flags, str(source), "-o", str(library)], check=True)
    return str(library)
