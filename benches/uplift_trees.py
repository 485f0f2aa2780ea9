"""Compare policies with the uplift trees and forests of causalml, on Hillstrom's e-mails.

``python benches/uplift_trees.py --hillstrom FILE --causalml-python PYTHON`` learns which customers
visit from one half of the rows and ranks the other half: by ``ember.policy`` here, by causalml in
another interpreter, which has scikit-uplift too. Halves, depths, criteria and leaf sizes are the
same (ours is of each arm: a third). It prints Qini coefficients for each arm beside the control,
seconds of learning and of ranking, and how far ours are from scikit-uplift's of the same rankings.
The exit code is 1 when our coefficient, the mean over the arms, is below causalml's of the same
kind, or either measure is not scikit-uplift's.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
DEPTH = 4
LEAF = 200
TREES = 20
OUTCOME = "visit"
CRITERIA = {"kl": "KL", "euclidean": "ED"}
TOLERANCE = 1e-9

Answer = tuple[dict[str, np.ndarray], float, float]


def main() -> int:
    """Learn in both, and print a line for each model and arm."""
    wanted = arguments()
    if wanted.theirs:
        theirs(Path(wanted.theirs), wanted.seed)
        return 0
    sys.path.insert(0, str(ROOT / "python" / "ember" / "src"))
    from ember.policy.evaluation.trials import hillstrom

    trial = hillstrom(wanted.hillstrom)
    halves = trial.halves()
    found = ours(trial, halves, wanted.seed)
    rival, measured = others(wanted.causalml_python, trial, halves, wanted.seed)
    found |= rival
    rows = halves[1].rename(columns={trial.treatment: "arm", OUTCOME: "outcome"})
    means = {name: report(name, trial.control, rows, each) for name, each in found.items()}
    lost = False
    for kind in kinds():
        ratio = means[f"ember {kind}"] / means[f"causalml {kind}"]
        lost |= ratio < 1
        print(f"{kind}: Qini by causalml's {ratio:.3f}")
    apart = max(
        abs(one - other)
        for name, arms in measured.items()
        for arm, theirs_ in arms.items()
        for one, other in zip(
            judged(rows, trial.control, arm, found[name][0][arm]), theirs_, strict=True
        )
    )
    print(f"Qini and AUUC are at most {apart:.1e} from scikit-uplift's")
    return 1 if lost or apart > TOLERANCE else 0


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hillstrom", type=Path, help="the CSV file")
    parser.add_argument("--causalml-python", help="a Python that has causalml")
    parser.add_argument("--seed", type=int, default=0, help="of the forests")
    parser.add_argument("--theirs", help=argparse.SUPPRESS)
    return parser.parse_args()


def kinds() -> list[str]:
    """Name what both learn."""
    return [f"{criterion} {kind}" for criterion in CRITERIA for kind in ("tree", "forest")]


def report(name: str, control: str, rows: pd.DataFrame, answer: Answer) -> float:
    """Print a model's coefficients and times; return the mean coefficient."""
    uplift, learn, rank = answer
    found = {arm: judged(rows, control, arm, each)[0] for arm, each in uplift.items()}
    mean = float(np.mean([*found.values()]))
    each = ", ".join(f"{arm} {value:.4f}" for arm, value in found.items())
    print(f"{name:26} Qini {mean:.4f} ({each}); learnt in {learn:.1f} s, ranked in {rank:.2f} s")
    return mean


def judged(rows: pd.DataFrame, control: str, arm: str, uplift: np.ndarray) -> tuple[float, float]:
    """Return Qini and AUUC of a ranking, among the rows of an arm and the control."""
    from ember.policy.metrics import auuc, qini

    some = rows["arm"].isin([arm, control]).to_numpy()
    treated = (rows["arm"] == arm).to_numpy()[some]
    ranked = rows["outcome"].to_numpy(np.float64)[some], uplift[some], treated
    return qini(*ranked), auuc(*ranked)


