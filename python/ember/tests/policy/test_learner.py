"""The learner in scikit-learn's style: what it learns, what it refuses, and scikit-learn itself."""

import numpy as np
import pandas as pd
import pytest

from ember.policy import ManifestError, RowsError, score
from ember.policy.learner import NotFittedError, PolicyLearner
from ember.policy.pyfunc import PolicyFunction, save_model

ROWS = 600

pytestmark = pytest.mark.usefixtures("spark")


@pytest.fixture(scope="module")
def people():
    """Rows on which "b" is best where ``age`` is large, and "a" elsewhere; some are missing."""
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "age": np.where(rng.random(ROWS) < 0.1, np.nan, rng.integers(18, 80, ROWS)),
            "town": rng.choice(["x", "y", None], ROWS),
            "member": rng.random(ROWS) < 0.5,
        }
    )
    arms = rng.choice(["a", "b"], ROWS)
    gave = np.round(((frame["age"] > 50) == (arms == "b")) + rng.random(ROWS), 2).to_numpy()
    return frame, gave, arms


@pytest.fixture(scope="module")
def learnt(people):
    frame, gave, arms = people
    learner = PolicyLearner(n_trees=2, max_depth=2, min_leaf=10)
    return learner.fit(frame, gave, treatment=arms)


def test_it_learns_which_arm_is_best(people, learnt):
    frame, gave, arms = people
    choices = learnt.predict(frame)
    assert set(choices[frame["age"] > 55]) == {"b"}
    assert set(choices[frame["age"] < 45]) == {"a"}
    assert learnt.score(frame, gave, treatment=arms) > gave.mean() + 0.3
    assert [*learnt.classes_] == ["a", "b"]


def test_scores_are_the_bits_of_spark(spark, people, learnt):
    frame = people[0].assign(at=range(ROWS))
    import pyarrow as pa

    df = spark.createDataFrame(pa.Table.from_pandas(frame, preserve_index=False))
    rows = score(df, learnt.forest_, backend="row").orderBy("at").collect()
    assert learnt.predict_scores(people[0]).tolist() == [row.scores for row in rows]


def test_the_order_of_columns_does_not_matter_and_arrays_have_names(people, learnt):
    frame, gave, arms = people
    turned = frame[[*reversed(frame.columns)]]
    assert (learnt.predict_scores(turned) == learnt.predict_scores(frame)).all()
    array = frame[["age"]].to_numpy()
    learner = PolicyLearner(n_trees=1, max_depth=1, min_leaf=10, control="b")
    assert len(learner.fit(array, gave, treatment=arms).predict(array)) == ROWS
    assert [*learner.feature_names_in_] == ["x0"]
    assert learner.forest_.manifest.treatment.control == "b"


def test_arms_and_their_control_may_be_numbers_and_features_of_pandas_categories(people):
    frame, gave, arms = people
    numbers = np.where(arms == "b", 1, 0)
    given = {"n_trees": 1, "max_depth": 1, "min_leaf": np.int64(10), "seed": np.int64(3)}
    learner = PolicyLearner(control=0, **given).fit(frame, gave, treatment=numbers)
    assert learner.forest_.manifest.treatment.control == "0"
    texts = PolicyLearner(control="0", **given).fit(frame, gave, treatment=numbers.astype(str))
    assert texts.forest_ == learner.forest_
    grouped = frame.assign(town=frame["town"].astype("category"))
    assert (learner.predict_scores(grouped) == learner.predict_scores(frame)).all()
    again = PolicyLearner(control=0, **given).fit(grouped, gave, treatment=numbers)
    assert again.forest_ == learner.forest_


def test_parameters_are_got_set_and_cloned():
    learner = PolicyLearner(max_depth=3)
    assert learner.get_params()["max_depth"] == 3
    again = PolicyLearner(**learner.get_params()).set_params(bins=8, seed=4)
    assert (again.max_depth, again.bins, again.seed) == (3, 8, 4)
    assert repr(learner).startswith("PolicyLearner(control=None, n_trees=20, max_depth=3")
    with pytest.raises(RowsError, match="'depth' is no parameter; there are control, n_trees"):
        learner.set_params(depth=3)


