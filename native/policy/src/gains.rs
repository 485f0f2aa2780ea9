//! What a split is worth: `criteria.py` says the same, operation by operation, so that the bits are the same.

use serde::Deserialize;

use crate::logarithm::log;

/// Rows of an arm, and the sum of their outcomes in whole units.
pub(crate) type Cell = [i64; 2];

/// By what a split gains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Criterion {
    Euclidean,
    Kl,
    Chi2,
    Ipw,
    Dr,
}

impl Criterion {
    fn divergence(self, treated: f64, control: f64) -> f64 {
        match self {
            Self::Kl => kl(treated, control),
            Self::Chi2 => {
                let q = inside(control);
                let apart = (treated - q) * (treated - q);
                apart / q + apart / (1.0 - q)
            }
            Self::Euclidean | Self::Ipw | Self::Dr => (treated - control) * (treated - control),
        }
    }
}

/// What cells are made of: the place of the control, units in one, and whether each arm's units are of all rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcomes {
    pub(crate) control: usize,
    pub(crate) scale: i64,
    pub(crate) valued: bool,
}

/// What a split is to be.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) criterion: Criterion,
    pub(crate) min_leaf: i64,
    pub(crate) min_uplift: f64,
    pub(crate) prior_rows: i64,
    pub(crate) normalized: bool,
}

/// A node whose splits are compared: what does not depend on the split is computed once.
#[derive(Debug)]
pub(crate) struct Parent<'a> {
    rules: &'a Rules,
    of: Outcomes,
    total: &'a [Cell],
    rows: i64,
    /// What the means of children are drawn towards.
    means: Vec<f64>,
    /// How far the arms are apart.
    worth: f64,
    /// The arm that is best for all rows, the first of equal ones.
    best: usize,
}

impl<'a> Parent<'a> {
    /// A node of so many rows; `prior` has its means, if they are not its rows' own.
    pub(crate) fn new(
        rules: &'a Rules,
        of: Outcomes,
        total: &'a [Cell],
        prior: Option<&[f64]>,
    ) -> Self {
        let own = || total.iter().map(|cell| of.mean(*cell, total)).collect();
        let means = match prior {
            Some(prior) if rules.prior_rows > 0 => prior.to_vec(),
            _ => own(),
        };
        let mut parent = Self {
            rules,
            of,
            total,
            rows: rows(total),
            means,
            worth: 0.0,
            best: 0,
        };
        if let Criterion::Ipw | Criterion::Dr = rules.criterion {
            parent.best = first_of_largest(parent.values(total));
        } else {
            parent.worth = parent.apart(parent.means.iter().copied());
        }
        parent
    }

    /// What a split gains, or less than nothing if a rule forbids it.
    pub(crate) fn gain(&self, left: &[Cell], right: &[Cell]) -> f64 {
        let (rules, of) = (self.rules, self.of);
        let mut cells = left.iter().chain(right);
        let far = || of.largest_uplift(left).max(of.largest_uplift(right)) >= rules.min_uplift;
        if cells.any(|[rows, _]| *rows < rules.min_leaf) || (rules.min_uplift > 0.0 && !far()) {
            return f64::NEG_INFINITY;
        }
        if let Criterion::Ipw | Criterion::Dr = rules.criterion {
            return (self.beyond(left) + self.beyond(right)) / real(of.scale);
        }
        let everyone = real(self.rows);
        let parts = [left, right].map(|cells| self.divergence(cells) - self.worth);
        let weights = [left, right].map(|cells| real(rows(cells)) / everyone);
        let gain = weights[0] * parts[0] + weights[1] * parts[1];
        if rules.normalized {
            gain / self.fineness(left)
        } else {
            gain
        }
    }

    fn divergence(&self, cells: &[Cell]) -> f64 {
        let prior = self.rules.prior_rows;
        let of_arms = cells.iter().zip(&self.means);
        self.apart(of_arms.map(|(cell, mean)| {
            if prior == 0 {
                return self.of.mean(*cell, cells);
            }
            let units = real(cell[1]) / real(self.of.scale) + real(prior) * mean;
            units / real(cell[0] + prior)
        }))
    }

    /// Adds how far the arms' outcomes are from the control's.
    fn apart(&self, means: impl Iterator<Item = f64> + Clone) -> f64 {
        let control = means.clone().nth(self.of.control).unwrap_or(0.0);
        let others = means.enumerate().filter(|(arm, _)| *arm != self.of.control);
        others.fold(0.0, |sum, (_, mean)| {
            sum + self.rules.criterion.divergence(mean, control)
        })
    }

    /// What a child's best arm brings beyond that of all rows: nothing at all if it is the same.
    fn beyond(&self, cells: &[Cell]) -> f64 {
        let most = self.values(cells).fold(f64::NEG_INFINITY, f64::max);
        most - self.values(cells).nth(self.best).unwrap_or(most)
    }

