"""The toolkit's answers computed row by row in plain Python, with whole numbers and fractions."""

import math
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from ember.policy import Leaf, Numeric, Split


def code(value, feature):
    """Return a value's code."""
    if isinstance(feature, Numeric):
        if value is None or math.isnan(value):
            return len(feature.boundaries) + 1
        return sum(boundary < value for boundary in feature.boundaries)
    text = str(value).lower() if isinstance(value, bool) else value
    return feature.categories.index(text) if text in feature.categories else len(feature.categories)


def width(feature):
    """Return the number of codes."""
    if isinstance(feature, Numeric):
        return len(feature.boundaries) + 2
    return len(feature.categories) + 1


def units(value, digits):
    """Return an outcome in whole units."""
    one = Decimal(1).scaleb(-digits)
    return int(Decimal(repr(value)).quantize(one, ROUND_HALF_UP).scaleb(digits))


def counted(rows, manifest):
    """Return each row's codes, arm and units; rows are dictionaries."""
    return [
        (
            [code(row[feature.name], feature) for feature in manifest.features],
            manifest.treatment.arms.index(row[manifest.treatment.column]),
            units(row[manifest.outcome.column], manifest.outcome.digits),
        )
        for row in rows
    ]


def grown(rows, manifest, max_depth, rules, features_of=None):
    """Grow a tree by the euclidean criterion on counted rows.

    :param features_of: the features that a node may split by, by its number level by level
    """
    nodes, depths = [(rows, None)], [0]
    for at, (some, _) in enumerate(nodes):  # which grows
        wanted = range(len(manifest.features)) if features_of is None else features_of(at)
        best = _best(some, manifest, wanted if depths[at] < max_depth else (), rules)
        if best is not None:
            feature, codes = -best[1], best[4]
            nodes[at] = some, (best[3], codes, len(nodes))
            nodes += [
                ([row for row in some if (row[0][feature] in codes) == side], None)
                for side in (True, False)
            ]
            depths += [depths[at] + 1] * 2
    return nodes


def tree_of(nodes, manifest, at=0):
    """Make a tree of what grew."""
    rows, split = nodes[at]
    if split is None:
        scale = 10**manifest.outcome.digits
        return Leaf(tuple(float(Fraction(s, n * scale)) for n, s in _cells(rows, manifest)))
    name, codes, first = split
    left, right = (tree_of(nodes, manifest, first + side) for side in (0, 1))
    return Split(name, codes, left, right)


def scored_anew(nodes, rows, manifest, min_leaf, at=0):
    """Make a tree of the splits of what grew and of other rows, as an honest tree does."""
    _, split = nodes[at]
    if split is None:
        return tree_of([(rows, None)], manifest)
    name, codes, first = split
    feature = next(i for i, each in enumerate(manifest.features) if each.name == name)
    parts = [[row for row in rows if (row[0][feature] in codes) == side] for side in (True, False)]
    if min(n for part in parts for n, _ in _cells(part, manifest)) < min_leaf:
        return tree_of([(rows, None)], manifest)
    left, right = (
        scored_anew(nodes, part, manifest, min_leaf, first + side)
        for side, part in enumerate(parts)
    )
    return Split(name, codes, left, right)


def mixed(word):
    """Mix a word's bits as splitmix64 does."""
    word = (word + 0x9E3779B97F4A7C15) % 2**64
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB % 2**64
    return word ^ (word >> 31)


def seed_of(*numbers):
    """Make one seed of some numbers."""
    found = 0
    for number in numbers:
        found = mixed((found + 0x9E3779B97F4A7C15 + number) % 2**64)
    return found


def _best(rows, manifest, features, rules):
    best = None
    total = _cells(rows, manifest)
    for at in features:
        feature = manifest.features[at]
        for rank, codes in enumerate(_candidates(rows, at, feature, manifest)):
            left = _cells([row for row in rows if row[0][at] in codes], manifest)
            right = [(n - m, s - t) for (n, s), (m, t) in zip(total, left, strict=True)]
            gain = _gain(left, right, total, manifest, rules)
            if gain is not None and gain > 0 and (best is None or (gain, -at, -rank) > best[:3]):
                best = (gain, -at, -rank, feature.name, tuple(sorted(codes)))
    return best


def _candidates(rows, at, feature, manifest):
    missing = width(feature) - 1
    order = list(range(missing))
    if not isinstance(feature, Numeric):
        total = _cells(rows, manifest)
        order.sort(
            key=lambda each: _uplift([row for row in rows if row[0][at] == each], total, manifest)
        )
    for known in range(max(missing, 1)):
        yield {*order[:known], missing}
        yield set(order[:known])


def _uplift(rows, total, manifest):
    if not rows:
        return math.inf
    control = manifest.treatment.arms.index(manifest.treatment.control)
    scale = 10**manifest.outcome.digits

    def both(cells):
        treated = [cell for arm, cell in enumerate(cells) if arm != control]
        return tuple(map(sum, zip(*treated, strict=True))), cells[control]

    pairs = zip(both(_cells(rows, manifest)), both(total), strict=True)
    treated, others = (
        (s / (n * scale)) if n else (all_s / (max(all_n, 1) * scale))
        for (n, s), (all_n, all_s) in pairs
    )
    return treated - others


def _cells(rows, manifest):
    found = [[0, 0] for _ in manifest.treatment.arms]
    for _, arm, unit in rows:
        found[arm][0] += 1
        found[arm][1] += unit
    return [tuple(each) for each in found]


def _gain(left, right, total, manifest, rules):
    if min(n for n, _ in (*left, *right)) < rules.min_leaf:
        return None
    control = manifest.treatment.arms.index(manifest.treatment.control)
    scale = 10**manifest.outcome.digits

    def means(cells):
        return [s / (n * scale) for n, s in cells]

    def apart(cells):
        found = means(cells)
        return sum(((m - found[control]) ** 2 for at, m in enumerate(found) if at != control), 0.0)

    far = max(abs(m - means(cells)[control]) for cells in (left, right) for m in means(cells))
    if far < rules.min_uplift:
        return None
    rows = [sum(n for n, _ in cells) for cells in (left, right, total)]
    more = [apart(cells) - apart(total) for cells in (left, right)]
    return rows[0] / rows[2] * more[0] + rows[1] / rows[2] * more[1]
