//! The search of splits in what was counted: `search.py` says the same.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::builder::{Float64Builder, Int32Builder, Int64Builder, ListBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::ArrowError;
use serde::Deserialize;

use crate::codes::Refusal;
use crate::gains::{Cell, Criterion, Outcomes, Parent, Rules};
use crate::plan::{By, Counting, Plan};
use crate::statistics::{Line, Statistics};

/// By which rules splits are searched, and what the means of children are drawn towards.
#[derive(Debug)]
pub(crate) struct Search {
    rules: Rules,
    of: Outcomes,
    /// A line of means for each open node, one an arm.
    priors: Option<Vec<f64>>,
}

/// Finds the best split of each open node that has rows; of equal gains, the first feature's.
///
/// # Errors
///
/// See [`Refusal`].
pub fn best_splits(plan: &Plan, counted: &Statistics) -> Result<RecordBatch, Refusal> {
    let Some(search) = &plan.search else {
        return Err(Refusal::Shape("the plan searches nothing".to_owned()));
    };
    search.best(plan, counted)
}

/// A search as JSON has it: see `Search` in `search.py`.
#[derive(Debug, Deserialize)]
pub(crate) struct WrittenSearch {
    control: usize,
    digits: u32,
    criterion: Criterion,
    min_leaf: i64,
    min_uplift: u64,
    prior_rows: i64,
    normalized: bool,
    priors: Option<Vec<u64>>,
}

/// The best split of a node so far.
struct Found {
    gain: f64,
    feature: usize,
    left_codes: Vec<usize>,
    left: Vec<Cell>,
    total: Vec<Cell>,
}

/// A line's best candidate: so many codes of the order go left, with what is missing or without.
struct Candidate {
    gain: f64,
    known: usize,
    with_missing: bool,
    left: Vec<Cell>,
}

impl Search {
    /// Checks what was written; `None` if it does not fit what is counted.
    pub(crate) fn of(written: WrittenSearch, arms: usize, counting: &Counting) -> Option<Self> {
        let real = |bits: Vec<u64>| bits.into_iter().map(f64::from_bits).collect::<Vec<_>>();
        let priors = written.priors.map(real);
        let fits = written.control < arms
            && written.min_leaf >= 1
            && (0..1 << 31).contains(&written.prior_rows)
            && priors
                .as_ref()
                .is_none_or(|each| each.len() == arms * counting.opened);
        let of = Outcomes {
            control: written.control,
            scale: 10_i64.checked_pow(written.digits)?,
            valued: counting.valued,
        };
        let rules = Rules {
            criterion: written.criterion,
            min_leaf: written.min_leaf,
            min_uplift: f64::from_bits(written.min_uplift),
            prior_rows: written.prior_rows,
            normalized: written.normalized,
        };
        fits.then_some(Self { rules, of, priors })
    }

    fn best(&self, plan: &Plan, counted: &Statistics) -> Result<RecordBatch, Refusal> {
        let mut best: BTreeMap<usize, Found> = BTreeMap::new();
        for line in counted.lines() {
            let than = best.get(&line.node).map(|found| found.gain);
            if let Some(found) = self.of_line(plan, &line, than) {
                best.insert(line.node, found);
            }
        }
        written(&best).map_err(|error| Refusal::Shape(error.to_string()))
    }

    /// Finds the best split by one feature; `None` if it gains no more than what was found, or no row was counted.
    fn of_line(&self, plan: &Plan, line: &Line<'_>, than: Option<f64>) -> Option<Found> {
        let arms = plan.arms.len();
        let mut total = vec![[0, 0]; arms];
        for code in line.cells.chunks_exact(arms) {
            add(&mut total, code);
        }
        if total.iter().all(|[rows, _]| *rows == 0) {
            return None;
        }
        let order = self.order(plan, line, &total);
        let prior = self
            .priors
            .as_deref()
            .and_then(|priors| priors.chunks_exact(arms).nth(line.node));
        let parent = Parent::new(&self.rules, self.of, &total, prior);
        let best = candidate(&parent, &order, line.cells, &total);
        if than.is_some_and(|than| best.gain <= than) {
            return None;
        }
        let mut left_codes = order;
        left_codes.truncate(best.known);
        left_codes.sort_unstable();
        if best.with_missing {
            left_codes.push(line.cells.len() / arms - 1);
        }
        Some(Found {
            gain: best.gain,
            feature: line.feature,
            left_codes,
            left: best.left,
            total,
        })
    }