def ours(trial: Any, halves: tuple[pd.DataFrame, pd.DataFrame], seed: int) -> dict[str, Answer]:
    """Learn in Spark, and score there."""
    from pyspark.sql import SparkSession

    from ember.policy import Rules, fit, grow_forest, grow_tree, score

    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    settings = {
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
    }
    spark = builder.config(map=settings).getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    keyed = halves[1].assign(_place=np.arange(len(halves[1])))
    first, second = (spark.createDataFrame(half).cache() for half in (halves[0], keyed))
    print(f"{first.count():,} rows to learn from, {second.count():,} to rank")
    found = {}
    for name in ("warm-up kl tree", *kinds()):
        start = time.monotonic()
        manifest = fit(
            first,
            features=trial.features,
            treatment=trial.treatment,
            control=trial.control,
            outcome=OUTCOME,
            digits=0,
        )
        rules = Rules(name.split()[-2], min_leaf=LEAF // len(manifest.treatment.arms))
        if name.endswith("forest"):
            forest = grow_forest(
                first, manifest, n_trees=TREES, max_depth=DEPTH, rules=rules, seed=seed
            )
        else:
            forest = grow_tree(first, manifest, max_depth=DEPTH, rules=rules)
        learnt = time.monotonic()
        rows = score(second, forest, backend="arrow").orderBy("_place").select("scores").toPandas()
        scores = np.array(rows["scores"].tolist())
        arms = manifest.treatment.arms
        control = arms.index(trial.control)
        uplift = {
            arm: scores[:, at] - scores[:, control] for at, arm in enumerate(arms) if at != control
        }
        found[f"ember {name}"] = (uplift, learnt - start, time.monotonic() - learnt)
    spark.stop()
    del found["ember warm-up kl tree"]
    return found


def others(
    python: str, trial: Any, halves: tuple[pd.DataFrame, pd.DataFrame], seed: int
) -> tuple[dict[str, Answer], dict[str, Any]]:
    """Let the other interpreter learn and rank."""
    with TemporaryDirectory() as folder:
        for name, half in zip(("first", "second"), halves, strict=True):
            texts = [each for each in trial.features if half[each].dtype == object]
            plain = pd.get_dummies(half[[*trial.features]], columns=texts, dtype=float)
            plain.assign(arm=half[trial.treatment], outcome=half[OUTCOME]).to_csv(
                Path(folder) / f"{name}.csv", index=False
            )
        (Path(folder) / "control").write_text(trial.control)
        command = [python, __file__, "--theirs", folder, "--seed", str(seed)]
        subprocess.run(command, check=True)
        answer = json.loads((Path(folder) / "answer.json").read_text())
    measured = answer.pop("measures")
    found = {
        name: ({arm: np.array(u) for arm, u in uplift.items()}, learn, rank)
        for name, (uplift, learn, rank) in answer.items()
    }
    return found, measured


def theirs(folder: Path, seed: int) -> None:
    """Learn by causalml, and leave the uplifts of the other half in a file."""
    from causalml.inference.tree import UpliftRandomForestClassifier, UpliftTreeClassifier

    control = (folder / "control").read_text()
    first, second = (pd.read_csv(folder / f"{name}.csv") for name in ("first", "second"))
    given = {
        "max_depth": DEPTH,
        "min_samples_leaf": LEAF,
        "control_name": control,
        "random_state": seed,
    }
    models = {
        f"causalml {name} {kind}": make(evaluationFunction=theirs_, **given, **more)
        for name, theirs_ in CRITERIA.items()
        for kind, make, more in (
            ("tree", UpliftTreeClassifier, {}),
            ("forest", UpliftRandomForestClassifier, {"n_estimators": TREES, "n_jobs": 2}),
        )
    }
    answer: dict[str, Any] = {"measures": {}}
    features = first.columns.drop(["arm", "outcome"])
    for name, model in models.items():
        start = time.monotonic()
        model.fit(first[features].to_numpy(), first["arm"].to_numpy(), first["outcome"].to_numpy())
        learnt = time.monotonic()
        found = np.asarray(model.predict(second[features].to_numpy()))
        ranked = time.monotonic() - learnt
        arms = [arm for arm in model.classes_ if arm != control]
        if name.endswith("tree"):
            place = {arm: at for at, arm in enumerate(model.classes_)}
            found = np.stack([found[:, place[a]] - found[:, place[control]] for a in arms], axis=1)
        uplift = {arm: found[:, at].tolist() for at, arm in enumerate(arms)}
        answer[name] = (uplift, learnt - start, ranked)
        answer["measures"][name] = measures(second, uplift, control)
    (folder / "answer.json").write_text(json.dumps(answer))


def measures(
    rows: pd.DataFrame, uplift: dict[str, list[float]], control: str
) -> dict[str, tuple[float, float]]:
    """Return scikit-uplift's Qini coefficient, and the area of its uplift curve, of each arm."""
    from sklearn.metrics import auc
    from sklift.metrics import qini_auc_score, uplift_curve

    found = {}
    for arm, each in uplift.items():
        some = rows["arm"].isin([arm, control]).to_numpy()
        y = rows["outcome"].to_numpy()[some]
        ranks, treated = np.array(each)[some], (rows["arm"][some] == arm).astype(int).to_numpy()
        x, gained = uplift_curve(y, ranks, treated)
        area = auc(x, gained) - x[-1] * gained[-1] / 2
        found[arm] = (qini_auc_score(y, ranks, treated), area / len(y) ** 2)
    return found


if __name__ == "__main__":
    sys.exit(main())
