"""The code blocks of every page of the repository, in their order."""

import re
import subprocess
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from pathlib import Path

from not_run import NOT_RUN

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^ *(```|~~~)", re.MULTILINE)
BLOCK = re.compile(
    r"(?P<alone>^<!-- a program of its own -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """One block, and what the page says that it prints, where a block of text follows it."""

    page: str
    language: str
    text: str
    alone: bool
    says: str | None = None

    @property
    def why_not(self) -> str | None:
        """Why it is not run, if it is not."""
        named = (NOT_RUN[key] for key in NOT_RUN if self.begins(*key))
        return next(named, None)

    def begins(self, page: str, words: str) -> bool:
        return self.page == page and self.text.startswith(words)


def pages() -> list[str]:
    """Every page that git tracks or would track."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return sorted(name for name in set(names.split("\0")) if name and (ROOT / name).is_file())


@cache
def of(page: str) -> tuple[Block, ...]:
    found = list(BLOCK.finditer((ROOT / page).read_text(encoding="utf-8")))
    said = [block["text"] if block["language"] == "text" else None for block in found[1:]]
    return tuple(
        Block(page, block["language"], block["text"], block["alone"] is not None, says)
        for block, says in zip_longest(found, said)
    )


def fences(page: str) -> int:
    """How many lines of the page begin or end a block, as Markdown has it."""
    return len(FENCE.findall((ROOT / page).read_text(encoding="utf-8")))


def run(page: str, *languages: str) -> list[Block]:
    """The blocks of these languages that are run."""
    return [block for block in of(page) if block.language in languages and not block.why_not]


def programs() -> list[tuple[Block, ...]]:
    """A page is one program, but for blocks that say they are one of their own."""
    found = []
    for page in pages():
        blocks = run(page, "python", "sql")
        found.append(tuple(block for block in blocks if not block.alone))
        found += [(block,) for block in blocks if block.alone]
    return [program for program in found if program]


def commands() -> list[Block]:
    """What stands on several pages is one."""
    every = (block for page in pages() for block in run(page, "bash"))
    return list({(block.text, block.says): block for block in every}.values())
