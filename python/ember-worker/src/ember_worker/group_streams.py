"""The serializers of PySpark 3.5 to 4.1 that read groups.

Each asks a stream how many frames the next group has, and then for each frame's batches.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from pyspark.serializers import read_int
from pyspark.sql.pandas import serializers

from ember_worker import one_main
from ember_worker.rebound import rebound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    #: Reads the frames of each group of an endpoint.
    Groups = Callable[[Any], Iterable[tuple[Any, ...]]]

_read_int: Callable[[Any], int] = read_int


def load_groups(names: Iterable[str], read: Groups) -> None:
    """Have the serializers of these names load the groups that ``read`` gives of an endpoint."""
    meanings = {"read_int": partial(_frames, read), "ArrowStreamSerializer": _Frames}
    for name in names:
        serializer = getattr(serializers, name)
        serializer.load_stream = rebound(serializer.load_stream, meanings)


class Infile(one_main.Infile):
    """Goes from group to group."""

    def __init__(self, endpoint: Any) -> None:
        """Read the header of ``endpoint``, then its groups."""
        super().__init__(endpoint)
        self._groups: Iterator[tuple[Any, ...]] | None = None
        #: Of the group, those that were not asked for yet.
        self.frames: Iterator[Any] = iter(())

    def next_group(self, read: Groups) -> int:
        """Return how many frames the next group has, and 0 behind the last."""
        if self._groups is None:
            self._groups = iter(read(self.endpoint))
        group = next(self._groups, ())
        self.frames = iter(group)
        return len(group)


def _frames(read: Groups, stream: Any) -> int:
    return stream.next_group(read) if isinstance(stream, Infile) else _read_int(stream)


class _Frames:
    """``ArrowStreamSerializer`` for the serializers of groups."""

    @staticmethod
    def load_stream(serializer: Any, stream: Any) -> Iterator[Any]:
        if isinstance(stream, Infile):
            return iter(next(stream.frames))
        return serializers.ArrowStreamSerializer.load_stream(serializer, stream)
