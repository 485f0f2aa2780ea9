"""The code blocks of a page, in their order."""

import re
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(
    r"(?:^<!-- not run: (?P<why>.+) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """One block: its language, its text, and why it is not run, if it is not."""

    language: str
    text: str
    why_not: str | None


def blocks(page: Path) -> list[Block]:
    return [
        Block(found["language"], found["text"], found["why"])
        for found in BLOCK.finditer(page.read_text(encoding="utf-8"))
    ]


def pages() -> list[Path]:
    """The pages whose every block is run."""
    return [ROOT / "docs" / "tutorial.md", *sorted((ROOT / "docs" / "how-to").glob("*.md"))]


def shown(page: Path, language: str) -> list[tuple[str, str | None]]:
    """Each block of a language that is run, with what the page says that it prints."""
    found = blocks(page)
    said = [block.text if block.language == "text" else None for block in found[1:]]
    return [
        (block.text, says)
        for block, says in zip_longest(found, said)
        if block.language == language and block.why_not is None
    ]


def pages_with(language: str) -> list[Path]:
    return [page for page in pages() if shown(page, language)]
