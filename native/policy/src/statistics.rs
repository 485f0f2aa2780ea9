//! Sufficient statistics of rows: whole numbers, so that no order of adding shows. `statistics.py` says the same.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch};
use arrow_schema::DataType;

use crate::codes::{Block, Column, Refusal};
use crate::plan::{Counting, Plan};
use crate::scores::leaf;

/// No sum may come near the end of a long.
const MOST: u64 = 1 << 62;

/// What was counted so far: for each feature, open node, code and arm the rows and the sum of their units.
#[derive(Debug)]
pub struct Statistics {
    features: Vec<Cells>,
    at_most: u64,
}

/// The cells of a feature, and where each open node's are.
#[derive(Debug)]
struct Cells {
    numbers: Vec<i64>,
    local: Vec<u32>,
    width: usize,
}

/// An open node that does not count a feature.
const NOWHERE: u32 = u32::MAX;

/// A row that some tree counts.
#[derive(Clone, Copy)]
struct Counted {
    row: usize,
    node: usize,
}

/// Arms, hashes and outcomes of a batch, in the order of its first columns.
struct Known {
    arms: Vec<u16>,
    hashes: Int64Array,
    units: Vec<Int64Array>,
}

/// A block of a batch's rows, as codes.
struct Part<'a> {
    counting: &'a Counting,
    known: &'a Known,
    block: &'a Block,
    rows: Range<usize>,
}

impl Statistics {
    /// Nothing yet; `None` if the plan counts nothing.
    pub fn new(plan: &Plan) -> Option<Self> {
        let counting = plan.counting.as_ref()?;
        let features = plan.features.iter().enumerate().map(|(at, feature)| {
            let (nodes, local) = locals(counting, at);
            Cells {
                numbers: vec![0; nodes * feature.width * plan.arms.len() * 2],
                local,
                width: feature.width,
            }
        });
        Some(Self {
            features: features.collect(),
            at_most: 0,
        })
    }

    /// Counts the rows of a batch: the arm, the row's hash, one outcome or one an arm, and the features.
    ///
    /// # Errors
    ///
    /// See [`Refusal`].
    pub fn add(&mut self, plan: &Plan, batch: &RecordBatch) -> Result<(), Refusal> {
        let Some(counting) = &plan.counting else {
            return Err(shape("the plan counts nothing"));
        };
        let known = Known::of(plan, counting, batch)?;
        self.watch(&known)?;
        let first = 2 + known.units.len();
        let columns = batch.columns().get(first..).unwrap_or_default();
        if columns.len() != plan.features.len() {
            return Err(shape("there are other columns than features"));
        }
        let columns = columns.iter().map(|column| Column::of(column.as_ref()));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let mut block = Block::new(plan.features.len());
        let mut some = Vec::with_capacity(block.rows());
        for first in (0..batch.num_rows()).step_by(block.rows()) {
            let rows = first..batch.num_rows().min(first + block.rows());
            for (at, (feature, column)) in plan.features.iter().zip(&columns).enumerate() {
                block.encode(at, feature, column, rows.clone())?;
            }
            let part = Part {
                counting,
                known: &known,
                block: &block,
                rows,
            };
            self.count(plan, &part, &mut some);
        }
        Ok(())
    }

    /// Copies the cells of all features, one after another.
    ///
    /// # Errors
    ///
    /// [`Refusal::Shape`] if `cells` has not as many places.
    pub fn copy(&self, cells: &mut [i64]) -> Result<(), Refusal> {
        let mut rest = cells;
        for feature in &self.features {
            let Some((place, after)) = rest.split_at_mut_checked(feature.numbers.len()) else {
                return Err(shape("there are more cells than places"));
            };
            place.copy_from_slice(&feature.numbers);
            rest = after;
        }
        if rest.is_empty() {
            Ok(())
        } else {
            Err(shape("there are more places than cells"))
        }
    }

    fn watch(&mut self, known: &Known) -> Result<(), Refusal> {
        for units in known.units.iter().flat_map(Int64Array::values) {
            self.at_most = self.at_most.saturating_add(units.unsigned_abs());
        }
        if self.at_most > MOST {
            let words = "outcomes are too large to be summed exactly: ask for fewer digits";
            return Err(Refusal::Value(words.to_owned()));
        }
        Ok(())
    }

