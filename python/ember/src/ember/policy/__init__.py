"""Decision policies in Spark, over rows that are locked: which treatment for which row.

A **manifest** says what a policy takes for granted of its rows: features and their order, the
arms, the outcome, boundaries and vocabularies. A **lock** is the hash of a manifest and of the rows
it was made for. :func:`verify` names what changed since. A **forest** has trees over a manifest's
features; :func:`score` gives each row a score for each arm, the same bits on every backend, and
:func:`grow_tree` and :func:`grow_forest` grow trees, the same for the same rows in whatever order
and partitions.

It needs PySpark, and jsonschema on the driver; nothing on executors, and not Ember's plugin.
"""

from ember.policy.choose import Choice, choose
from ember.policy.errors import Change, DriftError, ManifestError, PolicyError, RowsError
from ember.policy.fingerprint import ColumnFingerprint, Fingerprint, fingerprint
from ember.policy.fit import fit
from ember.policy.grow import grow_forest, grow_tree
from ember.policy.lock import Lock, changes_since, lock, read_lock, verify
from ember.policy.manifest import (
    Categorical,
    Feature,
    Manifest,
    Numeric,
    Outcome,
    Treatment,
    read,
)
from ember.policy.models import Model
from ember.policy.score import decide, score
from ember.policy.search import Rules
from ember.policy.splits import Best, best_splits
from ember.policy.statistics import Counting
from ember.policy.streams import Ledger, guarded, read_ledger
from ember.policy.trees import Forest, Leaf, Split, read_forest
from ember.policy.values import doubly_robust

__all__ = [
    "Best",
    "Categorical",
    "Change",
    "Choice",
    "ColumnFingerprint",
    "Counting",
    "DriftError",
    "Feature",
    "Fingerprint",
    "Forest",
    "Leaf",
    "Ledger",
    "Lock",
    "Manifest",
    "ManifestError",
    "Model",
    "Numeric",
    "Outcome",
    "PolicyError",
    "RowsError",
    "Rules",
    "Split",
    "Treatment",
    "best_splits",
    "changes_since",
    "choose",
    "decide",
    "doubly_robust",
    "fingerprint",
    "fit",
    "grow_forest",
    "grow_tree",
    "guarded",
    "lock",
    "read",
    "read_forest",
    "read_ledger",
    "read_lock",
    "score",
    "verify",
]
