"""Accumulators: a session counts its own updates, however many sessions run at once."""

from __future__ import annotations

import sys
from typing import Any

from ember_worker.isolation.registry import SessionRegistry


def install() -> None:
    """Replace the registry, before ``pyspark.worker`` takes it by name."""
    import pyspark.accumulators

    stock: Any = pyspark.accumulators
    early = [name for name in ("pyspark.worker", "pyspark.worker_util") if name in sys.modules]
    if early and not isinstance(stock._accumulatorRegistry, SessionRegistry):
        message = f"cannot embed: {early[0]} was imported before the accumulators were separated"
        raise RuntimeError(message)
    stock._accumulatorRegistry = SessionRegistry("accumulators")