def test_scikit_learn_takes_it(people):
    sklearn = pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    from sklearn.model_selection import GridSearchCV

    frame, gave, arms = people
    learner = PolicyLearner(n_trees=1, max_depth=1, min_leaf=10)
    assert sklearn.base.clone(learner).get_params() == learner.get_params()

    def right(model, rows, _):
        return (model.predict(rows) == np.where(rows["age"] > 50, "b", "a")).mean()

    search = GridSearchCV(learner, {"min_leaf": [10, 10_000]}, cv=2, scoring=right)
    search.fit(frame, gave, treatment=arms)
    assert search.best_params_ == {"min_leaf": 10}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda x, y, t: (x, y[:-1], t), "y has the shape (599,), for 600 rows"),
        (lambda x, y, t: (x, y, t[:-1]), "treatment has the shape (599,)"),
        (lambda x, y, t: (x[:0], y[:0], t[:0]), "there are 0 rows"),
        (lambda x, y, t: (x["age"].to_numpy(), y, t), "1 dimensions, and not 2"),
        (lambda x, y, t: (x.set_axis([*"aba"], axis=1), y, t), "column 'a' is there 2 times"),
        (lambda x, y, t: (x.assign(outcome=1), y, t), "'outcome' is the name of a feature"),
        (lambda x, y, t: (x, np.where(t == "a", np.nan, y), t), "values of y are not finite"),
        (lambda x, _, t: (x, t, t), "y is to be of numbers"),
        (lambda x, y, t: (x, y, [None, *t[1:]]), "1 rows have no treatment"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(people, change, words):
    frame, gave, arms = change(*people)
    with pytest.raises(RowsError) as refused:
        PolicyLearner().fit(frame, gave, treatment=arms)
    assert words in str(refused.value)


def test_a_control_that_is_no_arm_is_refused(people):
    frame, gave, arms = people
    with pytest.raises(ManifestError, match=r"treatment\.control: 'c' is none of the arms"):
        PolicyLearner(control="c").fit(frame, gave, treatment=arms)


def test_it_is_asked_after_it_has_learnt_and_for_the_same_features(people, learnt):
    frame, gave, arms = people
    with pytest.raises(NotFittedError, match="call fit"):
        PolicyLearner().predict(frame)
    with pytest.raises(RowsError, match="feature 'age' is absent"):
        learnt.predict(frame.drop(columns="age"))
    with pytest.raises(RowsError, match="feature 'more' was not there"):
        learnt.predict(frame.assign(more=1))
    with pytest.raises(RowsError, match="feature 'age' is to be of double"):
        learnt.predict(frame.assign(age="old"))
    with pytest.raises(RowsError, match="feature 'age' is to be of double, and is of"):
        learnt.predict(frame.assign(age="50"))
    for town in (1, pd.Timestamp("2026-01-01")):
        with pytest.raises(RowsError, match="feature 'town' is to be of string, and is of"):
            learnt.predict(frame.assign(town=town))
    with pytest.raises(RowsError, match="'c' is none of the arms a, b"):
        learnt.score(frame, gave, treatment=np.where(arms == "a", "c", arms))


def test_mlflow_loads_what_was_saved(tmp_path, people, learnt):
    mlflow = pytest.importorskip("mlflow.pyfunc", reason="mlflow is not installed")
    path = str(tmp_path / "model")
    save_model(learnt.forest_, path)
    found = mlflow.load_model(path).predict(people[0])
    assert found.equals(PolicyFunction(learnt.forest_).predict(people[0]))


def test_a_python_function_gives_the_arm_and_a_score_for_each(people, learnt):
    found = PolicyFunction(learnt.forest_).predict(people[0])
    assert [*found.columns] == ["arm", "score a", "score b"]
    assert (found["arm"] == learnt.predict(people[0])).all()
    assert (found["score b"] == learnt.predict_scores(people[0])[:, 1]).all()
