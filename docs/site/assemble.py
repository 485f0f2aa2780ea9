"""Lay the documents of the repository out as the site has them, under target/docs/pages.

python docs/site/assemble.py

The site has every document where the repository has it, so the same links work in both. What they
link to that is no document (sources, kept runs) is copied beside them; a link to what is not there
is an error of the build.
"""

import re
import shutil
import subprocess
from pathlib import Path

import benchmarks

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "target" / "docs" / "pages"
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
#: Files that are the repository's own business.
LEFT_OUT = (".github/", "changes/", "tests/")


def main() -> None:
    """Copy the documents and what they link to, and draw the benchmarks."""
    shutil.rmtree(PAGES, ignore_errors=True)
    documents = [name for name in tracked("*.md") if not name.startswith(LEFT_OUT)]
    linked = {target for name in documents for target in links(name)}
    for name in sorted({*documents, *linked}):
        copy(name)
    benchmarks.write(PAGES / "docs" / "reference")


def tracked(pattern: str) -> list[str]:
    """Return the files of the repository that match, new ones too."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", pattern]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return sorted(name for name in set(names.split("\0")) if name and (ROOT / name).is_file())


def links(name: str) -> list[str]:
    """Return the files of the repository that a document links to."""
    text = (ROOT / name).read_text(encoding="utf-8")
    targets = [link for link in LINK.findall(text) if "://" not in link]
    found = [(ROOT / name).parent.joinpath(target).resolve() for target in targets]
    return [str(path.relative_to(ROOT)) for path in found if path.is_file()]


def copy(name: str) -> None:
    """Copy one file to the same place of the site."""
    (PAGES / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ROOT / name, PAGES / name)


if __name__ == "__main__":
    main()
