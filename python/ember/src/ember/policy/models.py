"""What scores rows: a forest, or a function of the user's; behind one shape of call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
import pyarrow as pa

from ember.policy.codes import codes_of
from ember.policy.errors import ManifestError, RowsError
from ember.policy.manifest import Numeric

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from ember.policy.manifest import Feature, Manifest

Takes = Literal["arrow", "pandas"]


class Scorer(Protocol):
    """Scores of a batch, shape (rows, arms), of a column for each feature as it is encoded."""

    def __call__(self, columns: Sequence[pa.Array]) -> NDArray[np.float64]:
        """Score a batch."""


class Policy(Protocol):
    """Whatever :func:`ember.policy.score` takes."""

    @property
    def manifest(self) -> Manifest:
        """What it takes for granted of rows."""

    def scorer(self, library: str | None) -> Scorer:
        """Return what runs on executors, which knows nothing of manifests.

        :param library: the native library, if there is one
        """


@dataclass(frozen=True)
class Model:
    """Any model in Python, as a function of batches.

    :param function: gets the manifest's features in their order, as a record batch or a frame:
        doubles, null or NaN where they are missing, and text. It gives (rows, arms)
        finite numbers. That batches of other sizes give the same bits is its own business.
    :param takes: ``arrow`` or ``pandas``
    """

    manifest: Manifest
    function: Callable[[Any], Any]
    takes: Takes = "arrow"

    def __post_init__(self) -> None:
        """Refuse what cannot be called."""
        if not callable(self.function):
            raise ManifestError("function", f"{self.function!r} is no function")
        if self.takes not in ("arrow", "pandas"):
            raise ManifestError("takes", f"{self.takes!r} is neither arrow nor pandas")

    def scorer(self, library: str | None) -> Scorer:  # noqa: ARG002 (the function has its own)
        """Return the function with the manifest's rules around it."""
        arms = len(self.manifest.treatment.arms)
        return _Guarded(self.manifest.features, arms, self.function, self.takes)


@dataclass(frozen=True)
class _Guarded:
    features: tuple[Feature, ...]
    arms: int
    function: Callable[[Any], Any]
    takes: Takes

    def __call__(self, columns: Sequence[pa.Array]) -> NDArray[np.float64]:
        """Ask the function, once the manifest's rules are kept; see that its answer is one."""
        pairs = zip(columns, self.features, strict=True)
        ruled = [(column, each) for column, each in pairs if _has_rule(each)]
        codes_of([column for column, _ in ruled], [each for _, each in ruled])
        names = [each.name for each in self.features]
        batch = pa.RecordBatch.from_arrays(list(columns), names)
        given = self.function(batch.to_pandas() if self.takes == "pandas" else batch)
        found = np.ascontiguousarray(given, np.float64)
        if found.shape != (batch.num_rows, self.arms):
            message = f"the model gave {found.shape} for {batch.num_rows} rows and {self.arms} arms"
            raise RowsError(message)
        if not np.isfinite(found).all():
            message = "the model gave scores that are not finite"
            raise RowsError(message)
        return found


def _has_rule(feature: Feature) -> bool:
    return feature.missing == "error" or (
        not isinstance(feature, Numeric) and feature.unseen == "error"
    )
