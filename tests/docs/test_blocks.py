"""Every code block of the tutorial and the how-to pages runs, and prints what the page says."""

import os
import subprocess
import sys
from pathlib import Path

import blocks
import pytest
from blocks import ROOT

SEPARATOR = "=== next block ==="


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory):
    """A folder, and the environment of a user who has the wheel and its jar."""
    packages = str(ROOT / "python" / "ember" / "src")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    jar = os.environ.get("EMBER_JAR", str(ROOT / "dist" / "ember-spark-4.3_2.13.jar"))
    added = {
        "PYTHONPATH": packages,
        "PYSPARK_PYTHON": sys.executable,
        "EMBER_JAR": jar,
        "PATH": path,
    }
    return tmp_path_factory.mktemp("blocks"), os.environ | added


def run(command, text, surroundings):
    folder, environment = surroundings
    done = subprocess.run(
        command,
        input=text,
        text=True,
        capture_output=True,
        cwd=folder,
        env=environment,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize("page", blocks.pages_with("python"), ids=lambda page: page.stem)
def test_the_python_of_a_page_prints_what_it_says(page, surroundings):
    wanted = blocks.shown(page, "python")
    program = f"\nprint({SEPARATOR!r})\n".join(text for text, _ in wanted)
    printed = run([sys.executable, "-"], program, surroundings).split(f"{SEPARATOR}\n")
    assert len(printed) == len(wanted)
    for told, (_, says) in zip(printed, wanted, strict=True):
        assert says is None or told.strip() == says.strip()


@pytest.mark.parametrize("page", blocks.pages_with("bash"), ids=lambda page: page.stem)
def test_the_commands_of_a_page_run(page, surroundings):
    for text, _ in blocks.shown(page, "bash"):
        run(["bash", "-eu"], text, surroundings)


def test_only_commands_are_not_run_and_each_says_why():
    skipped = [block for page in blocks.pages() for block in blocks.blocks(page) if block.why_not]
    assert {block.language for block in skipped} == {"bash"}


def test_every_block_says_what_it_is():
    known = {"python", "bash", "text"}
    assert {block.language for page in blocks.pages() for block in blocks.blocks(page)} == known
