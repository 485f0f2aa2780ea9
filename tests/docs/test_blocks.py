"""Every code block of every page runs, and prints what the page says, or has its reason."""

import re

import blocks
import pytest
from not_run import NOT_RUN

SEPARATOR = "=== next block ==="
RUN = {"python", "sql", "bash"}
SHOWN = {"text"}
#: Ember's own tables are there only where it was loaded.
LOADED = "\nspark.sql('SELECT * FROM ember_status()').collect()\n"


@pytest.mark.parametrize("program", blocks.programs(), ids=lambda program: program[0].page)
def test_a_program_prints_what_its_page_says(program, reader, request):
    if any("/path/on/every/node/libtexts.so" in block.text for block in program):
        request.getfixturevalue("library")
    text = f"\nprint({SEPARATOR!r})\n".join(map(as_python, program))
    printed = reader.runs(text + (LOADED if turns_ember_on(text) else ""))
    told = printed.split(f"{SEPARATOR}\n")
    assert len(told) == len(program)
    for found, block in zip(told, program, strict=True):
        assert block.says is None or found.strip() == block.says.strip()


@pytest.mark.parametrize("block", blocks.commands(), ids=lambda block: block.page)
def test_commands_run(block, reader):
    printed = reader.types(block.text)
    assert block.says is None or printed.strip() == block.says.strip()


def test_every_block_is_run_or_has_its_reason():
    neither = [
        (block.page, block.language, block.text)
        for page in blocks.pages()
        for block in blocks.of(page)
        if block.language not in RUN | SHOWN and block.why_not is None
    ]
    assert neither == []


@pytest.mark.parametrize("page", [page for page in blocks.pages() if blocks.fences(page)])
def test_no_block_is_written_so_that_it_is_not_seen(page):
    assert blocks.fences(page) == 2 * len(blocks.of(page))


def test_every_reason_is_for_one_block_that_is_there():
    every = [block for page in blocks.pages() for block in blocks.of(page)]
    found = {key: sum(block.begins(*key) for block in every) for key in NOT_RUN}
    assert found == dict.fromkeys(NOT_RUN, 1)


def as_python(block):
    """Statements of SQL are run by the session of the page."""
    if block.language == "python":
        return block.text
    statements = re.sub("--.*", "", block.text).split(";")
    asked = (f"spark.sql({each.strip()!r}).show()" for each in statements if each.strip())
    return "\n".join(asked)


def turns_ember_on(text):
    on = "ember.session()" in text or "spark.ember.enabled" in text
    return on and "spark.stop()" not in text
