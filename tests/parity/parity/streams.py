"""Runs a streaming query's two legs over the same files, and judges them by their micro-batches."""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from parity import outcome, witness
from parity.case import Case, Leg
from parity.legs import ENABLED, Legs

LIMIT_S = 240
SCHEMA = "k string, v long, t timestamp"


@dataclass(frozen=True)
class Stream:
    """One question: what ``through`` makes of a stream of files, a micro-batch a file."""

    name: str
    through: Callable[[DataFrame], DataFrame]
    nodes: frozenset[str]
    mode: str = "append"
    fails: bool = False
    conf: Mapping[str, str] = field(default_factory=dict)

    def case(self) -> Case:
        """The same as the judge of queries knows it."""
        return Case(self.name, self.started, self.nodes, self.conf, self.fails)

    def started(self, _spark: SparkSession) -> DataFrame:
        """A stream is started by `Streams`, and not by the legs of queries."""
        raise NotImplementedError


class Streams:
    """The pair of legs.  ``folder`` takes files, checkpoints and what sinks write."""

    def __init__(self, legs: Legs, folder: Path) -> None:
        self.legs = legs
        self.spark = legs.spark
        self.folder = folder

    def files(self, name: str, *batches: list[tuple[str, int, str]]) -> Path:
        """A file for each micro-batch, behind those that are there."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        for rows in batches:
            number = len(list(folder.iterdir()))
            lines = [json.dumps({"k": key, "v": value, "t": at}) for key, value, at in rows]
            path = folder / f"{number:05d}.json"
            path.write_text("\n".join(lines))
            os.utime(path, (1_700_000_000 + number,) * 2)  # they are read in the order of time
        return folder

    def read(self, files: Path) -> DataFrame:
        """The stream of them."""
        return self.spark.readStream.schema(SCHEMA).option("maxFilesPerTrigger", 1).json(str(files))

    def check(self, stream: Stream, files: Path) -> None:
        """Fail unless the legs agree and prove that two paths ran."""
        embedded = self.leg(stream, files, embed=True)
        vanilla = self.leg(stream, files, embed=False)
        self.legs.compare(stream.case(), embedded, vanilla)

    def leg(self, stream: Stream, files: Path, *, embed: bool) -> Leg:
        """One leg, from nothing to the end of the files, and what it leaves in a table."""
        table = f"{stream.name}_{'ember' if embed else 'spark'}".replace("-", "_")
        checkpoint = self.folder / f"{table}.checkpoint"
        book = witness.fresh()
        query = None
        with self.legs.conf({**stream.conf, ENABLED: str(embed).lower()}):
            try:
                query = (
                    stream.through(self.read(files))
                    .writeStream.format("memory")
                    .queryName(table)
                    .outputMode(stream.mode)
                    .option("checkpointLocation", str(checkpoint))
                    .trigger(availableNow=True)
                    .start()
                )
                finish(query)
                frame = self.spark.table(table)
                found = outcome.rows(frame, frame.collect(), ordered=False)
                failed = False
            except Exception as raised:  # noqa: BLE001 (whatever it is, it is the answer)
                found, failed = outcome.error(raised), True
        self.spark.sql(f"DROP VIEW IF EXISTS {table}")
        leg = self.legs.leg(found, query, book, failed=failed)
        shutil.rmtree(book, ignore_errors=True)
        return leg


def finish(query: Any) -> None:
    """Wait for a query's end; raise what it failed with."""
    try:
        assert query.awaitTermination(LIMIT_S), "the stream did not end"
    finally:
        query.stop()
