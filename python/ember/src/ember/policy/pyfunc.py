"""Forests as models of MLflow's ``python_function`` flavor, where mlflow is installed."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pandas as pd

from ember.policy.local import chosen, framed, scores_of_frame
from ember.policy.trees import read_forest

if TYPE_CHECKING:
    from ember.policy.trees import Forest

_FILE = "forest.json"


class PolicyFunction:
    """A forest as MLflow calls it: a frame in, a frame with arms and scores out."""

    def __init__(self, forest: Forest) -> None:
        self.forest = forest

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> pd.DataFrame:  # noqa: ARG002 (MLflow's)
        """Return the column ``arm``, and one of scores for each arm."""
        frame = framed(model_input)
        arms = self.forest.manifest.treatment.arms
        scores = scores_of_frame(frame, self.forest)
        columns = {f"score {arm}": scores[:, at] for at, arm in enumerate(arms)}
        return pd.DataFrame({"arm": chosen(scores, arms), **columns}, index=frame.index)


def save_model(forest: Forest, path: str, **options: Any) -> None:
    """Save a forest as a model that ``mlflow.pyfunc.load_model`` reads.

    :param options: of ``mlflow.pyfunc.save_model``
    :raises ImportError: if mlflow is not installed
    """
    import mlflow.pyfunc  # noqa: PLC0415 (not always there)

    with TemporaryDirectory() as folder:
        file = Path(folder) / _FILE
        file.write_text(forest.text(), encoding="utf-8")
        mlflow.pyfunc.save_model(path, loader_module=__name__, data_path=str(file), **options)


def _load_pyfunc(path: str) -> PolicyFunction:
    """Read what was saved: MLflow calls it by this name."""
    return PolicyFunction(read_forest(Path(path).read_text(encoding="utf-8")))
