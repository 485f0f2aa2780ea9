"""Experiments on people: Hillstrom's e-mails where the file is, else RAND's health insurance."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from ember.policy.errors import RowsError

if TYPE_CHECKING:
    from pathlib import Path

#: Of the published file, and of the same with line feeds alone.
HILLSTROM: Final = (
    "0e5893329d8b93cefecc571777672028290ab69865718020c78c7284f291aece",
    "27bab8c5d3669f26ec08ebb50a0a78317542f29501156f2e2af6781fab4cd7e2",
)

_SEED: Final = 2008


@dataclass(frozen=True)
class Trial:
    """Rows of an experiment in which arms were drawn, and what its columns are."""

    name: str
    rows: pd.DataFrame
    features: tuple[str, ...]
    treatment: str
    control: str
    #: Outcomes, with the digits after the point that they have.
    outcomes: dict[str, int]

    def halves(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return one half to learn from and one to judge by, always the same ones."""
        order = np.random.default_rng(_SEED).permutation(len(self.rows))
        first, second = np.sort(order[::2]), np.sort(order[1::2])
        return self.rows.iloc[first], self.rows.iloc[second]


def hillstrom(path: Path) -> Trial:
    """Read Hillstrom's e-mails.

    :raises RowsError: if the file is another
    """
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found not in HILLSTROM:
        message = f"{path.name} is not Hillstrom's file: its SHA-256 is {found}"
        raise RowsError(message)
    return Trial(
        "Hillstrom, 64,000 customers, e-mails",
        pd.read_csv(path),
        ("recency", "history", "mens", "womens", "zip_code", "newbie", "channel"),
        "segment",
        "No E-Mail",
        {"visit": 0, "spend": 2},
    )


def randhie() -> Trial:
    """Return RAND's health insurance experiment: visits of those who paid nothing or a share.

    :raises RowsError: if statsmodels is not there
    """
    try:
        from statsmodels.datasets import randhie as source  # noqa: PLC0415 (not always there)
    except ImportError as error:
        message = (
            "no experiment to read: give --hillstrom or EMBER_HILLSTROM, or install statsmodels"
        )
        raise RowsError(message) from error
    rows = source.load_pandas().data
    rows["plan"] = np.where(rows["lncoins"] > 0, "share", "free")
    return Trial(
        "RAND's health insurance experiment, 20,190 rows",
        rows,
        ("lpi", "fmde", "physlm", "disea", "hlthg", "hlthf", "hlthp"),
        "plan",
        "share",
        {"mdvis": 0},
    )


def trial(path: Path | None) -> Trial:
    """Return the experiment that there is."""
    return randhie() if path is None else hillstrom(path)