    /// What each arm brings some of the rows, in units for each of all rows: a quotient, rounded once.
    fn values(&self, cells: &[Cell]) -> impl Iterator<Item = f64> {
        let everyone = (self.rules.criterion == Criterion::Dr).then_some(self.rows);
        let of_all = self
            .total
            .iter()
            .map(move |[rows, _]| everyone.unwrap_or(*rows));
        cells
            .iter()
            .zip(of_all)
            .map(|([_, units], rows)| real(*units) / real(rows))
    }

    /// How finely a split cuts the arms, and how unevenly: what gains are divided by.
    fn fineness(&self, left: &[Cell]) -> f64 {
        const TOGETHER: f64 = 0.9;
        let of_arm = |cells: &[Cell], arm: usize| cells.get(arm).map_or(0, |[rows, _]| *rows);
        let everyone = real(self.rows);
        let of_control = of_arm(self.total, self.of.control);
        let treated = real(self.rows - of_control);
        let cut = real(of_arm(left, self.of.control)) / real(of_control);
        let together = real(rows(left) - of_arm(left, self.of.control)) / treated;
        let mut found = TOGETHER * entropy(treated / everyone) * kl(together, cut)
            + real(of_control) / everyone * entropy(cut)
            + 0.5;
        for (arm, ([rows, _], [less, _])) in self.total.iter().zip(left).enumerate() {
            if arm != self.of.control {
                let each = real(*less) / real(*rows);
                let share = real(*rows) / real(rows + of_control);
                let apart = (1.0 - TOGETHER) * entropy(share) * kl(each, cut);
                found += apart + real(*rows) / everyone * entropy(each);
            }
        }
        found
    }
}

impl Outcomes {
    /// How far the mean of all arms but the control is from the control's; of no rows, beyond all others.
    ///
    /// The means of `total`, which the cells are a part of, stand for those of no rows.
    pub(crate) fn uplift_of_all(self, cells: &[Cell], total: &[Cell]) -> f64 {
        if cells.iter().all(|cell| *cell == [0, 0]) {
            return f64::INFINITY;
        }
        let [others, control] = self.apart(cells);
        if self.valued {
            let rows = real(rows(cells).max(1));
            #[expect(clippy::cast_possible_wrap, reason = "a plan has at most 2^16 arms")]
            let arms = cells.len() as i64 - 1;
            return real(others[1]) / (rows * (real(self.scale) * real(arms)))
                - real(control[1]) / (rows * real(self.scale));
        }
        let of_all = self.apart(total);
        let mean = |cell: Cell, all: Cell| {
            let [rows, units] = if cell[0] > 0 { cell } else { all };
            real(units) / (real(rows.max(1)) * real(self.scale))
        };
        mean(others, of_all[0]) - mean(control, of_all[1])
    }

    /// All arms but the control together, and the control.
    fn apart(self, cells: &[Cell]) -> [Cell; 2] {
        let control = cells.get(self.control).copied().unwrap_or_default();
        let all = cells
            .iter()
            .fold([0, 0], |sum, cell| [sum[0] + cell[0], sum[1] + cell[1]]);
        [[all[0] - control[0], all[1] - control[1]], control]
    }

    /// The mean outcome of an arm, and 0 if it has no rows.
    fn mean(self, cell: Cell, cells: &[Cell]) -> f64 {
        let rows = if self.valued { rows(cells) } else { cell[0] };
        real(cell[1]) / (real(rows.max(1)) * real(self.scale))
    }

    fn largest_uplift(self, cells: &[Cell]) -> f64 {
        let mean = |cell: &Cell| self.mean(*cell, cells);
        let control = cells.get(self.control).map_or(0.0, mean);
        let apart = cells.iter().map(|cell| (mean(cell) - control).abs());
        apart.fold(0.0, f64::max)
    }
}

fn first_of_largest(values: impl Iterator<Item = f64>) -> usize {
    let mut found = (0, f64::NEG_INFINITY);
    for (at, value) in values.enumerate() {
        if value > found.1 {
            found = (at, value);
        }
    }
    found.0
}

fn rows(cells: &[Cell]) -> i64 {
    cells.iter().map(|[rows, _]| rows).sum()
}

/// Rounded to the nearest, as numpy does.
#[expect(clippy::cast_precision_loss, reason = "numpy loses the same")]
fn real(number: i64) -> f64 {
    number as f64
}

fn kl(treated: f64, control: f64) -> f64 {
    let (p, q) = (inside(treated), inside(control));
    p * log(p / q) + (1.0 - p) * log((1.0 - p) / (1.0 - q))
}

fn entropy(share: f64) -> f64 {
    let p = inside(share);
    -(p * log(p) + (1.0 - p) * log(1.0 - p))
}

/// Shares of 0 and 1 are moved inwards, where logarithms and quotients are taken of them.
fn inside(share: f64) -> f64 {
    const EDGE: f64 = 1.0 / 1_048_576.0;
    share.clamp(EDGE, 1.0 - EDGE)
}
