"""What outcomes lose by the digits that they are kept with."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Final

from pyspark.sql import functions as F  # noqa: N812 (its usual name)

from ember.policy.errors import RowsError
from ember.policy.inputs import as_decimal, as_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import Column, DataFrame

    from ember.policy.manifest import Outcome

#: So many outcomes of a hundred may change by more than a hundredth before somebody is told.
_FEW: Final = 1


def counted(df: DataFrame, outcome: Outcome) -> list[Column]:
    """Count outcomes that are not 0, those that become 0, and those that change by a hundredth."""
    value = as_number(df, outcome.column)
    kept = as_decimal(df, outcome.column, outcome.digits, fits=False)
    some = value != F.lit(0)
    moved = F.abs(value - kept.cast("double")) * F.lit(100) > F.abs(value)
    return [F.count_if(each) for each in (some, some & (kept == F.lit(0)), some & moved)]


def judge(outcome: Outcome, counts: Sequence[int]) -> None:
    """Say so where rounding leaves something else than what was measured.

    :param counts: what :func:`counted` found
    :raises RowsError: if it leaves nothing
    """
    some, gone, moved = counts
    place = f"outcome {outcome.column!r} with digits={outcome.digits}"
    if some and gone == some:
        message = f"{place}: all of its values round to 0: keep more digits, or scale it"
        raise RowsError(message)
    if 100 * moved > _FEW * some:
        words = f"rounding changes {moved:,} of its {some:,} values beside 0 by more than 1 in 100"
        warnings.warn(f"{place}: {words}: keep more digits, or scale it", stacklevel=3)
