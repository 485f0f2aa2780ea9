"""Quantile boundaries: values at them and one unit in the last place beside, of awkward columns."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Final

from pyspark.sql.types import (
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
)

from ember.policy.codes import width
from ember.policy.evaluation.ladder import KINDS
from ember.policy.evaluation.part import Bench, Finding, Part, Table
from ember.policy.fit import fit
from ember.policy.manifest import Numeric
from ember.policy.score import score
from ember.policy.trees import Forest, Leaf, Split

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql.types import DataType

    from ember.policy.manifest import Manifest
    from ember.policy.trees import Node

_BINS: Final = 16
_MOST: Final = 1.7976931348623157e308
_LEAST: Final = 5e-324

#: What values are drawn of, and the type of their column.
_COLUMNS: Final[dict[str, tuple[Callable[[random.Random], float], DataType]]] = {
    "even": (lambda draw: draw.random(), DoubleType()),
    "one value": (lambda _: 0.1, DoubleType()),
    "two values": (lambda draw: draw.choice([0.1, 0.3]), DoubleType()),
    "mostly ties": (lambda draw: 0.0 if draw.random() < 0.9 else draw.gauss(0, 1), DoubleType()),
    "both zeros": (lambda draw: draw.choice([0.0, -0.0, _LEAST, -_LEAST]), DoubleType()),
    "neighbours": (lambda draw: 1.0 + draw.randrange(64) * math.ulp(1.0), DoubleType()),
    "subnormal": (lambda draw: draw.randrange(100) * _LEAST, DoubleType()),
    "huge": (lambda draw: draw.uniform(-1, 1) * _MOST, DoubleType()),
    "infinite ends": (
        lambda draw: draw.choice([-math.inf, math.inf]) if draw.random() < 0.02 else draw.random(),
        DoubleType(),
    ),
    "32 bits": (lambda draw: draw.random(), FloatType()),
    "whole": (lambda draw: draw.randrange(-50, 50), IntegerType()),
    "beyond 53 bits": (lambda draw: 2**53 + draw.randrange(-40, 40), LongType()),
}


def _run(bench: Bench) -> Finding:
    rows: list[tuple[str | float, ...]] = []
    wrong: list[str] = []
    for name, (draw, of) in _COLUMNS.items():
        bench.say(name)
        boundaries, asked, differ = _compared(bench, draw, of)
        rows.append((name, of.simpleString(), boundaries, asked, len(differ)))
        wrong += [f"{name}: {each}" for each in differ]
    title = "Codes of values, by every kind of function, beside those of comparing one by one"
    table = Table(title, ("column", "type", "boundaries", "codes compared", "differ"), rows)
    compared = sum(int(row[3]) for row in rows)
    return Finding(f"{compared:,} codes are those of plain comparisons", [table], wrong=wrong)


def _compared(
    bench: Bench, draw: Callable[[random.Random], float], of: DataType
) -> tuple[int, int, list[str]]:
    """Return the number of boundaries, of codes that were compared, and what differs."""
    source = random.Random(11)  # noqa: S311 (nobody is to be surprised)
    values = [draw(source) for _ in range(min(bench.sizes.compared, 5_000))]
    arms = ("c", "t")
    fields = [StructField("x", of), StructField("arm", StringType()), StructField("y", LongType())]
    trained = [(value, arms[at % 2], at % 3) for at, value in enumerate(values)]
    manifest = fit(
        bench.spark.createDataFrame(trained, StructType(fields)),
        features=["x"],
        treatment="arm",
        control="c",
        outcome="y",
        bins=_BINS,
        digits=0,
    )
    boundaries = _boundaries(manifest)
    whole = not isinstance(of, DoubleType | FloatType)
    asked = [*_beside(boundaries, whole=whole), *values[:100], None]
    probes = bench.spark.createDataFrame([(value,) for value in asked], StructType(fields[:1]))
    seen = [row[0] for row in probes.collect()]
    expected = sorted((_key(value), _code(value, boundaries)) for value in seen)
    differ = []
    for lane in bench.lanes:
        with bench.on(lane) as ran:
            for kind, backend in KINDS.items():
                found = score(probes, _revealing(manifest), backend=backend).collect()
                codes = sorted((_key(row["x"]), int(row["scores"][0])) for row in found)
                differ += [
                    f"{kind}, {lane}: {one}, expected {other}"
                    for one, other in zip(codes, expected, strict=True)
                    if one != other
                ]
        ran.proven()
    return len(boundaries), len(asked) * len(KINDS) * len(bench.lanes), differ


def _beside(boundaries: tuple[float, ...], *, whole: bool) -> list[float]:
    """Return each boundary with its neighbours on both sides."""
    if whole:
        return [int(each) + step for each in boundaries for step in (-1, 0, 1)]
    found = [
        value
        for each in boundaries
        for value in (math.nextafter(each, -math.inf), each, math.nextafter(each, math.inf))
    ]
    return [*found, 0.0, -0.0, math.inf, -math.inf, math.nan, _MOST, -_MOST, _LEAST, -_LEAST]


def _revealing(manifest: Manifest) -> Forest:
    """Return a tree whose score is a row's code."""

    def node(first: int, end: int) -> Node:
        if end - first == 1:
            return Leaf((float(first), 0.0))
        middle = (first + end) // 2
        left = tuple(range(first, middle))
        return Split("x", left, node(first, middle), node(middle, end))

    return Forest(manifest, (node(0, width(manifest.features[0])),))


def _code(value: float | None, boundaries: tuple[float, ...]) -> int:
    if value is None or math.isnan(value):
        return len(boundaries) + 1
    return sum(boundary < float(value) for boundary in boundaries)


def _boundaries(manifest: Manifest) -> tuple[float, ...]:
    (feature,) = manifest.features
    return feature.boundaries if isinstance(feature, Numeric) else ()


def _key(value: float | None) -> str:
    return "missing" if value is None or math.isnan(value) else repr(float(value) + 0.0)


PART: Final = Part(
    "boundaries", "Is a value at a boundary, or one ulp beside it, where it is to be?", _run
)
