"""A module-level registry of PySpark's, backed by the current session."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

from ember_worker.state import CURRENT


class SessionRegistry(MutableMapping[int, Any]):
    """A mapping that is the attribute ``name`` of the current session's state."""

    def __init__(self, name: str) -> None:
        """Stand for the attribute ``name``."""
        self._name = name

    def _entries(self) -> dict[int, Any]:
        entries: dict[int, Any] = getattr(CURRENT.get(), self._name)
        return entries

    def __getitem__(self, key: int) -> Any:
        """Return the session's entry."""
        return self._entries()[key]

    def __setitem__(self, key: int, value: Any) -> None:
        """Register in the session."""
        self._entries()[key] = value

    def __delitem__(self, key: int) -> None:
        """Forget in the session."""
        del self._entries()[key]

    def __iter__(self) -> Iterator[int]:
        """Iterate over the session's keys."""
        return iter(self._entries())

    def __len__(self) -> int:
        """Return the number of the session's entries."""
        return len(self._entries())
