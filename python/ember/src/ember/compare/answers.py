"""What an action answered, as something that two runs can be compared by.

Rows are compared as a set with repetitions: Spark gives no order unless it is asked for one.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Answers of no more rows are kept as they are, so that a difference can be shown.
KEPT_ROWS: Final = 1000
_LONGEST: Final = 300
_MODULUS: Final = 1 << 128


@dataclass(frozen=True)
class Answer:
    """So many rows, a digest of them in any order, and the rows where they are few."""

    rows: int
    digest: str
    kept: list[str] | None = None


@dataclass
class Action:
    """One action of the application; without an answer or an error it was only timed."""

    name: str
    where: str
    seconds: float = 0.0
    answer: Answer | None = None
    error: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Give what :meth:`from_json` takes."""
        return asdict(self)

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Action:
        """Read one that another process has told."""
        answer = told["answer"]
        return cls(**{**told, "answer": None if answer is None else Answer(**answer)})


@dataclass
class Sum:
    """Adds rows up, in whatever order they come."""

    rows: int = 0
    digest: int = 0
    kept: list[str] | None = field(default_factory=list)

    def add(self, text: str) -> None:
        """Count one row in."""
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        self.digest = (self.digest + int.from_bytes(digest, "big")) % _MODULUS
        self.rows += 1
        if self.kept is not None:
            self.kept.append(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")
            if self.rows > KEPT_ROWS:
                self.kept = None

    def answer(self) -> Answer:
        """Give the sum."""
        kept = None if self.kept is None else sorted(self.kept)
        return Answer(self.rows, f"{self.digest:032x}", kept)


def of_rows(rows: Iterable[Any]) -> Answer:
    """Sum rows up."""
    total = Sum()
    for row in rows:
        total.add(canonical(row))
    return total.answer()


def of_value(value: Any) -> Answer:
    """Take one value, or no rows or one, for what a table of it would be."""
    return of_rows(value if isinstance(value, list) else [value])


def of_text(text: str) -> Answer:
    """Take each line of a text for a row."""
    total = Sum()
    for line in text.splitlines():
        total.add(line)
    return total.answer()


def of_pandas(frame: Any) -> Answer:
    """Sum up the rows of a frame of pandas, with its names and types as a row of their own."""
    head = [(str(name), str(kind)) for name, kind in frame.dtypes.items()]
    return of_rows([head, *frame.itertuples(index=False, name=None)])


def of_arrow(table: Any) -> Answer:
    """Sum up the rows of an Arrow table, with its names and types as a row of their own."""
    head = [(field.name, str(field.type)) for field in table.schema]
    columns = (column.to_pylist() for column in table.columns)
    return of_rows([head, *zip(*columns, strict=True)])


def canonical(value: Any) -> str:
    """Write a value so that equal values of equal types give equal texts."""
    if isinstance(value, dict):
        pairs = sorted(f"{canonical(key)}: {canonical(each)}" for key, each in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list | tuple):
        names = getattr(value, "__fields__", None)
        texts = [canonical(each) for each in value]
        if names is not None and len(names) == len(texts):
            texts = [f"{name}={text}" for name, text in zip(names, texts, strict=True)]
        return f"[{', '.join(texts)}]" if isinstance(value, list) else f"({', '.join(texts)})"
    if getattr(value, "ndim", 0):  # numpy shows some of an array
        return f"{value.dtype} {canonical(value.tolist())}"
    return repr(value)