    /// The known codes: those of numbers as they are, categories by their uplift.
    fn order(&self, plan: &Plan, line: &Line<'_>, total: &[Cell]) -> Vec<usize> {
        let arms = plan.arms.len();
        let mut order: Vec<usize> = (0..line.cells.len() / arms - 1).collect();
        let by = plan.features.get(line.feature).map(|feature| &feature.by);
        if let Some(By::Categories { .. }) = by {
            let cells = line.cells.chunks_exact(arms);
            let uplift = cells.map(|cells| self.of.uplift_of_all(cells, total));
            let uplift: Vec<f64> = uplift.collect();
            let by_uplift = |one: &usize, other: &usize| {
                let compared = uplift.get(*one).partial_cmp(&uplift.get(*other));
                compared.unwrap_or(Ordering::Equal)
            };
            order.sort_by(by_uplift);
        }
        order
    }
}

/// Tries every run of codes, with what is missing and without; of equal gains the first is the best.
fn candidate(parent: &Parent<'_>, order: &[usize], cells: &[Cell], total: &[Cell]) -> Candidate {
    let arms = total.len();
    let missing = cells.chunks_exact(arms).next_back().unwrap_or_default();
    let mut best = Candidate {
        gain: f64::NEG_INFINITY,
        known: 0,
        with_missing: true,
        left: missing.to_vec(),
    };
    let [mut fewer, mut left, mut right] = [(); 3].map(|()| vec![[0, 0]; arms]);
    for known in 0..order.len().max(1) {
        for with_missing in [true, false] {
            left.copy_from_slice(&fewer);
            if with_missing {
                add(&mut left, missing);
            }
            for ((right, all), left) in right.iter_mut().zip(total).zip(&left) {
                *right = [all[0] - left[0], all[1] - left[1]];
            }
            let gain = parent.gain(&left, &right);
            if gain > best.gain {
                best.left.copy_from_slice(&left);
                (best.gain, best.known, best.with_missing) = (gain, known, with_missing);
            }
        }
        let next = order
            .get(known)
            .and_then(|code| cells.chunks_exact(arms).nth(*code));
        add(&mut fewer, next.unwrap_or_default());
    }
    best
}

fn add(sum: &mut [Cell], cells: &[Cell]) {
    for (sum, cell) in sum.iter_mut().zip(cells) {
        *sum = [sum[0] + cell[0], sum[1] + cell[1]];
    }
}

/// Rows as `FOUND` in `search.py` says.
fn written(best: &BTreeMap<usize, Found>) -> Result<RecordBatch, ArrowError> {
    let (mut features, mut nodes) = (Int32Builder::new(), Int32Builder::new());
    let mut gains = Float64Builder::new();
    let mut codes = ListBuilder::new(Int32Builder::new());
    let mut cells = [(); 2].map(|()| ListBuilder::new(Int64Builder::new()));
    for (node, found) in best {
        features.append_value(small(found.feature)?);
        nodes.append_value(small(*node)?);
        gains.append_option((found.gain > 0.0).then_some(found.gain));
        for code in &found.left_codes {
            codes.values().append_value(small(*code)?);
        }
        codes.append(true);
        for (list, numbers) in cells.iter_mut().zip([&found.left, &found.total]) {
            list.values().append_slice(numbers.as_flattened());
            list.append(true);
        }
    }
    let [mut left, mut total] = cells;
    let columns: [(&str, ArrayRef); 6] = [
        ("feature", Arc::new(features.finish())),
        ("node", Arc::new(nodes.finish())),
        ("gain", Arc::new(gains.finish())),
        ("left_codes", Arc::new(codes.finish())),
        ("left", Arc::new(left.finish())),
        ("total", Arc::new(total.finish())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true)))
}

fn small(number: usize) -> Result<i32, ArrowError> {
    i32::try_from(number).map_err(|error| ArrowError::CastError(error.to_string()))
}
