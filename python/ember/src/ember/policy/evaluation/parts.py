"""The parts of the evaluation, in the order in which they run."""

from __future__ import annotations

from typing import Final

from ember.policy.evaluation import (
    ablation,
    adversarial,
    boundaries,
    hillstrom,
    ladder,
    missing,
    parity,
)

PARTS: Final = {
    part.name: part
    for part in (
        adversarial.PART,
        boundaries.PART,
        parity.PART,
        missing.PART,
        hillstrom.PART,
        ladder.PART,
        ablation.PART,
    )
}