    fn count(&mut self, plan: &Plan, part: &Part<'_>, some: &mut Vec<Counted>) {
        let counting = part.counting;
        let trees = plan.trees.iter().zip(&counting.draws);
        for ((tree, draw), places) in trees.zip(&counting.places) {
            if places.iter().all(|place| *place < 0) {
                continue;
            }
            some.clear();
            let hashes = part.known.hashes.values().iter().skip(part.rows.start);
            for (row, hash) in (0..part.rows.len()).zip(hashes) {
                if !draw.takes(hash.cast_unsigned()) {
                    continue;
                }
                let place = places.get(leaf(tree, part.block, row));
                if let Ok(node) = usize::try_from(place.copied().unwrap_or(-1)) {
                    some.push(Counted { row, node });
                }
            }
            for (at, cells) in self.features.iter_mut().enumerate() {
                if !cells.numbers.is_empty() {
                    cells.count(part, at, plan.arms.len(), some);
                }
            }
        }
    }
}

impl Cells {
    #[expect(
        clippy::indexing_slicing,
        reason = "rows are of the batch; nodes, codes and arms were checked when the plan was read"
    )]
    fn count(&mut self, part: &Part<'_>, at: usize, arms: usize, some: &[Counted]) {
        let (known, codes) = (part.known, part.block.line(at));
        for counted in some {
            let local = self.local[counted.node];
            if local == NOWHERE {
                continue;
            }
            let code = usize::from(codes[counted.row]);
            let row = part.rows.start + counted.row;
            let line = (local as usize * self.width + code) * arms;
            let arm = line + usize::from(known.arms[row]);
            self.numbers[arm * 2] += 1;
            if let [units] = known.units.as_slice() {
                self.numbers[arm * 2 + 1] += units.values()[row];
            } else {
                for (at, units) in known.units.iter().enumerate() {
                    self.numbers[(line + at) * 2 + 1] += units.values()[row];
                }
            }
        }
    }
}

impl Known {
    fn of(plan: &Plan, counting: &Counting, batch: &RecordBatch) -> Result<Self, Refusal> {
        let outcomes = if counting.valued { plan.arms.len() } else { 1 };
        let columns = batch.columns();
        let [arms, hashes, rest @ ..] = columns else {
            return Err(shape("there are fewer columns than two"));
        };
        let units = rest.iter().take(outcomes).map(whole);
        Ok(Self {
            arms: coded(plan, arms)?,
            hashes: whole(hashes)?,
            units: units.collect::<Result<_, _>>()?,
        })
    }
}

/// How many open nodes count a feature, and the place of each among them.
#[expect(
    clippy::cast_possible_truncation,
    reason = "open nodes are numbered in 32 bits, which the plan checks"
)]
fn locals(counting: &Counting, feature: usize) -> (usize, Vec<u32>) {
    let Some(wanted) = &counting.wanted else {
        return (counting.opened, (0..counting.opened as u32).collect());
    };
    let mut local = vec![NOWHERE; counting.opened];
    let nodes = wanted.get(feature).map(Vec::as_slice).unwrap_or_default();
    for (at, node) in nodes.iter().enumerate() {
        if let Some(place) = local.get_mut(*node as usize) {
            *place = at as u32;
        }
    }
    (nodes.len(), local)
}

fn coded(plan: &Plan, arms: &ArrayRef) -> Result<Vec<u16>, Refusal> {
    let code = |arm: Option<&str>| {
        let known = arm.and_then(|arm| plan.arms.get(arm)).copied();
        known.ok_or_else(|| Refusal::Value(format!("{arm:?} is none of the arms")))
    };
    match Column::of(arms.as_ref())? {
        Column::Texts(texts) => texts.iter().map(code).collect(),
        Column::LargeTexts(texts) => texts.iter().map(code).collect(),
        Column::Numbers(_) => Err(shape("arms are numbers")),
    }
}

fn whole(column: &ArrayRef) -> Result<Int64Array, Refusal> {
    if *column.data_type() != DataType::Int64 {
        return Err(shape("hashes and outcomes are whole numbers"));
    }
    if column.null_count() > 0 {
        return Err(Refusal::Value("a row has no outcome".to_owned()));
    }
    Ok(column.as_primitive::<Int64Type>().clone())
}

fn shape(words: &str) -> Refusal {
    Refusal::Shape(words.to_owned())
}
